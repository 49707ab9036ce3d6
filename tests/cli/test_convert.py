"""`psog convert` as a program; what it writes is tested in tests/live/test_convert.py."""

from __future__ import annotations

import subprocess
import sys

import pytest

from psog.live.recorder import Recorder
from tests.live.rows import INFO, made_up


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with Recorder(tmp_path_factory.mktemp("recorded") / "r", INFO) as recorder:
        recorder.add(made_up(0, 100))
    return recorder._out


def convert(*words):
    command = [sys.executable, "-m", "psog", "convert", *map(str, words)]
    run = subprocess.run(command, capture_output=True, text=True)
    return run.returncode, run.stdout, run.stderr


def test_csv_says_how_many_rows_it_has(tmp_path, folder):
    out = tmp_path / "r.csv"
    assert convert(folder, "--out", out, "--format", "csv") == (0, f"{out}: 100 rows\n", "")
    assert len(out.read_text().splitlines()) == 101


def test_bids_lists_what_it_wrote(tmp_path, folder):
    words = ("--format", "bids", "--subject", "01", "--task", "reading")
    code, out, err = convert(folder, "--out", tmp_path / "ds", *words)
    assert (code, err) == (0, "")
    assert [line.rsplit("_", 1)[1] for line in out.splitlines()] == [
        *("physio.json", "physio.tsv.gz", "physioevents.json", "physioevents.tsv.gz"),
    ]


def test_labels_of_bids_are_not_for_csv(tmp_path, folder):
    code, out, err = convert(folder, "--out", tmp_path / "a.csv", "--format", "csv", "--subject", "01")
    assert (code, out) == (1, "")
    assert err == "psog convert: --subject, --task and --session are BIDS's; add --format bids\n"
    assert not (tmp_path / "a.csv").exists()


def test_bids_needs_a_subject_and_a_task(tmp_path, folder):
    code, out, err = convert(folder, "--out", tmp_path / "ds", "--format", "bids", "--task", "reading")
    assert (code, out) == (1, "")
    assert err == "psog convert: BIDS names a subject and a task; give --subject and --task\n"
    assert not (tmp_path / "ds").exists()
