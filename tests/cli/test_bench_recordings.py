"""`psog bench recordings` on signals that nobody here made."""

import json
import subprocess
import sys

from tests.data_paths import needs_shared_data, psog_nn

PSOG = [sys.executable, "-m", "psog", "bench", "recordings"]


def bench(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PSOG, *map(str, words)], capture_output=True, text=True, timeout=600)


@needs_shared_data
def test_the_int8_network_learns_third_party_signals_and_the_model_is_kept(tmp_path):
    """Five epochs on one file; the full run is what the benchmark is for."""
    train, test = psog_nn("calib_062217"), psog_nn("exp1_TX_Combo_1")
    run = bench(
        "--train", train, "--test", test, "--epochs", 5, "--save", tmp_path / "model", "--json"
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert list(result) == ["files", "macs", "parameters"]
    errors = result["files"]["exp1_TX_Combo_1_grid15"]
    assert errors["int8"]["mean_deg"] < 2.0  # gaze spans 15 deg; the mean gaze alone is 4 deg off
    assert abs(errors["int8"]["mean_deg"] - errors["float"]["mean_deg"]) < 0.1
    assert result["macs"] <= 40_000
    assert json.loads((tmp_path / "model" / "model.json").read_text())["data"]["files"] == [train.stem]


@needs_shared_data
def test_each_recording_is_judged_by_a_network_that_never_saw_it():
    """A tenth of a pass: what is tested is who is left out. eyelink_12 has pupils from 1.9 to 3.0 mm, calib
    from 3.1 to 3.7 mm."""
    words = ("--train", psog_nn("calib_062217"), psog_nn("eyelink_12"), "--leave-one-out")
    run = bench(*words, "--epochs", 0.1, "--network", "small-cnn", "--json")
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    left_out = result["left_out"]
    assert result["macs"] <= 9460
    assert list(left_out) == ["calib_062217_grid15", "eyelink_12_grid15"]
    assert left_out["calib_062217_grid15"]["wider"]["share"] == 1
    assert left_out["eyelink_12_grid15"]["narrower"]["share"] == 1
    assert "narrower" not in left_out["calib_062217_grid15"]


@needs_shared_data
def test_a_network_may_be_given_by_its_layers():
    """30 inputs (15 sensors, two planes), 8, 32 features, four outputs: 30·8 + 8·32 + 32·4 MACs."""
    words = ("--train", psog_nn("calib_062217"), "--test", psog_nn("eyelink_12"), "--epochs", 0.1)
    run = bench(*words, "--network", "dense8", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["macs"] == 624


def test_an_unknown_network_is_refused_in_one_line_before_files_are_read(tmp_path):
    run = bench("--train", tmp_path / "x.csv", "--network", "large-cnn")
    assert run.returncode == 1
    assert "no network 'large-cnn'; expected cnn, mlp, deep, small-cnn, small-mlp, or its" in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


@needs_shared_data
def test_the_only_recording_cannot_be_left_out():
    run = bench("--train", psog_nn("calib_062217"), "--leave-one-out")
    assert run.returncode == 1 and "give --train two or more" in run.stderr


@needs_shared_data
def test_a_recording_of_another_headset_is_refused_in_one_line():
    run = bench("--train", psog_nn("calib_062217"), "--test", psog_nn("eyelink_1"), "--headset", "ring16")
    assert run.returncode == 1
    assert "recording is of headset 'grid15' with 15 sensors, expected 'ring16'" in run.stderr


def test_no_recording_at_all_is_refused_in_one_line(tmp_path):
    run = bench("--train", "--test", tmp_path / "x.csv")
    assert run.returncode == 1
    assert "at least one file" in run.stderr and len(run.stderr.strip().splitlines()) == 1
