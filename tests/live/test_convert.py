"""A recording as CSV says the same numbers; as BIDS it is what the official validator takes."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from psog.device.reconnecting import Back, Gone
from psog.errors import RecordingError
from psog.headset import load_headset
from psog.live.bids import Labels, export_bids
from psog.live.recorder import Recorder
from psog.live.text_tables import export_csv
from psog.recording import BLINK, FIXATION, SACCADE, Recording, read_recording, write_recording
from tests.live.rows import INFO, made_up

RING16 = load_headset("ring16")
EVENTS = [0] * 5 + [FIXATION] * 20 + [SACCADE] * 3 + [FIXATION] * 10 + [BLINK] * 12


def labelled(rows=50) -> Recording:
    """A recording with events, and a gaze that is not known in one row."""
    gaze = np.arange(rows, dtype=np.float32) / np.float32(3)
    gaze[7] = np.nan
    return Recording(
        "ring16",
        np.arange(rows, dtype=np.int64) * 2000,
        np.arange(rows * 16, dtype=np.float32).reshape(rows, 16),
        {
            "gaze_h_deg": gaze,
            "gaze_v_deg": -gaze,
            "event": np.array(EVENTS[:rows], np.uint8),
            "valid": np.arange(rows) % 2 == 0,
        },
    )


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A live recording with a gap; its readings were kept."""
    out = tmp_path_factory.mktemp("live") / "r"
    with Recorder(out, INFO, sensors=RING16, user="Anna") as recorder:
        for item in (made_up(0, 60, 16), Gone("unplugged", 1.0), Back(2.5), made_up(5, 40, 16)):
            recorder.add(item)
    return out


def test_csv_gives_every_number_back(live, tmp_path):
    assert export_csv(live, tmp_path / "r.csv") == 100
    recording = read_recording(live)
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name, values in recording.columns.items():
        found = np.array([float(row[name] or "nan") for row in rows]).astype(values.dtype)
        np.testing.assert_array_equal(found, values, err_msg=name)
    assert [int(row["t_us"]) for row in rows] == recording.t_us.tolist()
    assert [float(row["s15_counts"]) for row in rows] == recording.readings[:, 15].tolist()
    assert rows[3]["host_time_s"] == ""  # not known yet


def test_a_csv_file_that_is_there_stays(live, tmp_path):
    (tmp_path / "r.csv").write_text("mine")
    with pytest.raises(RecordingError, match="already exists"):
        export_csv(live, tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text() == "mine"
    export_csv(live, tmp_path / "r.csv", force=True)
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 101


def table(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


def test_each_session_of_a_recording_is_a_run(live, tmp_path):
    written = export_bids(live, tmp_path / "ds", Labels("01", "reading"))
    folder = Path("sub-01", "beh")
    assert written == [
        folder / f"sub-01_task-reading_run-{run}_recording-eye1_{ending}"
        for run in (1, 2)
        for ending in ("physio.json", "physio.tsv.gz", "physioevents.json", "physioevents.tsv.gz")
    ]
    sidecar = json.loads((tmp_path / "ds" / written[0]).read_text())
    assert sidecar["Columns"] == [
        *("timestamp", "x_coordinate", "y_coordinate", "openness", "expected_error", "valid"),
    ]
    assert (sidecar["SamplingFrequency"], sidecar["RecordedEye"]) == (1000, "right")
    recording = read_recording(live)
    rows = table(tmp_path / "ds" / written[1]) + table(tmp_path / "ds" / written[5])
    assert [int(row[0]) for row in rows] == recording.t_us.tolist()
    x = np.array([row[1] for row in rows], np.float32)
    np.testing.assert_array_equal(x, recording.columns["gaze_h_deg"])


def test_events_have_onset_and_duration_and_what_is_not_known_says_so(tmp_path):
    write_recording(labelled(), tmp_path / "r")
    written = export_bids(tmp_path / "r", tmp_path / "ds", Labels("01", "reading", "2", "left"))
    stem = "sub-01/ses-2/beh/sub-01_ses-2_task-reading_recording-eye1"
    assert [str(path) for path in written] == [
        f"{stem}_{suffix}"
        for suffix in ("physio.json", "physio.tsv.gz", "physioevents.json", "physioevents.tsv.gz")
    ]
    assert table(tmp_path / "ds" / written[3]) == [
        ["10000", "0.040000", "fixation"],
        ["50000", "0.006000", "saccade"],
        ["56000", "0.020000", "fixation"],
        ["76000", "0.024000", "blink"],
    ]
    assert table(tmp_path / "ds" / written[1])[7] == ["14000", "n/a", "n/a", "0"]


def test_events_go_on_from_part_to_part(tmp_path):
    write_recording((labelled().take(slice(k, k + 7)) for k in range(0, 50, 7)), tmp_path / "parts")
    write_recording(labelled(), tmp_path / "whole")
    tables = []
    for name in ("parts", "whole"):
        written = export_bids(tmp_path / name, tmp_path / f"ds-{name}", Labels("01", "reading"))
        tables.append([(tmp_path / f"ds-{name}" / path).read_bytes() for path in written])
    assert tables[0] == tables[1]


def test_no_name_no_reading_and_no_time_of_day_is_in_a_dataset(live, tmp_path):
    export_bids(live, tmp_path / "ds", Labels("01", "reading"))
    day = str(read_recording(live).provenance["begun"])[:10]
    for path in (tmp_path / "ds").rglob("*.*"):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert b"Anna" not in text
        assert day.encode() not in text
        assert b"s00" not in text


def test_another_subject_joins_and_nothing_is_replaced(live, tmp_path):
    out = tmp_path / "ds"
    export_bids(live, out, Labels("01", "reading"))
    (out / "participants.tsv").write_text("participant_id\tage\nsub-01\t33\n")
    with pytest.raises(RecordingError, match="has task reading already"):
        export_bids(live, out, Labels("01", "reading"))
    export_bids(live, out, Labels("01", "resting"))
    export_bids(live, out, Labels("02", "reading"))
    assert (out / "participants.tsv").read_text() == "participant_id\tage\nsub-01\t33\nsub-02\tn/a\n"


@pytest.mark.parametrize("label", ["", "P 1", "../x", "é"])
def test_a_label_that_bids_does_not_take_is_refused(live, tmp_path, label):
    with pytest.raises(RecordingError, match="letters and digits"):
        export_bids(live, tmp_path / "ds", Labels(label, "reading"))
    assert list(tmp_path.iterdir()) == []


def test_a_recording_of_several_users_is_refused(tmp_path):
    recording = labelled()
    user = np.repeat([0, 1], 25)
    write_recording(replace(recording, columns={**recording.columns, "user": user}), tmp_path / "r")
    with pytest.raises(RecordingError, match="several users"):
        export_bids(tmp_path / "r", tmp_path / "ds", Labels("01", "reading"))
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def validate(dataset: Path) -> list[dict[str, str]]:
    """What the official validator of BIDS finds."""
    if importlib.util.find_spec("bids_validator_deno") is None:
        pytest.skip("the BIDS validator is not installed: pip install bids-validator-deno")
    code = "import bids_validator_deno; bids_validator_deno.cli()"
    command = [sys.executable, "-c", code, str(dataset), "--format", "json", "--max-rows", "-1"]
    run = subprocess.run(command, capture_output=True, text=True)
    if "FileNotFoundError" in run.stderr:
        pytest.skip("the BIDS validator has no deno to run on: pip install deno")
    found: list[dict[str, str]] = json.loads(run.stdout)["issues"]["issues"]
    return found


def test_the_official_validator_finds_no_error(live, tmp_path):
    write_recording(labelled(), tmp_path / "r")
    export_bids(live, tmp_path / "ds", Labels("01", "reading"))
    export_bids(tmp_path / "r", tmp_path / "ds", Labels("02", "reading", "1"))
    found = validate(tmp_path / "ds")
    assert [issue for issue in found if issue["severity"] == "error"] == []
    remarks = {(issue["code"], issue.get("subCode")) for issue in found}
    assert remarks <= {  # what only the owner of the data knows
        ("NO_AUTHORS", "Authors"),
        ("TOO_FEW_AUTHORS", None),
        ("JSON_KEY_RECOMMENDED", "License"),
        ("JSON_KEY_RECOMMENDED", "HEDVersion"),
        ("JSON_KEY_RECOMMENDED", "SourceDatasets"),
    }


def test_the_official_validator_knows_eye_tracking(live, tmp_path):
    written = export_bids(live, tmp_path / "ds", Labels("01", "reading"))
    sidecar = tmp_path / "ds" / written[0]
    content = json.loads(sidecar.read_text())
    del content["RecordedEye"]
    sidecar.write_text(json.dumps(content))
    errors = [issue for issue in validate(tmp_path / "ds") if issue["severity"] == "error"]
    assert {issue["subCode"] for issue in errors} == {"RecordedEye"}
