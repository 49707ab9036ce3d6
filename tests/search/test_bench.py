"""`psog bench search`, its short form: what it says is all there, and goes into tables."""

import json
import shutil
from dataclasses import replace

import pytest

from psog.benchmarks.search import tables
from psog.benchmarks.search_runs import SHORT, measure
from psog.firmware_export.toolchain import available_boards
from tests.search.conftest import COSTS

pytest.importorskip("optuna", reason="psog[search] is not installed")
if "mps2-an386" not in available_boards():
    pytest.skip("no Arm compiler or no QEMU is installed", allow_module_level=True)

PROTOCOL = replace(SHORT, plan=replace(SHORT.plan, instructions=9000))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    shutil.copy(COSTS, folder / "instructions.json")
    return folder


@pytest.fixture(scope="module")
def document(folder):
    return json.loads(json.dumps(measure(PROTOCOL, folder, lambda told: None)))


def test_what_was_found_is_trained_like_the_shipped_architecture(document):
    shipped, *found = document["test"].values()
    assert shipped["above_shipped_deg"] == [0, 0]
    assert found and all(each["instructions"] <= 9000 for each in found)
    assert {len(each["each_deg"]) for each in (shipped, *found)} == {PROTOCOL.test_seeds}


def test_both_samplers_search(document):
    assert [(each["sampler"], each["seed"]) for each in document["searches"]] == [("tpe", 0), ("random", 0)]


def test_what_was_kept_is_taken_again(folder, document):
    kept = (folder / "finalists.jsonl").read_bytes()
    assert measure(PROTOCOL, folder, lambda told: None)["test"] == document["test"]
    assert (folder / "finalists.jsonl").read_bytes() == kept


def test_the_document_becomes_tables(document):
    searches, test, longer, front, proxy = tables(document)
    assert [row[0] for row in searches.rows] == ["tpe, 0", "random, 0"]
    assert test.rows[0][1] == longer.rows[0][1] == "shipped"
    assert front.rows and proxy.rows
