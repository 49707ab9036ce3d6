"""What a spiking network costs on a microcontroller: all its time steps, counted in QEMU.

The program (programs/spikes.c) is written as one would for a Cortex-M4: event by event, eight outputs' sums
in four registers by SXTAB16, so that a spike takes ten instructions for each eight of its synapses. The first
layer's currents come to it ready: they are computed once, by the kernels of the int8 network.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.errors import ModelError, ToolchainError
from psog.firmware_export.cycles import m4_cycles
from psog.firmware_export.executed import Code, execute, instructions
from psog.firmware_export.toolchain import board_target, build_spikes
from psog.net.arithmetic import Int8, Int32
from psog.net.spiking.network import SpikingLayer, SpikingNet

_GROUP = 8
_MAX_INPUTS = 258
_MAX_NEURONS = 512
_TIME_LIMIT_S = 120.0
"""As of the program."""


@dataclass(frozen=True)
class SpikesMeasured:
    """A spiking network on one board.

    Attributes:
        instructions: (n,) of each reading's time steps.
        cycles: (n,) estimated from them (psog.firmware_export.cycles); None but for a Cortex-M4.
        membranes: (n, features) of the last layer, as the core computed them.
        spikes: (n, spiking layers).
    """

    instructions: NDArray[np.int64]
    cycles: NDArray[np.int64] | None
    membranes: Int32
    spikes: NDArray[np.int64]


def measure_spikes(board: str, net: SpikingNet, x: Int8, timesteps: int) -> SpikesMeasured:
    """Run a spiking network on an emulated board.

    Args:
        x: (n, rows, columns, planes) int8 input.
    Raises:
        ModelError: a network that the program does not run.
        ToolchainError: no such board, compiler or QEMU missing, or it failed.
    """
    _check(net)
    target = board_target(board)
    if not target.machine:
        raise ToolchainError(f"instructions are counted in QEMU, which does not emulate board {board!r}")
    program = build_spikes(board)
    data = b"".join(
        [struct.pack("<3I", len(x), timesteps, len(net.layers)), *_layers(net), _currents(net, x)]
    )
    with tempfile.TemporaryDirectory(prefix="psog-spikes-") as name:
        folder = Path(name)
        (folder / "spikes.in").write_bytes(data)
        status, sections = execute(target, program, folder, _TIME_LIMIT_S, "spikes.in")
        if status != 0:
            raise ToolchainError(f"the measurement of spikes on {board} failed (exit {status})")
        told = np.fromfile(folder / "spikes.out", "<i4").reshape(len(x), -1)
    code = Code(program, target)
    is_m4 = "-mcpu=cortex-m4" in target.target.core
    empty, *runs = sections
    cycles = np.array([m4_cycles(run, code) - m4_cycles(empty, code) for run in runs]) if is_m4 else None
    features, spiking = net.layers[-1].out_channels, len(net.layers) - 1
    return SpikesMeasured(
        np.array([instructions(run) - instructions(empty) for run in runs]),
        cycles,
        told[:, :features].astype(np.int32),
        told[:, -spiking:].astype(np.int64),
    )


def _check(net: SpikingNet) -> None:
    """Raise for what programs/spikes.c has no code for."""
    inputs = [layer.weight.shape[1] for layer in net.layers[1:] if layer.kind == "dense"]
    neurons = sum(_padded(int(np.prod(shape))) for shape in net.shapes()[1:])
    runs = len(inputs) == len(net.layers) - 1 and max(inputs) <= _MAX_INPUTS
    if not runs or neurons > _MAX_NEURONS or net.leak_shift or net.reset != "subtract":
        raise ModelError(
            f"cannot count this spiking network's instructions: it has {neurons} neurons, a leak of "
            f"{net.leak_shift} and reset {net.reset!r}; expected dense layers of at most {_MAX_INPUTS} "
            f"inputs behind the first, at most {_MAX_NEURONS} neurons, no leak, and 'subtract'"
        )


def _padded(neurons: int) -> int:
    return -(-neurons // _GROUP) * _GROUP


def _layers(net: SpikingNet) -> Iterator[bytes]:
    """Each layer as the program reads it."""
    for index, (layer, shape) in enumerate(zip(net.layers, net.shapes()[1:], strict=True)):
        neurons = int(np.prod(shape))
        inputs = 0 if index == 0 else layer.weight.shape[1]
        yield struct.pack("<3I", inputs, _padded(neurons), _padded(neurons))
        silent = np.iinfo(np.int32).max
        threshold = np.zeros(layer.out_channels) if layer.threshold is None else layer.threshold
        # The first layer's bias is part of its current.
        bias = np.zeros_like(layer.bias) if index == 0 else layer.bias
        for values, beyond in ((bias, 0), (threshold, silent), (layer.start, 0)):
            yield _of_neurons(values, neurons, beyond)
        if index:
            yield _rows(layer)


def _of_neurons(values: NDArray[np.generic], neurons: int, beyond: int) -> bytes:
    """Of each channel one value, to each neuron its own, and `beyond` to those that fill up a group."""
    each = np.tile(values.astype("<i4"), neurons // len(values))
    return np.pad(each, (0, _padded(neurons) - neurons), constant_values=beyond).tobytes()


def _rows(layer: SpikingLayer) -> bytes:
    """Of each input the weights to all outputs."""
    return np.pad(layer.weight.T, ((0, 0), (0, _padded(layer.out_channels) - layer.out_channels))).tobytes()


def _currents(net: SpikingNet, x: Int8) -> bytes:
    flat = net.currents(x).reshape(len(x), -1)
    return np.pad(flat, ((0, 0), (0, _padded(flat.shape[1]) - flat.shape[1]))).astype("<i4").tobytes()
