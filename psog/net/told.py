"""The user embedding as a device computes it: int8 samples in, int32 biases out. docs/SPEC.md has the bits.

Every sum is taken in float32 in the order told there, with a rounding after each product and each addition,
so that host and device find the same numbers and the same biases to the bit. psog.net.embedding trains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError
from psog.net.arithmetic import DeviceLayer, Int8, Int32
from psog.net.ridge import GAZE_OUTPUTS, GAZE_UNIT_DEG

Float32 = NDArray[np.float32]

STATISTICS = 1 + GAZE_OUTPUTS
"""Of each sensor: its mean, and its covariance with each target angle."""

SAMPLES_PER_TARGET = 4
"""Readings that a device keeps. On simulated wearers four did as well as all 300 of a target
(docs/calibration.md), and training sees as many in all."""

LARGEST_NUMBER = 65_536.0
"""Trained numbers are of order one. Up to here no product with a shift leaves what float32 holds."""

LARGEST_TOLD_BIAS = 2**30
"""In steps of the accumulator, before the layer's left shift: leaves as much again for the products."""


def kept(wire: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(k, sensors) what a device keeps of one target's (n, sensors) readings, n >= 1.

    One in the middle of each of SAMPLES_PER_TARGET equal stretches; all where there are no more.
    """
    n = len(wire)
    so_far = (np.arange(n + 1) * SAMPLES_PER_TARGET + n // 2) // n
    return wire[np.diff(so_far) > 0]


def statistics(centred: Int32, target_deg: NDArray[np.floating]) -> Float32:
    """(sensors, STATISTICS) what a calibration says of each sensor.

    Args:
        centred: (n, sensors) int8 inputs less their zero point; n >= 1.
        target_deg: (n, 2); the angles count in units of GAZE_UNIT_DEG.
    """
    n = np.float32(len(centred))
    target = target_deg.astype(np.float32) / np.float32(GAZE_UNIT_DEG)
    away = target - in_order(target) / n
    mean = centred.sum(axis=0).astype(np.float32) / n
    products = centred.astype(np.float32)[:, :, None] * away[:, None, :]
    return np.concatenate([mean[:, None], in_order(products) / n], axis=1)


def in_order(terms: Float32) -> Float32:
    """The sum over the first axis, one term after the other."""
    total: Float32 = np.cumsum(terms, axis=0, dtype=np.float32)[-1]
    return total


@dataclass(frozen=True)
class DeviceEmbedding:
    """How a device finds a user's Z numbers, and what they do to its biases.

    Attributes:
        weight: (sensors, STATISTICS, Z) float32, for statistics of inputs in int8 steps.
        bias: (Z,) float32.
        scales: of each layer (out,) float32, steps of the accumulator for one step of a shift.
        shifts: of each layer (out, Z) int8.
    """

    weight: Float32
    bias: Float32
    scales: tuple[Float32, ...]
    shifts: tuple[Int8, ...]

    @property
    def count(self) -> int:
        return len(self.bias)

    @property
    def device_bytes(self) -> int:
        """Of a device image."""
        floats = self.weight.size + self.bias.size + sum(scale.size for scale in self.scales)
        return 4 * floats + sum(shift.size for shift in self.shifts)

    def numbers(self, centred: Int32, target_deg: NDArray[np.floating]) -> Float32:
        """(Z,) of a user from calibration samples, as `statistics` takes them.

        Raises:
            ShapeError: the two do not belong together, there is no sample, or a number is out of range.
        """
        n, sensors = len(centred), len(self.weight)
        if n < 1 or centred.shape != (n, sensors) or target_deg.shape != (n, GAZE_OUTPUTS):
            raise ShapeError(
                f"cannot tell a user from inputs {centred.shape} and targets {target_deg.shape}; expected "
                f"(n, {sensors}) and (n, 2) with n at least 1"
            )
        found = statistics(centred, target_deg)
        terms = (self.weight * found[..., None]).reshape(-1, self.count)
        numbers = in_order(np.concatenate([self.bias[None], terms]))
        if not (np.abs(numbers) <= LARGEST_NUMBER).all():
            raise ShapeError(
                f"cannot tell a user: numbers up to {np.abs(numbers).max():g}, at most {LARGEST_NUMBER:g} "
                "expected; train the embedding again"
            )
        return numbers

    def biases(self, layers: Sequence[DeviceLayer], numbers: Float32) -> list[Int32]:
        """Of each layer (out,) the biases for a user."""
        told = []
        for layer, scale, shift in zip(layers, self.scales, self.shifts, strict=True):
            steps = scale * in_order((shift.astype(np.float32) * numbers).T)
            steps = np.clip(steps, -LARGEST_TOLD_BIAS, LARGEST_TOLD_BIAS)
            rounded = np.trunc(steps + np.copysign(np.float32(0.5), steps)).astype(np.int64)
            limit = told_bias_limit(layer)
            told.append(np.clip(layer.bias + rounded, -limit, limit).astype(np.int32))
        return told


def told_bias_limit(layer: DeviceLayer) -> Int32:
    """(out,) as far as a user's numbers may bring a bias: never so far that a sum overflows."""
    return LARGEST_TOLD_BIAS >> np.maximum(layer.shift, 0)
