"""The firmware's parsers under the sanitizers, with inputs that no one would send: no finding."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fuzz.build import HERE, TARGETS, build_driver, corpus
from tests.fuzz.coverage import PARSERS, REDUNDANT, branch_coverage

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="the targets are built with gcc")

SEED = 1
RUNS = {
    "frames": 1_000_000,
    "image": 1_000_000,
    "calibration": 1_000_000,
    "slots": 100_000,
    "commands": 1_000_000,
    "signature": 2_000,
}
"""Two minutes of processor time, most of them for commands; `make fuzz` runs many more (docs/hostile.md)."""
LARGEST_CORPUS_BYTES = 300_000


@pytest.fixture(scope="module")
def program() -> Path:
    return build_driver()


@pytest.mark.timeout(1200)  # two minutes on an idle core
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found(target, program, tmp_path):
    finding = tmp_path / "finding"
    command = [str(program), target, str(RUNS[target]), str(SEED), str(finding), *map(str, corpus(target))]
    run = subprocess.run(command, capture_output=True, text=True)
    kept = f"; the input: {finding.read_bytes().hex()}" if finding.exists() else ""
    assert run.returncode == 0, run.stderr[-3000:] + kept


def test_the_corpus_takes_nearly_every_branch_of_every_parser():
    coverage = branch_coverage()
    assert set(coverage) == set(PARSERS)
    low = {
        name: branches
        for name, branches in coverage.items()
        if branches.share < (0.75 if name in REDUNDANT else 0.95)
    }
    assert low == {}


def test_the_corpus_is_small():
    files = [path for path in (HERE / "corpus").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < LARGEST_CORPUS_BYTES
