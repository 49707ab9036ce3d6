"""`psog train` and `psog evaluate`, as typed."""

import json
import subprocess
import sys

import pytest

PSOG = [sys.executable, "-m", "psog"]


def psog(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PSOG, *map(str, words)], capture_output=True, text=True, timeout=200)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of 24 users and 100 steps, and what `psog train --json` printed."""
    folder = tmp_path_factory.mktemp("models") / "ring16"
    run = psog("train", "ring16", "--out", folder, "--users", 24, "--steps", 100, "--seed", 1, "--json")
    assert run.returncode == 0, run.stderr
    return folder, json.loads(run.stdout)


def test_train_reports_what_it_did_and_how_good_it_is(model):
    _, report = model
    assert report["training"]["steps_done"] == 100
    assert report["data"]["users"] == 24
    assert report["macs"] <= 40_000
    int8 = report["evaluation"]["int8"]
    assert list(int8["slips"]) == ["0", "0.5", "1", "2"]
    assert int8["slips"]["0"]["median_deg"] < int8["uncalibrated"]["median_deg"]


def test_evaluate_prints_one_json_document_that_its_seed_repeats(model):
    folder, _ = model
    runs = [psog("evaluate", folder, "--users", 5, "--seed", 2, "--json") for _ in range(2)]
    first, again = (json.loads(run.stdout) for run in runs)
    assert first == again
    assert first["headset"] == "ring16" and first["users"] == 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "ring16", "--out", "{model}"], "already exists; choose another folder or pass --force"),
        (["train", "ring16", "--out", "{new}", "--users", "3"], "3 users are too few"),
        (["train", "ring16", "--out", "{new}", "--steps", "5", "--seconds", "5"], "give one of them"),
        (
            ["train", "ring16", "--out", "{new}", "--keep", "0.25"],
            "cannot prune a network with no convolution of more than",
        ),
        (["train", "ring16", "--out", "{new}", "--network", "deep", "--keep", "2"], "a share of 2 of the"),
        (["train", "ring16", "--out", "{new}", "--patterns", "8"], "for pruning; give --keep too"),
        (["train", "ring16", "--out", "{new}", "--keep", "0.5", "--patterns", "5"], "patterns"),
        (["train", "ring99", "--out", "{new}"], "no headset named 'ring99'"),
        (["evaluate", "{new}"], "is not a model: cannot read model.json"),
        (["evaluate", "{model}", "--headset", "grid15"], "the model is for headset 'ring16'"),
    ],
)
def test_what_cannot_be_done_is_one_line(model, tmp_path, words, message):
    run = psog(*(word.format(model=model[0], new=tmp_path / "new") for word in words))
    assert run.returncode == 1
    assert run.stdout == ""
    assert message in run.stderr and len(run.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_the_baseline_has_no_convolution(tmp_path):
    run = psog(
        "train",
        "ring16",
        "--network",
        "mlp",
        "--out",
        tmp_path / "mlp",
        "--users",
        24,
        "--steps",
        50,
        "--json",
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["training"]["architecture"]["convolutions"] == []
