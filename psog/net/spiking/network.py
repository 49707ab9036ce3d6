"""A spiking network in integers, simulated step by step: the specification of every other runtime of it.

Neurons integrate and fire. In every time step a neuron's membrane v takes what arrives, v += w · spikes + b;
where v > threshold it spikes, once, and v -= threshold (soft reset: what is over is not lost). The rate of
spikes over T steps stands for a ReLU's output. The first layer's input does not change while it is looked at,
so its sums flow as a constant current and are computed once. The last layer does not spike: its membranes are
read after T steps, over T (membrane read-out), and hold the features that the head takes.

Source: soft reset and constant input currents, Rueckauer et al., Front. Neurosci. 11:682 (2017); a membrane
that starts at half its threshold, so that rates round to the nearest instead of down, Bu et al., ICLR 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError
from psog.net.arithmetic import Int8, Int32

Bits = NDArray[np.bool_]
"""Spikes of one step, (n, rows, columns, channels)."""

Reset = Literal["subtract", "zero"]

FRACTION_BITS = 4
"""A membrane resolves 2^FRACTION_BITS finer than the weights it sums, so that with weights of 3 bits a bias
is still rounded to less than 1 % of a threshold."""

_ROWS_AT_ONCE = 128  # whose membranes stay in a processor's cache


@dataclass(frozen=True)
class SpikingLayer:
    """A convolution (3×3, stride 1) or dense layer of spiking neurons, or of the membranes that are read.

    Attributes:
        kind, padding: as of psog.net.integer.Layer.
        weight: (out, 3, 3, in) or (out, in) int8, whole steps.
        bias: (out,) int32, added in every step.
        threshold: (out,) int32, positive; None where neurons do not spike.
        fraction_bits: membranes count 2^-fraction_bits weight steps.
        start: (out,) int32 membrane before the first step.
    """

    kind: Literal["conv", "dense"]
    padding: Literal["same", "valid"]
    weight: Int8
    bias: Int32
    threshold: Int32 | None
    fraction_bits: int
    start: Int32

    @property
    def out_channels(self) -> int:
        return int(self.weight.shape[0])

    def output_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """(rows, columns, channels) after this layer."""
        if self.kind == "dense":
            return 1, 1, self.out_channels
        lost = 0 if self.padding == "same" else 2
        return shape[0] - lost, shape[1] - lost, self.out_channels

    def fan_out(self, shape: tuple[int, int, int]) -> NDArray[np.int64]:
        """(rows, columns) how many membranes one spike of an input cell reaches; padding has none."""
        if self.kind == "dense":
            return np.full(shape[:2], self.out_channels, np.int64)
        rows, columns, _ = self.output_shape(shape)
        first = 1 if self.padding == "same" else 0  # of the outputs' offset
        along = [_reached(n, m, first) for n, m in zip(shape[:2], (rows, columns), strict=True)]
        return np.outer(*along) * self.out_channels

    def arriving(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, rows, columns, in) inputs to (n, rows', columns', out) weighted sums, in weight steps.

        Exact: whole numbers below 2^24.
        """
        weight = self.weight.astype(np.float32)
        if self.kind == "dense":
            flat = x.reshape(len(x), -1)
            if flat.shape[1] != weight.shape[1]:
                raise ShapeError(f"dense layer takes {weight.shape[1]} inputs, found {flat.shape[1]}")
            sums: NDArray[np.float32] = (flat @ weight.T)[:, None, None]
            return sums
        if self.padding == "same":
            x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        rows, columns = x.shape[1] - 2, x.shape[2] - 2
        total = np.zeros((len(x), rows, columns, self.out_channels), np.float32)
        for i in range(3):
            for j in range(3):
                total += x[:, i : i + rows, j : j + columns] @ weight[:, i, j].T
        return total

    def current(self, x: NDArray[np.float32]) -> Int32:
        """What `arriving` and the bias add to the membranes in one step."""
        return (self.arriving(x).astype(np.int32) << self.fraction_bits) + self.bias


def _reached(cells: int, outputs: int, first: int) -> NDArray[np.int64]:
    """(cells,) outputs along one axis whose three taps hold the cell."""
    start = np.arange(outputs) - first
    return np.array([np.count_nonzero((start <= k) & (k < start + 3)) for k in range(cells)])


@dataclass(frozen=True)
class Observed:
    """What a run gave, after each of several numbers of steps.

    Attributes:
        timesteps: (k,) these numbers, rising.
        features: (k, n, features) float32, as the membranes tell them.
        spikes: (k, spiking layers) of all n readings together.
        synaptic: (k, layers - 1) membranes that spikes have reached, of each layer but the first.
    """

    timesteps: tuple[int, ...]
    features: NDArray[np.float32]
    spikes: NDArray[np.int64]
    synaptic: NDArray[np.int64]


@dataclass(frozen=True)
class SpikingNet:
    """A spiking network for one user, or for a stranger.

    Attributes:
        input_shape: (rows, columns, planes).
        input_zero: of the int8 input tensor.
        layers: the first takes the input, the last is read.
        spike_values: (spiking layers,) what the activation of a neuron is that spikes in every step.
        feature_unit: (features,) what a unit of a read membrane stands for, over T.
        relu: whether features are cut at zero.
        leak_shift: k of a leak v -= v / 2^k in every step of neurons that spike; 0 is none.
        reset: what a spike does to a membrane: less its threshold, or back to zero (hard reset).
    """

    input_shape: tuple[int, int, int]
    input_zero: int
    layers: tuple[SpikingLayer, ...]
    spike_values: NDArray[np.float64]
    feature_unit: NDArray[np.float64]
    relu: bool
    leak_shift: int = 0
    reset: Reset = "subtract"

    def shapes(self) -> list[tuple[int, int, int]]:
        """(rows, columns, channels) of the input and after each layer."""
        found = [self.input_shape]
        for layer in self.layers:
            found.append(layer.output_shape(found[-1]))
        return found

    def currents(self, x: Int8) -> Int32:
        """(n, rows, columns, planes) int8 input to the first layer's constant currents."""
        return self.layers[0].current(x.astype(np.float32) - self.input_zero)

    def run(self, x: Int8, timesteps: Sequence[int]) -> Observed:
        """Look at readings for as many steps as the last of `timesteps`, and tell of each of them.

        Args:
            x: (n, rows, columns, planes) int8 input, as IntegerNet.input gives it.
            timesteps: rising, from 1.
        """
        asked = tuple(timesteps)
        parts = [self._run(x[k : k + _ROWS_AT_ONCE], asked) for k in range(0, len(x), _ROWS_AT_ONCE)]
        return Observed(
            asked,
            np.concatenate([part.features for part in parts], axis=1),
            np.sum([part.spikes for part in parts], axis=0),
            np.sum([part.synaptic for part in parts], axis=0),
        )

    def _run(self, x: Int8, asked: tuple[int, ...]) -> Observed:
        shapes = self.shapes()
        reach = [layer.fan_out(shape) for layer, shape in zip(self.layers, shapes, strict=False)][1:]
        current = self.currents(x)
        membranes = [
            np.broadcast_to(layer.start, (len(x), *shape)).copy()
            for layer, shape in zip(self.layers, shapes[1:], strict=True)
        ]
        spikes, synaptic = np.zeros(len(reach), np.int64), np.zeros(len(reach), np.int64)
        told = []
        for step in range(1, asked[-1] + 1):
            arriving = current
            for index, reached in enumerate(reach):
                fired = self._fire(index, membranes[index], arriving)
                spikes[index] += np.count_nonzero(fired)
                synaptic[index] += _counted(fired, reached)
                arriving = self.layers[index + 1].current(fired.astype(np.float32))
            membranes[-1] += arriving
            if step in asked:
                told.append((self.features(membranes[-1], step), spikes.copy(), synaptic.copy()))
        return Observed(asked, *(np.stack(part) for part in zip(*told, strict=True)))

    def _fire(self, index: int, membrane: Int32, arriving: Int32) -> Bits:
        """One step of a layer, whose membranes change in place."""
        threshold = self.layers[index].threshold
        assert threshold is not None
        if self.leak_shift:
            membrane -= membrane >> self.leak_shift
        membrane += arriving
        fired: Bits = membrane > threshold
        membrane -= fired * (threshold if self.reset == "subtract" else membrane)
        return fired

    def features(self, membrane: Int32, timesteps: int) -> NDArray[np.float32]:
        """(n, 1, 1, features) membranes of the last layer to (n, features) real features."""
        real = membrane.reshape(len(membrane), -1) * (self.feature_unit / timesteps)
        return (np.maximum(real, 0) if self.relu else real).astype(np.float32)


def _counted(fired: Bits, reached: NDArray[np.int64]) -> int:
    """Membranes that these spikes reach."""
    if (reached == reached[0, 0]).all():
        return int(np.count_nonzero(fired) * reached[0, 0])
    return int((np.count_nonzero(fired, axis=(0, 3)) * reached).sum())
