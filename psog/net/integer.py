"""The integer network: what runs on the device, in numpy. The specification of every other runtime.

A layer's arithmetic is in psog.net.arithmetic; here are the layers with their scales, the normalisation
before them and the float head behind them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from psog.net.architecture import OUTPUTS
from psog.net.arithmetic import DeviceLayer, Int8, Int32, quantize_multiplier
from psog.net.embedding import Embedding

Float32 = NDArray[np.float32]

MAX_PLANES = 2
RESIDUAL_BITS = 3
"""A second input plane resolves 2^RESIDUAL_BITS finer. More would need weights of less than one step beside
those of the coarse plane, with which they share a scale."""


def plane_units(planes: int) -> Float32:
    """(planes,) what one unit of each input plane stands for, in units of the coarse one."""
    return np.array([1, 2.0**-RESIDUAL_BITS][:planes], np.float32)


@dataclass(frozen=True)
class Quantization:
    """real = scale · (q − zero_point)."""

    scale: np.float32
    zero_point: int

    def real(self, q: Int8) -> Float32:
        """int8 of any shape to float32, as DEQUANTIZE does."""
        return self.scale * (q.astype(np.int32) - self.zero_point).astype(np.float32)


@dataclass(frozen=True)
class Normalisation:
    """Wire reading (16 bit, left-aligned) to network input, in integers.

    With one plane, q = clip((wire − offset) · multiplier / 2^shift rounded half up, −128, 127). With two, the
    same in steps of an eighth, f, is split into a coarse q = clip(f / 8 rounded half up, −128, 127) and what
    that leaves, clip(f − 8 q, −128, 127). Offset and multiplier stay with the model and can be re-estimated
    for a device.

    Attributes:
        offset: (sensors,) int32, 0 .. 65535: the mean reading.
        multiplier: (sensors,) int32, 1 .. 16383, so that products stay below 2^30.
        shift: 1 .. 30, with two planes at least 4.
        planes: 1, or 2 with the residual.
    """

    offset: Int32
    multiplier: Int32
    shift: int
    planes: int = 1

    def __call__(self, wire: NDArray[np.uint16]) -> Int8:
        """(n, sensors) readings to (n, sensors, planes) int8."""
        product = (wire.astype(np.int64) - self.offset) * self.multiplier
        if self.planes == 1:
            return _int8(_halved(product, self.shift))[..., None]
        fine = _halved(product, self.shift - RESIDUAL_BITS)
        coarse = _int8(_halved(fine, RESIDUAL_BITS))
        residual = fine - (coarse.astype(np.int64) << RESIDUAL_BITS)
        return np.stack([coarse, _int8(residual)], axis=-1)


def _halved(x: NDArray[np.int64], times: int) -> NDArray[np.int64]:
    """x / 2^times rounded half up."""
    return (x + (1 << (times - 1))) >> times


def _int8(x: NDArray[np.int64]) -> Int8:
    clipped: Int8 = np.clip(x, -128, 127).astype(np.int8)
    return clipped


@dataclass(frozen=True)
class Layer:
    """A 3×3 convolution (stride 1) or a dense layer, as training leaves it: integers and their scales.

    Attributes:
        kind: "conv" or "dense".
        padding: "same" or "valid"; "valid" for dense.
        weight: int8, (out, 3, 3, in) for conv, (out, in) for dense; −127 .. 127.
        bias: (out,) int32, scale input.scale · weight_scale.
        weight_scale: float32, (out,) for conv (per channel), (1,) for dense (per tensor).
        relu: whether the output is cut at its zero point.
    """

    kind: Literal["conv", "dense"]
    padding: Literal["same", "valid"]
    weight: Int8
    bias: Int32
    weight_scale: Float32
    input: Quantization
    output: Quantization
    relu: bool

    @property
    def out_channels(self) -> int:
        return int(self.weight.shape[0])

    @property
    def activation_range(self) -> tuple[int, int]:
        """Smallest and largest output value."""
        return (max(-128, self.output.zero_point) if self.relu else -128), 127

    def requantization(self) -> tuple[Int32, Int32]:
        """(out,) fixed-point multipliers in [2^30, 2^31) and (out,) shifts (negative: right)."""
        scales = np.broadcast_to(self.weight_scale, (self.out_channels,))
        pairs = [
            quantize_multiplier(float(self.input.scale) * float(scale) / float(self.output.scale))
            for scale in scales
        ]
        return np.array([p[0] for p in pairs], np.int32), np.array([p[1] for p in pairs], np.int32)

    def device(self) -> DeviceLayer:
        """The same layer without its scales."""
        low, high = self.activation_range
        multiplier, shift = self.requantization()
        return DeviceLayer(
            kind=self.kind,
            padding=self.padding,
            weight=self.weight,
            bias=self.bias,
            input_zero=self.input.zero_point,
            output_zero=self.output.zero_point,
            low=low,
            high=high,
            multiplier=multiplier,
            shift=shift,
        )

    def output_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """(rows, columns, channels) after this layer."""
        rows, columns, _ = shape
        if self.kind == "dense":
            return 1, 1, self.out_channels
        lost = 0 if self.padding == "same" else 2
        return rows - lost, columns - lost, self.out_channels

    def macs(self, shape: tuple[int, int, int]) -> int:
        """Multiply-accumulates on an input of `shape`, padding counted, as the field does."""
        rows, columns, _ = self.output_shape(shape)
        return rows * columns * int(self.weight.size)

    def __call__(self, x: Int8) -> Int8:
        """(n, rows, columns, channels) int8 to the same after the layer."""
        return self.device()(x)


UNMEASURED_DEG = 20.0
"""Expected error of a model on which none was measured: not to be trusted."""


@dataclass(frozen=True)
class Head:
    """The linear head in float: the part that belongs to the user.

    Attributes:
        weight: (4, features + 1) float32; rows gaze_h (deg), gaze_v (deg), openness, ln of the expected
            error in degrees; last column the bias. It acts on real features, scale · (q − zero_point).
        ridge: strength λ of the prior when the device re-fits the two gaze rows (see psog.net.ridge).
        calibration_ln: what the last output changes by once the gaze rows are a user's.
        leverage_deg, leverage_power: expected error of a calibrated user (psog.net.confidence).
    """

    weight: Float32
    ridge: float
    calibration_ln: float = 0.0
    leverage_deg: float = UNMEASURED_DEG
    leverage_power: float = 0.5

    def __call__(self, real_features: Float32) -> Float32:
        """(n, features) real features to (n, 4) float32 outputs."""
        return real_features @ self.weight[:, :-1].T + self.weight[:, -1]


@dataclass(frozen=True)
class IntegerNet:
    """A trained, quantized network for one headset.

    Attributes:
        headset: name of the headset it was trained for.
        layout: (rows, columns) sensor index of each input cell.
        embedding: how it is told whose eye it sees, on the host; devices run it as it is, or a personal one.
    """

    headset: str
    layout: NDArray[np.int64]
    normalisation: Normalisation
    layers: tuple[Layer, ...]
    head: Head
    embedding: Embedding | None = None

    @property
    def feature_quantization(self) -> Quantization:
        return self.layers[-1].output

    @property
    def feature_count(self) -> int:
        return self.layers[-1].out_channels

    @property
    def input_quantization(self) -> Quantization:
        return self.layers[0].input

    def layer_shapes(self) -> list[tuple[int, int, int]]:
        """(rows, columns, channels) of the input and after each layer."""
        rows, columns = self.layout.shape
        shapes = [(rows, columns, self.normalisation.planes)]
        for layer in self.layers:
            shapes.append(layer.output_shape(shapes[-1]))
        return shapes

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference, head included."""
        shapes = self.layer_shapes()
        body = sum(layer.macs(shape) for layer, shape in zip(self.layers, shapes, strict=False))
        return body + OUTPUTS * self.feature_count

    @property
    def parameters(self) -> int:
        """Weights and biases, head included."""
        return sum(layer.weight.size + layer.bias.size for layer in self.layers) + int(self.head.weight.size)

    def input(self, wire: NDArray[np.uint16]) -> Int8:
        """(n, sensors) wire readings to the (n, rows, columns, planes) int8 input tensor."""
        return self.normalisation(wire)[:, self.layout]

    def centred(self, wire: NDArray[np.uint16]) -> Int32:
        """(n, sensors) wire readings to (n, sensors) what all planes tell of them, in units of input_step."""
        planes = self.normalisation(wire).astype(np.int32) - self.input_quantization.zero_point
        if self.normalisation.planes == 1:
            return planes[..., 0]
        return (planes[..., 0] << RESIDUAL_BITS) + planes[..., 1]

    @property
    def input_step(self) -> np.float32:
        """What a unit of the finest input plane stands for."""
        return np.float32(self.input_quantization.scale * plane_units(self.normalisation.planes)[-1])

    def features(self, x: Int8) -> Int8:
        """(n, rows, columns, planes) int8 input to (n, features) int8."""
        for layer in self.layers:
            x = layer(x)
        return x.reshape(len(x), -1)

    def real_features(self, q: Int8) -> Float32:
        """(n, features) int8 to float32, as DEQUANTIZE does."""
        return self.feature_quantization.real(q)

    def apply_head(self, q: Int8, weight: Float32 | None = None) -> Float32:
        """(n, features) int8 to (n, 4) float32 outputs, by this head or one of `weight`."""
        head = self.head if weight is None else replace(self.head, weight=weight)
        return head(self.real_features(q))

    def __call__(self, wire: NDArray[np.uint16]) -> Float32:
        """(n, sensors) wire readings to (n, 4) float32: gaze_h, gaze_v (deg), openness, ln of the error."""
        return self.apply_head(self.features(self.input(wire)))
