"""The demo goes the whole way, on whatever board is here, and replaces only its own folder."""

import json
import subprocess
import sys

import pytest

from psog.firmware_export.toolchain import available_boards

DEMO = [sys.executable, "-m", "psog", "demo"]
SHORT = ["--users", "200", "--steps", "300", "--json"]


@pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")
def test_the_demo_goes_the_whole_way_and_may_be_repeated(tmp_path):
    out = tmp_path / "demo"
    for board in [name for name in ("host", "mps2-an386") if name in available_boards()]:
        run = subprocess.run(
            [*DEMO, *SHORT, "--board", board, "--out", str(out)], capture_output=True, text=True, timeout=280
        )
        assert run.returncode == 0, run.stderr
        result = json.loads(run.stdout)
        assert result["board"] == board
        assert result["agreement"]["c_runtime"] == result["agreement"]["inputs"] >= 9_000
        assert result["agreement"]["tflite_micro"] == result["agreement"]["inputs"]
        errors = result["gaze_error_deg"]
        assert set(errors) == {"uncalibrated", "calibrated", "slipped"}
        if result["calibration"]["accepted"]:
            assert errors["calibrated"] < errors["uncalibrated"]
        else:  # so short a training makes calibrations of which some are no better, and refused
            assert result["calibration"]["refusal"] and "not kept" in run.stderr
        assert (result["budget"] is None) == (board == "host")
        assert next(iter(result["seconds"])) == "simulate"
        assert json.loads((out / "demo.json").read_text()) == result
        assert "gaze error, degrees" in run.stderr


def test_the_demo_never_replaces_someone_elses_folder(tmp_path):
    (tmp_path / "notes.txt").write_text("keep me")
    run = subprocess.run([*DEMO, "--out", str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "is not a demo's folder" in run.stderr
    assert (tmp_path / "notes.txt").read_text() == "keep me"
