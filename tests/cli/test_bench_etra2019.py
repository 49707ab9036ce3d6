"""psog bench etra2019: the paper's networks are what they are, splits do not leak, and it runs to the end."""

import io
import json
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from rich.console import Console

from psog.benchmarks.etra2019.command import NetworkName, measure
from psog.benchmarks.etra2019.data import simulated_subjects
from psog.benchmarks.etra2019.jobs import NETWORKS
from psog.benchmarks.etra2019.nets import HIGH_CNN, HIGH_MLP, LOW_CNN, LOW_MLP, PaperNet, Whitening
from psog.benchmarks.etra2019.protocol import SCRATCH, SHORT, SOLVED, TUNED, Tuning
from psog.benchmarks.etra2019.splits import (
    GAP_ROWS,
    JUMP_DEG,
    JUMP_ROWS,
    block_split,
    random_split,
)
from psog.benchmarks.etra2019.table import PAPER, print_table
from psog.benchmarks.etra2019.training import LEARNING_RATE, Nadam, Rows, Schedule, train
from psog.errors import PsogError
from psog.headset import load_headset
from psog.metrics import angular_error
from psog.sim.streams import stream

GRID15 = load_headset("grid15")
TINY = replace(
    SHORT,
    samples=1500,
    folds=(4,),
    pretraining=Schedule(2000, 100, 1),
    user=Schedule(200, 50, 2),
    psog_pretraining=Tuning(5, 6e-3),
    psog_tuning=(Tuning(5, 3e-3),),
    psog_scratch=(Tuning(5, 6e-3),),
)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def subject():
    """One user, for 30 s."""
    return simulated_subjects(GRID15, 3600, seed=3)[0]


@pytest.mark.parametrize(
    ("net", "macs", "parameters"),
    [(LOW_MLP, 2340, 2462), (LOW_CNN, 9460, 3006), (HIGH_MLP, 29280, 29666), (HIGH_CNN, 24924, 24714)],
)
def test_networks_cost_what_the_paper_s_do(net, macs, parameters):
    assert (net.macs, net.parameters) == (macs, parameters)
    assert net.initial(2, stream(0, "weights")).shape == (2, parameters)


def test_the_convolutions_are_keras_same_ones_and_together_one_linear_map():
    net = PaperNet(convolutions=2, channels=4, dense=0, width=0)
    random = stream(0, "weights")
    weights = net.initial(1, random) + 0.1
    x = torch.from_numpy(random.standard_normal((7, 15)).astype(np.float32))
    parts = torch.split(weights[0], [9 * 4, 4, 9 * 4 * 4, 4, 60 * 2, 2])
    maps = x.reshape(7, 1, 3, 5)
    for kernel, bias, inputs in ((parts[0], parts[1], 1), (parts[2], parts[3], 4)):
        filters = kernel.reshape(3, 3, inputs, 4).permute(3, 2, 0, 1)
        maps = torch.nn.functional.conv2d(maps, filters, bias, padding="same")
    expected = maps.permute(0, 2, 3, 1).flatten(1) @ parts[4].reshape(60, 2) + parts[5]
    torch.testing.assert_close(net(weights, x[None])[0], expected)

    zero, one, two = (net(weights, factor * x[None]) for factor in (0, 1, 2))
    torch.testing.assert_close(two - one, one - zero)  # no activation anywhere


def test_whitening_leaves_no_correlation_and_unit_variance(subject):
    white = Whitening(subject.readings)(subject.readings)
    np.testing.assert_allclose(np.cov(white.T), np.eye(15), atol=1e-3)
    assert abs(white.mean()) < 1e-4


def test_nadam_is_dozat_s(subject):
    random = stream(1, "nadam")
    start, gradients = random.standard_normal((3, 5)), random.standard_normal((20, 3, 5))
    ours, theirs = torch.from_numpy(start), torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimiser, reference = Nadam(ours), torch.optim.NAdam([theirs], lr=LEARNING_RATE)
    for gradient in torch.from_numpy(gradients):
        optimiser.step(ours, gradient)
        theirs.grad = gradient
        reference.step()
    torch.testing.assert_close(ours, theirs.detach())


def test_training_stops_by_itself_keeps_the_best_weights_and_leaves_frozen_ones_alone():
    random = stream(2, "noise")
    x = [random.standard_normal((n, 15)).astype(np.float32) for n in (60, 50)]
    y = [random.standard_normal((n, 2)).astype(np.float32) for n in (60, 50)]
    rows = Rows.of(x, y)
    check = Rows.of([-one for one in x], y)  # to fit the one is to miss the other
    weights = LOW_CNN.initial(2, random)
    trained = LOW_CNN.mask(dense=True).expand(2, -1)
    made = train(LOW_CNN, weights, trained, (rows, check), schedule=Schedule(20, 3, 500), random=random)
    assert (made.epochs < 500).all() and (made.epochs > 3).all()

    frozen = LOW_CNN.mask(dense=True) == 0
    assert int(frozen.sum()) == 36 + 4 + 3 * (144 + 4)
    assert torch.equal(made.weights[:, frozen], weights[:, frozen])
    assert not torch.equal(made.weights[:, ~frozen], weights[:, ~frozen])


def test_training_has_no_subnormal_numbers_and_gives_them_back_also_after_an_error():
    """The gradient's too: it is asked for in this thread, and computed here."""
    small = torch.tensor([1e-39])
    halves = []

    class Watched(PaperNet):
        def __call__(self, weights, x):
            if weights.requires_grad:
                weights.register_hook(lambda gradient: halves.append(float(small * 0.5)))
            halves.append(float(small * 0.5))
            if len(halves) > 10:
                raise RuntimeError("as if it had diverged")
            return super().__call__(weights, x)

    net, random = Watched(0, 0, 1, 2), stream(2, "noise")
    rows = Rows.of([np.ones((20, 15), np.float32)], [np.ones((20, 2), np.float32)])
    weights = net.initial(1, random)
    with pytest.raises(RuntimeError, match="diverged"):
        train(
            net, weights, torch.ones_like(weights), (rows, rows), schedule=Schedule(20, 9, 9), random=random
        )
    assert len(halves) > 10 and not any(halves)
    assert float(small * 0.5) > 0


def test_the_weights_that_were_best_on_the_check_rows_are_kept():
    random = stream(2, "noise")
    x, y = ([random.standard_normal((60, size)).astype(np.float32)] for size in (15, 2))
    rows = Rows.of(x, y), Rows.of([-x[0]], y)  # to fit the one is to miss the other
    weights = LOW_CNN.initial(1, random)

    def loss(epochs):
        schedule = Schedule(20, 500, epochs)
        everything = torch.ones_like(weights)
        made = train(LOW_CNN, weights, everything, rows, schedule=schedule, random=stream(2, "order"))
        return float((LOW_CNN(made.weights, rows[1].x) - rows[1].y).square().mean())

    assert loss(60) <= min(loss(1), loss(10)) + 1e-3


@pytest.mark.parametrize("split", [random_split, block_split])
def test_parts_are_disjoint_and_of_the_paper_s_shares(subject, split):
    parts = split(subject, stream(0, "split"))
    together = np.concatenate(parts)
    assert len(np.unique(together)) == len(together)
    shares = [len(part) / len(subject) for part in parts]
    np.testing.assert_allclose(shares, (0.24, 0.06, 0.70), atol=0.002 if split is random_split else 0.1)
    other = split(subject, stream(0, "split", 1))
    assert set(parts.train) != set(other.train)


def test_a_random_split_leaks_neighbours_in_time_and_blocks_do_not(subject):
    def rows_to_train(parts):
        """(n,) from each tested row to the nearest trained one."""
        after = np.searchsorted(parts.train, parts.test).clip(1, len(parts.train) - 1)
        near = np.stack([parts.train[after - 1], parts.train[after]])
        return np.abs(near - parts.test).min(axis=0)

    assert np.mean(rows_to_train(random_split(subject, stream(0, "split"))) == 1) > 0.35
    for repetition in range(5):
        parts = block_split(subject, stream(0, "split", repetition))
        assert rows_to_train(parts).min() > GAP_ROWS
        part = np.full(len(subject), -1)
        for k, rows in enumerate(parts):
            part[rows] = k
        known = np.flatnonzero(part >= 0)
        borders = np.flatnonzero(np.diff(part[known]) != 0)
        assert len(borders) > 0
        for border in borders:  # the eye has gone elsewhere in between
            way = subject.gaze_deg[known[border] - JUMP_ROWS : known[border + 1] + JUMP_ROWS]
            assert np.linalg.norm(way[JUMP_ROWS:] - way[:-JUMP_ROWS], axis=1).max() > JUMP_DEG


def test_a_network_of_the_paper_learns_a_simulated_user(subject):
    parts, random = random_split(subject, stream(0, "split")), stream(0, "weights")
    white = Whitening(subject.readings[parts.train])
    fit, check = (Rows.of([white(subject.readings[rows])], [subject.gaze_deg[rows]]) for rows in parts[:2])
    weights = HIGH_CNN.initial(1, random)
    made = train(
        HIGH_CNN,
        weights,
        torch.ones_like(weights),
        (fit, check),
        schedule=Schedule(200, 50, 60),
        random=random,
    )
    x = torch.from_numpy(white(subject.readings[parts.test]))[None]
    true_deg = subject.gaze_deg[parts.test]
    error_deg = angular_error(HIGH_CNN(made.weights, x)[0].numpy(), true_deg).mean()
    mean_deg = angular_error(np.broadcast_to(true_deg.mean(axis=0), true_deg.shape), true_deg).mean()
    assert error_deg < 0.25 * mean_deg


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where `result` kept its parts."""
    return tmp_path_factory.mktemp("etra2019") / "kept.json"


@pytest.fixture(scope="module")
def result(kept, one_thread):
    """What the bench found."""
    return measure(TINY, None, seed=0, workers=1, progress=Console(quiet=True), keep=kept)


def test_the_bench_runs_to_the_end_and_says_what_is_reduced(result):
    assert result["tested"] == ["18", "19", "20"] and len(result["rows"]) == 22
    assert (
        "1 of 6 folds" in result["reduced"]
        and "1,500 of 12,000 rows of a simulated user" in result["reduced"]
    )
    networks = result["networks"]
    ours = [f"psog {kind} {form}" for kind in ("CNN", "MLP") for form in ("int8", "float")]
    assert list(networks) == [*PAPER, *ours] and set(NETWORKS) == set(get_args(NetworkName))
    for name, network in networks.items():
        for split in ("random", "blocks"):
            starts = network["splits"][split]
            assert {TUNED, SCRATCH} < set(starts) and (SOLVED in starts) == name.startswith("psog")
            assert all(figures["mean_deg"] > 0 for figures in starts.values())
    assert networks["low-power CNN"]["paper"][TUNED] == {"mean_deg": 0.703, "sd_deg": 0.147}
    assert all(networks[name]["macs"] <= networks["low-power CNN"]["macs"] == 9460 for name in ours)
    console = Console(width=160, record=True, file=io.StringIO())
    print_table(console, networks)
    text = console.export_text()
    assert text.count("low-power CNN") == 3 and "psog CNN int8 against low-power CNN" in text
    assert "0.703 / 0.668" in text and "of 3 users" in text


def test_a_bench_that_was_stopped_goes_on_and_comes_to_the_same(result, kept, tmp_path):
    content = json.loads(kept.read_text("utf-8"))
    for name in ("low-power MLP, group 4", "high-power MLP, group 4"):
        del content["pieces"][name]  # as if it had been stopped before these two
    stopped = tmp_path / "stopped.json"
    stopped.write_text(json.dumps(content), "utf-8")
    told = Console(record=True, file=io.StringIO())
    again = measure(TINY, None, seed=0, workers=1, progress=told, keep=stopped)
    assert "4 of 6 were done before" in told.export_text()
    assert without_times(again) == without_times(result)
    assert json.loads(stopped.read_text("utf-8"))["pieces"].keys() == content["pieces"].keys() | {
        "low-power MLP, group 4",
        "high-power MLP, group 4",
    }
    with pytest.raises(PsogError, match="of another protocol"):
        measure(TINY, None, seed=1, workers=1, progress=told, keep=stopped)


def test_some_networks_alone_are_judged_and_what_is_left_out_is_said(result, kept):
    found = measure(TINY, None, 0, 1, Console(quiet=True), networks=["low-power MLP"], keep=kept)
    assert "1 of 6 networks" in found["reduced"] and "6 of 6 networks" not in result["reduced"]
    assert found["networks"] == {"low-power MLP": result["networks"]["low-power MLP"]}
    console = Console(width=160, record=True, file=io.StringIO())
    print_table(console, found["networks"])
    assert console.export_text().count("low-power MLP") == 2


def without_times(result):
    """The same, without processor seconds."""
    if isinstance(result, dict):
        return {name: without_times(part) for name, part in result.items() if "cpu_s" not in name}
    return result
