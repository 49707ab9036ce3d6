"""What programs and people get of a finished calibration."""

import json

import numpy as np
import pytest

from psog.calibration.events import Fitted, PointTaken
from psog.calibration.picture import field_picture
from psog.calibration.quality import Quality, TargetQuality
from psog.calibration.report import CalibrationReport, Wearing, write_report
from psog.calibration.targets import Target, plan_targets
from psog.errors import CalibrationError

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
