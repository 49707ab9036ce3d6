"""What pruning promises: how much stays, which weights, and zeros that stay zero up to the device's file."""

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema

from psog.errors import ModelError
from psog.firmware_export.tflite import write_tflite
from psog.net.architecture import Architecture, Convolution, deep, standard
from psog.net.loop import TrainingConfig
from psog.net.normalise import fit_normalisation
from psog.net.patterns import DATA_POOL, ENTRIES, POOL_NAMES, TAPS, best_masks, fixed_pool, most_frequent
from psog.net.pruned import NO_PATTERN, patterns_of
from psog.net.pruning import Pruner, Pruning, hold, prunable_layers, shrink, to_kernels
from psog.net.qat import build
from psog.net.store import MODEL, load_model, save_model
from psog.net.training import train
from tests.net.conftest import toy_episodes

KERNELS = 8 * 12
SMALL_DEEP = Architecture((Convolution(8), Convolution(12, "same")), (16,), features=8)
QUARTER = TrainingConfig(steps=80, seed=5, architecture=SMALL_DEEP, pruning=Pruning(keep=0.25))


@pytest.fixture(scope="module")
def episodes():
    return toy_episodes("ring16", 30, 1)


@pytest.fixture(scope="module")
def pruned(episodes, ring16):
    return train(episodes, ring16, QUARTER)


def kernels_of(net):
    """(out · in, 9) int8 weights of the convolution that is pruned."""
    return net.layers[1].weight.reshape(12, TAPS, 8).transpose(0, 2, 1).reshape(-1, TAPS)


def fresh(ring16):
    normalisation = fit_normalisation(np.random.default_rng(0).uniform(1e4, 5e4, (100, 16)))
    return build(SMALL_DEEP, ring16, normalisation, seed=1)


def with_gradients(net, seed):
    generator = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    return net


@pytest.mark.parametrize("keep", [0.01, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("patterns", POOL_NAMES)
def test_exactly_so_many_kernels_stay_each_with_a_pattern_of_the_pool(ring16, keep, patterns):
    net = with_gradients(fresh(ring16), 2)
    Pruner(net, Pruning(keep, patterns)).before_update(0.9)
    masks = to_kernels(prunable_layers(net)[0].mask).flatten(0, 1)
    stays = masks.any(dim=1)
    assert int(stays.sum()) == max(1, round(keep * KERNELS))
    chosen = {tuple(np.flatnonzero(mask)) for mask in masks[stays].numpy()}
    assert all(len(pattern) == ENTRIES for pattern in chosen)
    assert chosen <= set(fixed_pool(patterns)) or (patterns == "data" and len(chosen) <= DATA_POOL)


def test_the_kernels_that_matter_least_go_and_each_other_keeps_its_best_pattern(ring16):
    net = with_gradients(fresh(ring16), 3)
    layer = prunable_layers(net)[0]
    importance = to_kernels((layer.weight * layer.weight.grad).square().detach()).flatten(0, 1)
    Pruner(net, Pruning(0.5, "12")).before_update(0.9)
    masks = to_kernels(layer.mask).flatten(0, 1)
    stays = masks.any(dim=1)
    assert importance[stays].sum(dim=1).min() >= importance[~stays].sum(dim=1).max()
    for kernel, mask in zip(importance[stays], masks[stays], strict=True):
        sums = [float(kernel[list(pattern)].sum()) for pattern in fixed_pool("12")]
        assert float((kernel * mask).sum()) == pytest.approx(max(sums))


def test_the_pools_follow_their_rule():
    def grid(pattern):
        cells = np.zeros(TAPS, bool)
        cells[list(pattern)] = True
        return cells.reshape(3, 3)

    def connected(cells):
        seen = np.zeros((5, 5), bool)
        seen[2, 2] = cells[1, 1]
        for _ in range(4):
            near = (
                seen | np.roll(seen, 1, 0) | np.roll(seen, -1, 0) | np.roll(seen, 1, 1) | np.roll(seen, -1, 1)
            )
            seen = near & np.pad(cells, 1)
        return seen.sum() == cells.sum()

    def symmetric(cells):
        return any(
            np.array_equal(cells, m) for m in (cells.T, cells[::-1], cells[:, ::-1], cells[::-1, ::-1].T)
        )

    every = [p for p in combinations(range(TAPS), ENTRIES) if 4 in p]
    twelve = {p for p in every if connected(grid(p)) and symmetric(grid(p))}
    assert set(fixed_pool("12")) == twelve and len(twelve) == 12
    assert set(fixed_pool("8")) == {p for p in twelve if len({1, 3, 5, 7} & set(p)) >= 2}
    assert set(fixed_pool("4")) == {
        p for p in twelve if np.ptp([t // 3 for t in p]) == np.ptp([t % 3 for t in p]) == 1
    }


def test_the_pool_of_the_data_has_the_patterns_that_are_best_most_often():
    importance = torch.rand(90, TAPS, generator=torch.Generator().manual_seed(0))
    row, column = [0, 1, 2, 5], [0, 3, 6, 8]
    importance[:40, row] += 10
    importance[40:70, column] += 10
    pool = most_frequent(importance)
    assert {tuple(row), tuple(column)} <= set(pool) and len(set(pool)) == DATA_POOL
    assert torch.equal(best_masks(importance[:1], pool)[0].nonzero().flatten(), torch.tensor(row))


def test_the_group_lasso_shrinks_what_is_to_go_and_nothing_else(ring16):
    net = with_gradients(fresh(ring16), 4)
    layer = prunable_layers(net)[0]
    pruner = Pruner(net, Pruning(0.25, "4", select_at=0.1, remove_at=0.5))
    pruner.before_update(0.2)
    before = layer.weight.detach().clone()
    pruner.after_update(0.02)
    after = layer.weight.detach()
    kept = layer.mask == 1
    assert torch.equal(after[kept], before[kept])
    outside = to_kernels(1 - layer.mask)
    norms = [(to_kernels(w) * outside).norm(dim=-1) for w in (before, after)]
    fall = Pruning().lasso * 0.02 * outside.sum(dim=-1).sqrt()
    torch.testing.assert_close(norms[1], (norms[0] - fall).clamp(min=0), atol=1e-6, rtol=1e-5)
    with torch.no_grad():
        shrink(layer, 10.0)
    assert not layer.weight[~kept].any() and layer.weight[kept].all()


def test_no_weight_that_was_removed_comes_back(pruned):
    net, report = pruned
    kernels = kernels_of(net)
    stays = kernels.any(axis=1)
    assert stays.sum() <= KERNELS // 4
    assert stays.sum() > KERNELS // 8  # rounding to int8 takes few kernels whole
    chosen = patterns_of(net.layers[1].weight, fixed_pool("4"))
    assert ((chosen.ravel() != NO_PATTERN) == stays).all()
    assert report["pruning"]["layers"][0]["kernels_kept"] == KERNELS // 4
    assert np.count_nonzero(net.layers[0].weight) > 60  # the convolution of one input channel stays whole


def test_removed_weights_are_zero_in_the_model_folder_and_in_the_tflite_file(pruned, ring16, tmp_path):
    net, report = pruned
    save_model(tmp_path / "model", net, report)
    loaded = load_model(tmp_path / "model")
    graph = schema.ModelT.InitFromPackedBuf(write_tflite(loaded.net, ring16), 0)
    tensor = next(t for t in graph.subgraphs[0].tensors if t.name == b"layer1_conv_weight")
    weight = np.frombuffer(bytes(graph.buffers[tensor.buffer].data), np.int8).reshape(tensor.shape)
    assert not np.any(tensor.quantization.zeroPoint)
    assert ((weight == 0) == (net.layers[1].weight == 0)).all()
    assert (weight == 0).sum() >= weight.size - KERNELS // 4 * ENTRIES
    assert json.loads((tmp_path / "model" / MODEL).read_text())["pruning"] == report["pruning"]
    assert loaded.report["pruning"] == report["pruning"]


def test_the_report_counts_what_is_left(pruned):
    net, report = pruned
    first, second = 9 * 8 * 16, 9 * 8 * 12 * 16  # 2×8 cells
    told = report["pruning"]
    assert told["pool"] == [list(pattern) for pattern in fixed_pool("4")]
    assert told["layers"] == [
        {
            "layer": 1,
            "kernels": 96,
            "kernels_kept": 24,
            "weights_kept": 96,
            "macs": second,
            "macs_effective": second // 9,
        }
    ]
    assert told["macs"] == first + second and told["macs_effective"] == first + second // 9
    assert net.macs - told["network_macs_effective"] == second - second // 9


def test_pruning_depends_on_data_config_and_seed_alone(pruned, episodes, ring16):
    again, _ = train(episodes, ring16, QUARTER)
    np.testing.assert_array_equal(kernels_of(again), kernels_of(pruned[0]))
    other, _ = train(episodes, ring16, replace(QUARTER, seed=6))
    assert ((kernels_of(other) == 0) != (kernels_of(pruned[0]) == 0)).any()


def test_a_run_that_goes_on_from_a_networks_state_keeps_its_masks(ring16):
    plan = Pruning(0.25, "8", select_at=0.1, remove_at=0.5)
    begun = with_gradients(fresh(ring16), 2)
    Pruner(begun, plan).before_update(0.2)
    resumed = fresh(ring16)
    resumed.load_state_dict(begun.state_dict())
    pruner = Pruner(with_gradients(resumed, 9), plan)
    pruner.before_update(0.6)
    pruner.after_update(1e-3)
    expected, layer = prunable_layers(begun)[0].mask, prunable_layers(resumed)[0]
    assert torch.equal(layer.mask, expected)
    assert torch.equal(layer.weight != 0, expected == 1)
    assert not layer.weight.grad[expected == 0].any()


def test_masks_that_a_network_brings_are_held_in_a_run_without_a_plan(ring16):
    net = fresh(ring16)
    layer = prunable_layers(net)[0]
    mask = (torch.rand(layer.mask.shape, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    hold(layer, mask)
    pruner = Pruner(with_gradients(net, 1), None)
    pruner.before_update(0.0)
    assert torch.equal(layer.weight.grad != 0, mask == 1)
    with torch.no_grad():
        layer.weight.add_(1.0)
    pruner.after_update(1e-3)
    assert torch.equal(layer.weight != 0, mask == 1)


def test_a_run_of_one_step_is_pruned_too(episodes, ring16):
    net, _ = train(episodes, ring16, replace(QUARTER, steps=1))
    assert 0 < kernels_of(net).any(axis=1).sum() <= KERNELS // 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": 0.0}, "keeps a share of 0 of the kernels; expected above 0 and at most 1"),
        ({"keep": 1.5}, "keeps a share of 1.5"),
        ({"keep": float("nan")}, "keeps a share of nan"),
        ({"patterns": "5"}, "no pool of patterns '5'; expected one of 4, 8, 12, data"),
        ({"select_at": 0.4, "remove_at": 0.2}, "selects at 0.4 and removes at 0.2"),
        ({"lasso": -1.0}, "strength of the group lasso is -1"),
    ],
)
def test_pruning_that_cannot_be_is_refused(options, message):
    with pytest.raises(ModelError, match=message):
        Pruning(**options)


def test_a_network_without_kernels_to_remove_is_refused(ring16, episodes):
    for architecture in (standard(ring16), None):
        with pytest.raises(
            ModelError, match=r"no convolution of more than one input channel; .*\(--network deep\)"
        ):
            train(episodes, ring16, TrainingConfig(steps=5, pruning=Pruning(), architecture=architecture))
    assert deep(ring16).map_shape((4, 10)) == (2, 8, 16)
    with pytest.raises(ModelError, match=r"expected between 0\.02 .* and 0\.6"):
        TrainingConfig(steps=5, pruning=Pruning(remove_at=0.7))


def test_kernels_of_other_patterns_are_refused(pruned):
    with pytest.raises(ModelError, match="has weights outside every pattern of the pool"):
        patterns_of(pruned[0].layers[1].weight, ((0, 1, 2, 3),))
