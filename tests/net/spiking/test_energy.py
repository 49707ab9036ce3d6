"""Operations and their energy, by hand."""

import numpy as np
import pytest

from psog.net.spiking.conversion import SpikingConfig, activation_scales, convert
from psog.net.spiking.energy import (
    Operations,
    energy,
    network_operations,
    network_operations_without_zeros,
    spiking_operations,
)
from tests.random_nets import random_net, random_readings


def test_energies_are_those_of_the_table():
    found = energy(Operations(macs=1000, synaptic=2000, updates=500, weight_bits=4))
    assert found.float_nj == pytest.approx(4.6 + 0.9 * (2 + 2 * 0.5))
    assert found.integer_nj == pytest.approx(0.23 + 0.1 * (2 + 2 * 0.5))
    # a byte of weight 2.5 pJ; a membrane of 4 bytes is read and written, 5 pJ each
    assert found.memory_nj == pytest.approx(2.5 * (1 + 2 * 0.5) + 10 * 0.5)
    assert found.loihi_nj == pytest.approx(23.6 * 2 + 81 * 0.5)


@pytest.mark.parametrize("plan", ["valid", "same", "dense"])
def test_operations_of_a_network_are_its_multiplications_without_padding(plan):
    net, _ = random_net(3, plan, pairable=True)
    found = network_operations(convert(net, np.ones(len(net.layers) - 1), SpikingConfig())).macs
    without_head = net.macs - 4 * net.feature_count
    if plan == "same":  # of a 3×5 grid's taps 7 of 9 and 13 of 15 exist
        first, second, dense = (layer.weight.size for layer in net.layers)
        assert found == (first + second) * 7 * 13 / 9 + dense
        assert found < without_head
    else:
        assert found == without_head


def test_what_is_counted_of_spikes_is_a_mean_over_readings():
    net, _ = random_net(3, "dense", pairable=True)
    wire = random_readings(np.random.default_rng(0), net.normalisation, 50)
    spiking = convert(net, activation_scales(net, wire[None, None], np.zeros((1, 50, 2))), SpikingConfig())
    x = net.input(wire)
    whole = spiking.run(x, (8, 32))
    halves = [spiking.run(x[:25], (8, 32)), spiking.run(x[25:], (8, 32))]
    found = spiking_operations(spiking, halves, 50, 8)
    assert found == spiking_operations(spiking, [whole], 50, 8)
    assert [each.updates for each in found] == [8 * 160, 32 * 160]
    assert found[1].macs == net.layers[0].weight.size
    assert found[1].synaptic == pytest.approx((whole.spikes[1] @ [64, 32]) / 50)


def test_a_multiplication_by_zero_is_not_counted_where_zeros_are_left_out():
    net, _ = random_net(3, "valid", pairable=True)
    x = net.input(random_readings(np.random.default_rng(0), net.normalisation, 40))
    spiking = convert(net, np.ones(2), SpikingConfig())
    expected = 0
    for layer in net.layers:
        silent = layer.weight.size if layer.kind == "dense" else 0
        present = np.count_nonzero(x != layer.input.zero_point, axis=(1, 2, 3))
        if silent:
            expected += present.mean() * layer.out_channels
        else:  # the whole of a 3×5 grid's 1×3 windows: columns serve 1, 2, 3, 2 and 1 of them
            columns = np.count_nonzero(x != layer.input.zero_point, axis=(1, 3)).mean(axis=0)
            expected += columns @ [1, 2, 3, 2, 1] * layer.out_channels
        x = layer(x)
    x = net.input(random_readings(np.random.default_rng(0), net.normalisation, 40))
    assert network_operations_without_zeros(net, spiking, x).macs == pytest.approx(expected)
