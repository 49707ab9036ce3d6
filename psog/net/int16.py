"""Activations of 16 bits beside weights of 8, as TFLite's 16x8 computes them: to see what they would gain.

No image and no kernel has them; docs/precision.md says why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.net.arithmetic import Int32, quantize_multiplier
from psog.net.integer import RESIDUAL_BITS, Float32, IntegerNet, Layer, Normalisation

Int16 = NDArray[np.int16]

_HIGHEST = 32_767
_FINER_BITS = 8
"""By so many an input of 16 bits is finer than one of 8."""
_REDUCED_BITS = 16
"""Of a multiplier of 31 bits that 16x8 leaves out: its accumulator has 64 bits."""


def int16_features(net: IntegerNet) -> NormalisedFeatures:
    """Features of the same weights with activations of 16 bits; ranges are those of the int8 network."""
    scale, layers = float(net.input_quantization.scale) * 2.0**-_FINER_BITS, []
    for layer in net.layers:
        layers.append(_Layer16.of(layer, scale))
        scale = layers[-1].scale
    return NormalisedFeatures(net, tuple(layers))


@dataclass(frozen=True)
class NormalisedFeatures:
    """(n, sensors) wire readings to (n, features) real features, through layers of 16 bits."""

    net: IntegerNet
    layers: tuple[_Layer16, ...]

    def __call__(self, wire: NDArray[np.uint16]) -> Float32:
        x = fine_inputs(self.net.normalisation, wire)[:, self.net.layout]
        for layer in self.layers:
            x = layer(x)
        real: Float32 = np.float32(self.layers[-1].scale) * x.reshape(len(x), -1).astype(np.float32)
        return real


def fine_inputs(normalisation: Normalisation, wire: NDArray[np.uint16]) -> Int16:
    """(n, sensors) readings to (n, sensors, planes) int16, in steps of 1/256 of the int8 ones.

    Of two planes the first is the int8 one, and the second what that leaves, not rounded to eighths.
    """
    product = (wire.astype(np.int64) - normalisation.offset) * normalisation.multiplier
    if normalisation.planes == 1:
        return _int16(_shifted(product, normalisation.shift - _FINER_BITS))[..., None]
    coarse = normalisation(wire)[..., 0].astype(np.int64)
    fine = _shifted(product, normalisation.shift - RESIDUAL_BITS - _FINER_BITS)
    residual = fine - (coarse << (RESIDUAL_BITS + _FINER_BITS))
    return np.stack([_int16(coarse << _FINER_BITS), _int16(residual)], axis=-1)


@dataclass(frozen=True)
class _Layer16:
    """An int8 layer whose input and output have 16 bits and zero point 0.

    Attributes:
        bias: (out,) int64, in steps of the input's scale and the weights'.
        multiplier, shift: (out,) as in DeviceLayer.
        scale: of the output.
    """

    layer: Layer
    bias: NDArray[np.int64]
    multiplier: Int32
    shift: Int32
    scale: float

    @classmethod
    def of(cls, layer: Layer, scale_in: float) -> _Layer16:
        output = layer.output
        reach = max(127 - output.zero_point, output.zero_point + 128)
        scale = float(output.scale) * reach / _HIGHEST
        weights = np.broadcast_to(layer.weight_scale, (layer.out_channels,)).astype(np.float64)
        pairs = np.array([quantize_multiplier(scale_in * float(weight) / scale) for weight in weights])
        bias = np.rint(layer.bias * (float(layer.input.scale) / scale_in)).astype(np.int64)
        return cls(layer, bias, pairs[:, 0].astype(np.int32), pairs[:, 1].astype(np.int32), scale)

    def __call__(self, x: Int16) -> Int16:
        """(n, rows, columns, channels) to the same after the layer."""
        products = self.layer.device().products(x.astype(np.float64))  # exact: far below 2^53
        scaled = _multiplied(products.astype(np.int64) + self.bias, self.multiplier, self.shift)
        return np.clip(scaled, 0 if self.layer.relu else -_HIGHEST - 1, _HIGHEST).astype(np.int16)


def _multiplied(x: NDArray[np.int64], multiplier: Int32, shift: Int32) -> NDArray[np.int64]:
    """x · multiplier · 2^(shift − 31), rounded once, half up.

    Source: TFLite, kernels/internal/common.h, MultiplyByQuantizedMultiplier of a 64-bit accumulator.
    """
    half = 1 << (_REDUCED_BITS - 1)
    reduced = np.minimum((multiplier.astype(np.int64) + half) >> _REDUCED_BITS, (1 << 15) - 1)
    total = (15 - shift).astype(np.int64)
    scaled: NDArray[np.int64] = (x * reduced + (np.int64(1) << (total - 1))) >> total
    return scaled


def _shifted(x: NDArray[np.int64], times: int) -> NDArray[np.int64]:
    """x / 2^times rounded half up; times may be 0 or less."""
    return x << -times if times <= 0 else (x + (1 << (times - 1))) >> times


def _int16(x: NDArray[np.int64]) -> Int16:
    clipped: Int16 = np.clip(x, -_HIGHEST - 1, _HIGHEST).astype(np.int16)
    return clipped
