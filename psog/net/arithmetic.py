"""Integer arithmetic of a layer: TFLite's int8 with double rounding, as in TFLite Micro's reference kernels.

A 32-bit accumulator is multiplied by a 31-bit fixed-point multiplier with rounding, then shifted right with
rounding. The TFLite Micro interpreter and the C runtime give the same bits (tests/test_bit_exactness.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError

Int8 = NDArray[np.int8]
Int32 = NDArray[np.int32]

_LARGEST_BIAS = 2**30  # leaves the 32-bit accumulator as much again for the products


def to_bias(steps: NDArray[np.floating]) -> Int32:
    """Biases in steps of the accumulator, rounded and kept where sums cannot overflow."""
    bias: Int32 = np.clip(np.rint(steps), -_LARGEST_BIAS, _LARGEST_BIAS).astype(np.int32)
    return bias


@dataclass(frozen=True)
class DeviceLayer:
    """A layer as a device holds and computes it: integers alone, no scales.

    Attributes:
        kind, padding, weight, bias: as in Layer.
        input_zero, output_zero: zero points, −128 … 127.
        low, high: smallest and largest output.
        multiplier: (out,) int32, 2^30 … 2^31 − 1, or 0.
        shift: (out,) int32, negative: right; the output is the sum · multiplier · 2^(shift − 31).
    """

    kind: Literal["conv", "dense"]
    padding: Literal["same", "valid"]
    weight: Int8
    bias: Int32
    input_zero: int
    output_zero: int
    low: int
    high: int
    multiplier: Int32
    shift: Int32

    @property
    def out_channels(self) -> int:
        return int(self.weight.shape[0])

    @property
    def fits_32_bits(self) -> bool:
        """Whether no input can overflow a 32-bit accumulator, left shift included."""
        farthest = max(127 - self.input_zero, self.input_zero + 128)
        weights = np.abs(self.weight.astype(np.int64)).reshape(self.out_channels, -1).sum(axis=1)
        largest = weights * farthest + np.abs(self.bias.astype(np.int64))
        return bool((largest << np.maximum(self.shift, 0) < 1 << 31).all())

    def __call__(self, x: Int8) -> Int8:
        """(n, rows, columns, channels) int8 to the same after the layer."""
        scaled = multiply_by_quantized_multiplier(self.sums(x), self.multiplier, self.shift)
        return np.clip(scaled + self.output_zero, self.low, self.high).astype(np.int8)

    def sums(self, x: Int8) -> NDArray[np.int64]:
        """The accumulators, (n, rows, columns, channels) of the output: products and bias."""
        # Sums of int8 products stay far below 2^53, so float64 is exact, and it has fast products.
        return self.products(x.astype(np.float64) - self.input_zero).astype(np.int64) + self.bias

    def products(self, centred: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums without bias, of inputs less their zero point; outside a padded input these are 0."""
        return self._multiply(centred) if self.kind == "dense" else self._convolve(centred)

    def _multiply(self, centred: NDArray[np.float64]) -> NDArray[np.float64]:
        flat = centred.reshape(len(centred), -1)
        if flat.shape[1] != self.weight.shape[1]:
            raise ShapeError(f"dense layer takes {self.weight.shape[1]} inputs, found {flat.shape[1]}")
        sums: NDArray[np.float64] = (flat @ self.weight.astype(np.float64).T)[:, None, None, :]
        return sums

    def _convolve(self, centred: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.padding == "same":
            centred = np.pad(centred, ((0, 0), (1, 1), (1, 1), (0, 0)))
        _, rows, columns, _ = centred.shape
        total = np.zeros((len(centred), rows - 2, columns - 2, self.out_channels))
        for i in range(3):
            for j in range(3):
                taps = self.weight[:, i, j, :].astype(np.float64).T
                total += centred[:, i : i + rows - 2, j : j + columns - 2] @ taps
        return total


def quantize_multiplier(real: float) -> tuple[int, int]:
    """A positive real as m · 2^(shift − 31), m in [2^30, 2^31): TFLite's QuantizeMultiplier."""
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def multiply_by_quantized_multiplier(
    x: NDArray[np.int64], multiplier: Int32, shift: Int32
) -> NDArray[np.int64]:
    """x · multiplier · 2^(shift − 31) with TFLite's two roundings; last axis of x matches the other two.

    Source: TFLite Micro reference kernels: SaturatingRoundingDoublingHighMul, then RoundingDivideByPOT.
    """
    left = np.maximum(shift, 0).astype(np.int64)
    right = np.maximum(-shift, 0).astype(np.int64)
    product = (x << left) * multiplier.astype(np.int64)
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    high = np.where(nudged >= 0, nudged >> 31, -((-nudged) >> 31))  # C++ division truncates
    mask = (np.int64(1) << right) - 1
    threshold = (mask >> 1) + (high < 0)
    rounded: NDArray[np.int64] = (high >> right) + ((high & mask) > threshold)
    return rounded
