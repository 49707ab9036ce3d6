"""Energy by operations, of the network and of its spiking form: a comparison, not a measurement.

Source: M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014, table of 45 nm
at 0.9 V: an 8-bit integer addition 0.03 pJ and multiplication 0.2 pJ, a 32-bit integer addition 0.1 pJ, a
float32 addition 0.9 pJ and multiplication 3.7 pJ; 64 bits from an 8 KB memory 10 pJ, from 32 KB 20 pJ.
M. Davies et al., "Loihi: a neuromorphic manycore processor with on-chip learning", IEEE Micro 38(1), 2018,
table 2, of simulations of a 14 nm chip: a synaptic operation 23.6 pJ, the update of an active neuron 81 pJ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from psog.net.arithmetic import Int8
from psog.net.integer import IntegerNet
from psog.net.spiking.network import Observed, SpikingNet

FLOAT_MAC_PJ, FLOAT_ADD_PJ = 4.6, 0.9
INT8_MAC_PJ = 0.23
INT32_ADD_PJ = 0.1
WEIGHT_BYTE_PJ = 20 / 8
"""From 32 KB, about what the shipped models' weights take."""
MEMBRANE_WORD_PJ = 10 / 8 * 4
"""32 bits from 8 KB, where their membranes fit, read or written."""
LOIHI_SYNAPSE_PJ, LOIHI_UPDATE_PJ = 23.6, 81.0
_ADDS_OF_AN_UPDATE = 2  # the bias or current, and the comparison with the threshold


@dataclass(frozen=True)
class Operations:
    """Of one inference up to the features; the float head comes to the same either way and is not counted.

    Attributes:
        macs: multiply-accumulates.
        synaptic: additions of a weight to a membrane, one for each synapse that a spike passes.
        updates: neurons times steps.
        weight_bits: of what `synaptic` adds.
    """

    macs: float
    synaptic: float = 0.0
    updates: float = 0.0
    weight_bits: int = 8


@dataclass(frozen=True)
class Energy:
    """Of these operations, nJ; in 45 nm but for the last.

    Attributes:
        float_nj: all in float32, as published comparisons of spiking networks count them.
        integer_nj: int8 multiplications, 32-bit additions.
        memory_nj: what fetching weights, and reading and writing membranes, adds to `integer_nj`, without
            reuse of what was fetched.
        loihi_nj: of spikes and updates on a chip made for them, without what it takes at rest, what it takes
            to bring readings there and features back, and the first layer's multiplications.
    """

    float_nj: float
    integer_nj: float
    memory_nj: float
    loihi_nj: float


def energy(operations: Operations) -> Energy:
    """What operations take."""
    adds = operations.synaptic + _ADDS_OF_AN_UPDATE * operations.updates
    fetched = operations.macs + operations.synaptic * operations.weight_bits / 8
    return Energy(
        float_nj=(FLOAT_MAC_PJ * operations.macs + FLOAT_ADD_PJ * adds) / 1000,
        integer_nj=(INT8_MAC_PJ * operations.macs + INT32_ADD_PJ * adds) / 1000,
        memory_nj=(WEIGHT_BYTE_PJ * fetched + 2 * MEMBRANE_WORD_PJ * operations.updates) / 1000,
        loihi_nj=(LOIHI_SYNAPSE_PJ * operations.synaptic + LOIHI_UPDATE_PJ * operations.updates) / 1000,
    )


def told(operations: Operations) -> dict[str, float]:
    """Operations and their energy, JSON types."""
    return {key: round(value, 4) for key, value in (asdict(operations) | asdict(energy(operations))).items()}


def network_operations(spiking: SpikingNet) -> Operations:
    """Of the network that does not spike: every multiplication, those of padding not counted."""
    return Operations(float(sum(_synapses(spiking))))


def network_operations_without_zeros(net: IntegerNet, spiking: SpikingNet, x: Int8) -> Operations:
    """Of the same network where a multiplication by an activation of zero is left out, a mean over readings.

    Args:
        x: (n, rows, columns, planes) int8 input.
    """
    macs = 0.0
    for layer, made, shape in zip(net.layers, spiking.layers, spiking.shapes(), strict=False):
        present = (x != layer.input.zero_point).sum(axis=3).mean(axis=0)
        macs += float((present.reshape(shape[:2]) * made.fan_out(shape)).sum())
        x = layer(x)
    return Operations(macs)


def spiking_operations(
    net: SpikingNet, observed: Sequence[Observed], readings: int, weight_bits: int
) -> list[Operations]:
    """After each number of steps, a mean over readings: the first layer once, spikes as they were counted.

    Args:
        observed: of the same numbers of steps, of `readings` readings in all.
    """
    synaptic: NDArray[np.float64] = np.sum([each.synaptic.sum(axis=1) for each in observed], axis=0)
    neurons = sum(int(np.prod(shape)) for shape in net.shapes()[1:])
    first = float(_synapses(net)[0])
    return [
        Operations(first, float(count) / readings, float(neurons * steps), weight_bits)
        for steps, count in zip(observed[0].timesteps, synaptic, strict=True)
    ]


def _synapses(net: SpikingNet) -> list[int]:
    """Of each layer."""
    return [
        int(layer.fan_out(shape).sum()) * shape[2]
        for layer, shape in zip(net.layers, net.shapes(), strict=False)
    ]
