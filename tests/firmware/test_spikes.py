"""A spiking network on an emulated Cortex-M4: what it computes there, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from psog.errors import ModelError, ToolchainError
from psog.firmware_export.spikes import measure_spikes
from psog.firmware_export.toolchain import available_boards
from psog.net.spiking.conversion import SpikingConfig, activation_scales, convert
from tests.random_nets import random_net, random_readings

BOARD = "mps2-an386"
needs_board = pytest.mark.skipif(BOARD not in available_boards(), reason="no cross compiler or no QEMU")


def converted(plan, **config):
    net, _ = random_net(3, plan, pairable=True)
    wire = random_readings(np.random.default_rng(0), net.normalisation, 200)
    scales = activation_scales(net, wire[None, None], np.zeros((1, 200, 2)))
    return convert(net, scales, SpikingConfig(**config)), net.input(wire[:3])


@needs_board
@pytest.mark.parametrize("plan", ["valid", "dense"])
def test_membranes_and_spikes_are_those_of_the_simulation_to_the_bit(plan):
    spiking, x = converted(plan, weight_bits=6)
    found, expected = measure_spikes(BOARD, spiking, x, 20), spiking.run(x, (20,))
    np.testing.assert_array_equal(found.spikes.sum(axis=0), expected.spikes[0])
    np.testing.assert_array_equal(spiking.features(found.membranes, 20), expected.features[0])


@needs_board
def test_instructions_are_at_least_ten_for_a_spike_and_eight_synapses():
    spiking, x = converted("dense")
    few, many = (measure_spikes(BOARD, spiking, x, steps) for steps in (10, 20))
    assert (few.instructions < many.instructions).all()
    synaptic = many.spikes @ [64, 32]
    assert (many.instructions > 10 / 8 * synaptic).all()
    assert many.cycles is not None and (many.cycles > many.instructions).all()


@pytest.mark.parametrize(
    ("plan", "changed"),
    [("same", {}), ("dense", {"leak_shift": 4}), ("dense", {"reset": "zero"})],
)
def test_what_the_program_has_no_code_for_is_refused(plan, changed):
    spiking, x = converted(plan)
    with pytest.raises(ModelError, match="expected dense layers"):
        measure_spikes(BOARD, replace(spiking, **changed), x, 4)


def test_the_host_counts_no_instructions():
    spiking, x = converted("dense")
    with pytest.raises(ToolchainError, match="does not emulate board 'host'"):
        measure_spikes("host", spiking, x, 4)
