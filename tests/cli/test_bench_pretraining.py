"""`psog bench pretraining`: every way with every number of labels, and what is kept of a run."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from psog.benchmarks.pretraining import SHORT, STATES, measure, tables
from psog.errors import PsogError

TINY = replace(SHORT, before=2, steps=2)


@pytest.mark.usefixtures("one_thread")
def test_every_way_is_judged_with_the_same_users_and_kept(tmp_path):
    document = measure("ring16", TINY, Console(quiet=True), tmp_path)
    assert json.loads(json.dumps(document))["ways"] == document["ways"]
    ways = document["ways"]
    assert list(ways) == [
        "labels only",
        "labelled simulator",
        "barlow-twins, streams alone",
        "barlow-twins",
        "barlow-twins, labelled simulator",
        "byol",
        "nnclr",
    ]
    for of in ways.values():
        assert list(of) == ["0", "1", "5"]
        for number in of:
            for state in STATES:
                for slip in ("0", "1"):
                    compared = ways["labels only"][number][state][slip]["mean_deg"]
                    found = of[number][state][slip]
                    assert found["gain"][0] == pytest.approx(compared - found["mean_deg"], abs=2e-4)
    assert ways["byol"]["1"] != ways["byol"]["5"] and ways["byol"]["1"] != ways["nnclr"]["1"]
    first, *_ = tables(document)
    assert list(first.columns) == ["begins with", "0 %", "20 %", "100 %"] and len(first.rows) == 7

    assert [entry.name for entry in tmp_path.iterdir()] == ["seed0.json"]
    again = measure("ring16", TINY, Console(quiet=True), tmp_path)
    assert again["ways"]["nnclr"] == document["ways"]["nnclr"]
    with pytest.raises(PsogError, match=r"seed0\.json is of another protocol"):
        measure("ring16", replace(TINY, steps=3), Console(quiet=True), tmp_path)
