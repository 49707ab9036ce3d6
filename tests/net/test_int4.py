"""Weights of four bits: what they are, how they are rounded, and that training and conversion keep them."""

import numpy as np
import pytest
import torch

from psog.net.convert import from_integer, to_integer
from psog.net.int4 import int4_factors, nearest_int4
from psog.net.int4_rounding import large_layers, to_int4, to_nearest
from psog.net.int4_tuning import tuned, tuning_config
from psog.net.store import Model
from tests.net.conftest import toy_episodes


def readings(headset, seed):
    return headset.to_wire(toy_episodes("ring16", 60, seed).readings.reshape(-1, headset.sensor_count))


def test_four_bits_hold_multiples_of_a_factor_of_each_output_and_nothing_else():
    weight = np.array([[-16, 14, 2], [7, 0, -7], [0, 0, 0]], np.int8)
    np.testing.assert_array_equal(int4_factors(weight), [2, 7, 1])
    assert int4_factors(np.array([[8, 1]], np.int8)) is None
    assert int4_factors(np.array([[-9, 1]], np.int8)) is None


def test_training_rounds_to_weights_that_four_bits_hold_and_leaves_those_alone():
    weight = torch.randn(20, 50, generator=torch.Generator().manual_seed(1)) * 30
    rounded = nearest_int4(weight.clamp(-127, 127))
    assert int4_factors(rounded.numpy().astype(np.int8)) is not None
    assert torch.equal(nearest_int4(rounded), rounded)
    assert (rounded - weight).abs().mean() < 0.2 * weight.abs().mean()


@pytest.mark.parametrize("most", range(1, 8))
def test_weights_that_four_bits_hold_stay_whatever_multiple_the_largest_is(most):
    multiples = torch.randint(-most, most + 1, (20, 50), generator=torch.Generator().manual_seed(most))
    multiples[:, 0] = most
    held = (multiples * 11).float()
    assert torch.equal(nearest_int4(held), held)
    assert torch.equal(nearest_int4(held * (1 + 1e-6)), held)


def test_large_layers_are_dense_ones_with_a_quarter_of_the_weights(trained):
    net, _ = trained
    sizes = [layer.weight.size for layer in net.layers]
    assert large_layers(net) == [k for k in range(1, len(sizes)) if sizes[k] >= sum(sizes) / 4]


def test_weights_rounded_together_change_what_a_layer_gives_less_than_each_by_itself(trained, ring16):
    net, _ = trained
    layers = large_layers(net)
    seen, other = readings(ring16, 7), readings(ring16, 8)
    changed = [
        np.abs(made.features(made.input(other)).astype(float) - net.features(net.input(other))).mean()
        for made in (to_int4(net, layers, seen), to_nearest(net, layers))
    ]
    assert changed[0] < 0.8 * changed[1]


@pytest.mark.parametrize("way", ["together", "nearest"])
def test_only_the_named_layers_are_rounded_and_a_conversion_keeps_every_integer(trained, ring16, way):
    net, _ = trained
    layers = large_layers(net)
    made = to_int4(net, layers, readings(ring16, 7)) if way == "together" else to_nearest(net, layers)
    again = to_integer(from_integer(made))
    for index, (layer, after) in enumerate(zip(made.layers, again.layers, strict=True)):
        assert (int4_factors(layer.weight) is not None) == (index in layers)
        np.testing.assert_array_equal(layer.weight, after.weight)


@pytest.mark.usefixtures("one_thread")
def test_a_network_that_is_trained_on_keeps_four_bits(trained, ring16):
    net, report = trained
    layers = large_layers(net)
    config = tuning_config(steps=10, seed=1, learning_rate=1e-2)
    made, told = tuned(
        Model(net, report), toy_episodes("ring16", 30, 3), ring16, config=config, layers=layers
    )
    source = to_nearest(net, layers)
    for index in layers:
        assert int4_factors(made.layers[index].weight) is not None
        assert (made.layers[index].weight != source.layers[index].weight).any()
    assert told["training"]["steps_done"] == 10
