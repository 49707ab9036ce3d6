"""What neurons do in a step, counted by hand or conserved to the last unit."""

from dataclasses import replace

import numpy as np
import pytest

from psog.net.spiking.network import SpikingLayer, SpikingNet

LARGE = 2**30


def dense(weight, threshold, start=0, bias=0):
    weight = np.atleast_2d(np.array(weight, np.int8))
    each = np.ones(len(weight), np.int32)
    return SpikingLayer(
        kind="dense",
        padding="valid",
        weight=weight,
        bias=each * bias,
        threshold=None if threshold is None else each * threshold,
        fraction_bits=0,
        start=each * start,
    )


def network(*layers, input_shape=(1, 1, 1), **other):
    unit = np.ones(layers[-1].out_channels)
    return SpikingNet(input_shape, 0, layers, np.ones(len(layers) - 1), unit, relu=False, **other)


def reading(*values):
    return np.array(values, np.int8).reshape(1, 1, 1, -1)


def test_a_rate_is_the_current_over_the_threshold_and_nothing_is_lost():
    """Current 3, threshold 10: a spike whenever the sum first exceeds another ten, so 29 in a hundred steps
    and the thirtieth, which meets 300 but does not exceed it, in the next."""
    net = network(dense(3, 10), dense(1, None))
    found = net.run(reading(1), (100, 101))
    assert found.spikes[:, 0].tolist() == [29, 30]
    np.testing.assert_allclose(found.features[:, 0, 0], [29 / 100, 30 / 101], rtol=1e-6)


def test_a_neuron_spikes_once_a_step_at_most():
    found = network(dense(100, 10), dense(1, None)).run(reading(1), (7,))
    assert found.spikes.item() == 7 and found.features.item() == 1


def test_a_membrane_that_starts_half_full_rounds_to_the_nearest():
    """Currents of 1 to 9 for one step of threshold 10: those above 5 spike."""
    nets = [network(dense(current, 10, start=5), dense(1, None)) for current in range(1, 10)]
    assert [net.run(reading(1), (1,)).spikes.item() for net in nets] == [0] * 5 + [1] * 4


def test_a_hard_reset_loses_what_is_over():
    """Current 6, threshold 10: softly 5 spikes in 9 steps, else one in every second."""
    net = network(dense(6, 10), dense(1, None))
    assert net.run(reading(1), (9,)).spikes.item() == 5
    assert replace(net, reset="zero").run(reading(1), (9,)).spikes.item() == 4


def test_a_leak_silences_what_is_too_weak():
    """With a leak of a quarter a current of 4 comes to rest near 16."""
    leaky = network(dense(4, 20), dense(1, None), leak_shift=2)
    assert leaky.run(reading(1), (200,)).spikes.item() == 0
    assert replace(leaky, leak_shift=0).run(reading(1), (200,)).spikes.item() == 39


def test_the_read_layer_holds_the_weighted_sum_of_all_spikes_and_biases():
    rng = np.random.default_rng(1)
    first = dense(rng.integers(-90, 90, (12, 5)), 300, start=150)
    read = replace(dense(rng.integers(-90, 90, (3, 12)), None, bias=7), fraction_bits=4)
    net = network(first, read, input_shape=(1, 1, 5))
    x = rng.integers(-100, 100, (6, 1, 1, 5)).astype(np.int8)
    steps = 40
    # Without a leak a neuron has spiked whatever its inputs sum up to, less what is still in its membrane.
    current = x.reshape(6, 5).astype(np.int64) @ first.weight.T
    spikes, membrane = np.zeros((6, 12), np.int64), np.full((6, 12), 150)
    for _ in range(steps):
        membrane = membrane + current
        fired = membrane > 300
        spikes, membrane = spikes + fired, membrane - 300 * fired
    expected = (spikes @ read.weight.T.astype(np.int64) * 16 + 7 * steps) / steps
    found = net.run(x, (steps,))
    np.testing.assert_allclose(found.features[0], expected, rtol=1e-6)
    assert found.spikes.item() == spikes.sum()
    assert found.synaptic.item() == 3 * spikes.sum()


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_spike_reaches_as_many_membranes_as_a_convolution_has_taps_there(padding):
    layer = SpikingLayer(
        "conv", padding, np.ones((2, 3, 3, 1), np.int8), np.zeros(2, np.int32), None, 0, np.zeros(2, np.int32)
    )
    shape = (4, 5, 1)
    reached = np.zeros(shape[:2], int)
    for row in range(4):
        for column in range(5):
            x = np.zeros((1, *shape), np.float32)
            x[0, row, column] = 1
            reached[row, column] = np.count_nonzero(layer.arriving(x))
    np.testing.assert_array_equal(layer.fan_out(shape), reached)


def test_readings_do_not_depend_on_how_many_are_run_together():
    rng = np.random.default_rng(2)
    net = network(
        dense(rng.integers(-90, 90, (9, 4)), 200), dense(np.eye(9) * 50, None), input_shape=(1, 1, 4)
    )
    x = rng.integers(-100, 100, (300, 1, 1, 4)).astype(np.int8)
    whole, part = net.run(x, (3, 9)), net.run(x[200:], (3, 9))
    np.testing.assert_array_equal(whole.features[:, 200:], part.features)
