"""`psog bench pruning`: what its ways make of a network, and the table."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from rich.console import Console

from psog.benchmarks.pruning import Protocol, WayName, measure, tables
from psog.benchmarks.pruning_ways import copy_channels, largest, macs_of, narrowed
from psog.headset import load_headset
from psog.net.architecture import Architecture, Convolution, deep
from psog.net.normalise import fit_normalisation
from psog.net.pruning import Pruning
from psog.net.qat import build

GRID = (4, 10)


def network(architecture, seed):
    normalisation = fit_normalisation(np.random.default_rng(0).uniform(1e4, 5e4, (100, 16)))
    return build(architecture, load_headset("ring16"), normalisation, seed)


def of_widths(first, second):
    return Architecture((Convolution(first), Convolution(second, "same")), (10,), features=6)


def test_multiply_accumulates_of_an_architecture_are_those_of_its_integers():
    # 2×8 cells: 16 · 9 · 2 · 16 + 16 · 9 · 16 · 16, then 256 · 48, 48 · 32, 32 · 4
    assert macs_of(deep(load_headset("ring16")), GRID) == 4608 + 36864 + 12288 + 1536 + 128


@pytest.mark.parametrize("target", [3_000, 12_345, 20_320])
def test_a_narrow_network_uses_what_it_may_and_not_one_channel_more(target):
    whole = deep(load_headset("ring16"))
    narrow = narrowed(whole, GRID, target)
    assert macs_of(narrow, GRID) <= target
    first, second = (each.channels for each in narrow.convolutions)
    for wider in ((first + 1, second), (first, second + 1)):
        convolutions = tuple(
            Convolution(n, each.padding) for n, each in zip(wider, whole.convolutions, strict=True)
        )
        assert macs_of(replace(whole, convolutions=convolutions), GRID) > target


def test_channels_that_are_zero_go_first_and_the_network_computes_the_same():
    wide, narrow = network(of_widths(5, 6), 1), network(of_widths(3, 4), 2)
    with torch.no_grad():
        wide.layers[0].weight[[1, 4]] = 0
        wide.layers[1].weight[[0, 3]] = 0
    copy_channels(narrow, wide)
    steps = torch.randn(20, 16, generator=torch.Generator().manual_seed(3)) * 30
    torch.testing.assert_close(narrow(steps), wide(steps))


def test_the_largest_weights_stay():
    weight = torch.tensor([[0.1, -3.0, 0.5], [2.0, -0.2, 0.0]])
    assert largest(weight, 2).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_the_bench_compares_every_way_with_the_dense_network_and_keeps_what_is_done(tmp_path):
    protocol = Protocol(steps=2, users=20, test_users=3, seeds=2)
    asked = ("ring16", Pruning(keep=0.25), protocol, 7, Console(quiet=True))
    result = measure(*asked, work=tmp_path / "parts.json")
    assert (
        measure(*asked, work=tmp_path / "parts.json") == result
    )  # processor times too: nothing was trained again
    assert json.loads(json.dumps(result)) == result
    assert list(result["ways"]) == ["dense", *get_args(WayName)]
    dense = result["ways"]["dense"]
    for name, way in result["ways"].items():
        pairs = zip(way["int8"]["each"], dense["int8"]["each"], strict=True)
        assert way["loss"]["each"] == pytest.approx([one - other for one, other in pairs], abs=2e-4)
        assert way["network_macs"] <= 22_656 or name == "dense"
    assert dense["convolution_macs"] == 41_472
    for name in ("in training, 4", "in training, data", "after, same choice", "after, magnitude"):
        assert result["ways"][name]["convolution_macs"] == 8_704
    (table,) = tables(result)
    assert [row[0] for row in table.rows] == list(result["ways"])
    assert table.rows[0][2] == "41,472" and table.rows[0][-2] == "0.000 ± 0.000"


def test_some_ways_alone_can_be_compared_with_the_dense_network():
    protocol = Protocol(steps=2, users=20, test_users=3, seeds=1)
    asked = ("ring16", Pruning(keep=0.25), protocol, 7, Console(quiet=True))
    result = measure(*asked, only=["smaller network"])
    assert list(result["ways"]) == ["dense", "smaller network"]


@pytest.mark.parametrize("words", [["--steps", "0"], ["--seeds", "-1"], ["--keep", "0"]])
def test_what_cannot_be_measured_is_one_line(words):
    run = subprocess.run(
        [sys.executable, "-m", "psog", "bench", "pruning", *words], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 1 and run.stdout == ""
    assert "expected a" in run.stderr and len(run.stderr.strip().splitlines()) == 1
