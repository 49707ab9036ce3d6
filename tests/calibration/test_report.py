"""What programs and people get of a finished calibration."""

import json
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from psog.calibration.events import Fitted, PointTaken
from psog.calibration.html_report import html_report, write_html_report
from psog.calibration.picture import field_picture
from psog.calibration.quality import Quality, TargetQuality
from psog.calibration.report import CalibrationReport, Wearing, write_report
from psog.calibration.targets import Target, plan_targets
from psog.errors import CalibrationError
from psog.metrics import precision_bcea

PROMISED_KEYS = {
    "points",
    "accuracy_deg",
    "precision_rms_s2s_deg",
    "precision_std_deg",
    "grade",
    "accepted",
    "seconds",
    "before_deg",
}
FIELD_DEG = (20.0, 20.0)


def quality(targets: tuple[Target, ...], offset_deg: float) -> Quality:
    rng = np.random.default_rng(0)
    judged = [
        TargetQuality(t, np.array([t.h_deg + offset_deg, t.v_deg]) + rng.normal(0, 0.05, (50, 2)), lost=0)
        for t in targets
    ]
    return Quality(tuple(judged))


@pytest.fixture
def report() -> CalibrationReport:
    plan = plan_targets(9, FIELD_DEG, seed=3)
    return CalibrationReport(
        wearing=Wearing(headset="grid15", board="host", model_crc32=0xAB, calibrated=False),
        plan=plan,
        taken=tuple(PointTaken(target, 250, 4, 2, 3, 0.1, 0.2) for target in plan.calibration),
        fitted=Fitted(2250, 9, 4.0, 0.5, 0.8, 1.5, 4.0, 0.02, 0),
        before=quality(plan.validation, 3.0),
        after=quality(plan.validation, 0.5),
        accepted=True,
        refusal="",
        seconds=21.5,
    )


def test_json_has_the_keys_others_rely_on(report):
    found = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert set(found) >= PROMISED_KEYS
    assert found["points"] == 9
    assert found["accuracy_deg"] == pytest.approx(0.5, abs=0.05)
    assert found["before_deg"] == pytest.approx(3.0, abs=0.05)
    assert found["grade"] == "good"
    assert found["model_crc32"] == "000000ab"
    assert found["seed"] == 3
    assert (found["fit"]["left_out_rms_deg"], found["fit"]["left_out_worst_rms_deg"]) == (0.8, 1.5)


def test_json_has_a_row_for_every_target(report):
    found = report.to_json()
    assert [(row["h_deg"], row["v_deg"]) for row in found["calibration_targets"]] == [
        (target.h_deg, target.v_deg) for target in report.plan.calibration
    ]
    for row, target in zip(found["validation_targets"], report.plan.validation, strict=True):
        assert row["landed_h_deg"] - target.h_deg == pytest.approx(0.5, abs=0.05)
        assert row["before_mean_deg"] > row["mean_deg"]


def test_report_file_replaces_an_older_one_and_leaves_nothing_else(report, tmp_path):
    path = tmp_path / "report.json"
    path.write_text("older")
    write_report(report, path)
    assert json.loads(path.read_text("utf-8")) == report.to_json()
    assert list(tmp_path.iterdir()) == [path]


def test_report_that_cannot_be_written_is_one_clear_line(report, tmp_path):
    with pytest.raises(CalibrationError, match=r"cannot write report .*choose another file"):
        write_report(report, tmp_path / "missing" / "report.json")


class Loaded(HTMLParser):
    """What of a page would be fetched or run, and the numbers of its parts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.parts: Counter[str] = Counter()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.parts[tag] += 1
        self.fetched += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href") or name[:2] == "on"]


def test_html_report_is_one_file_that_shows_every_target_and_runs_nothing(report, tmp_path):
    path = tmp_path / "report.html"
    write_html_report(report, path)
    text = path.read_text("utf-8")
    loaded = Loaded(text)
    assert loaded.fetched == []
    assert (loaded.parts["script"], loaded.parts["link"], loaded.parts["svg"]) == (0, 0, 1)
    assert loaded.parts["tr"] == (1 + 8) + (1 + 9) + (1 + 6)
    assert text.count('class="target"') == 8
    assert text.count(" worst</text>") == 1
    assert "Good — 0.50° (was 3.00°)" in text
    assert list(tmp_path.iterdir()) == [path]


def test_html_report_says_why_a_result_was_not_kept_in_letters(report):
    refused = replace(report, accepted=False, refusal="1 < 2 & <b>worse</b>")
    text = html_report(refused)
    assert "Not kept: 1 &lt; 2 &amp; &lt;b&gt;worse&lt;/b&gt;." in text


def test_html_report_that_cannot_be_written_is_one_clear_line(report, tmp_path):
    with pytest.raises(CalibrationError, match=r"cannot write report .*choose another file for --html"):
        write_html_report(report, tmp_path / "missing" / "report.html")


def test_the_area_of_a_fixation_is_that_of_the_metric(report):
    target = report.after.targets[0]
    assert target.bcea_deg2 == precision_bcea(target.gaze_deg)
    assert report.to_json()["validation_targets"][0]["bcea_deg2"] == target.bcea_deg2
    two = TargetQuality(target.target, target.gaze_deg[:2], lost=0)
    assert (two.bcea_deg2, Quality((target, two)).bcea_deg2) == (None, None)


def picture_of(h_deg: float, v_deg: float, gaze_deg: tuple[float, float], colour: bool = True) -> list[str]:
    target = TargetQuality(Target("validation", h_deg, v_deg), np.array([gaze_deg, gaze_deg]), lost=0)
    return field_picture([target], FIELD_DEG, columns=40, colour=colour).plain.split("\n")


def test_picture_shows_the_gaze_right_of_and_above_its_target():
    rows = picture_of(0.0, 0.0, (10.0, 10.0))
    [(target_row, target_column)] = [(i, row.index("+")) for i, row in enumerate(rows) if "+" in row]
    [(gaze_row, gaze_column)] = [
        (i, j) for i, row in enumerate(rows) for j, c in enumerate(row) if "\u2800" < c <= "\u28ff"
    ]
    assert gaze_row < target_row
    assert gaze_column > target_column


def test_picture_keeps_gaze_outside_the_field_at_its_border():
    rows = picture_of(0.0, 0.0, (500.0, -500.0))
    assert len(rows) == 20
    assert rows[-1].rstrip()[-1] > "\u2800"


@pytest.mark.parametrize(("colour", "marks"), [(True, 0), (False, 1)])
def test_gaze_on_the_target_hides_its_mark_only_where_colour_shows_the_target(colour, marks):
    assert "".join(picture_of(5.0, 5.0, (5.0, 5.0), colour)).count("+") == marks
