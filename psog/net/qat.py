"""The network in torch, with int8 arithmetic imitated during training (quantization-aware training).

Tensors are channels-last (rows, columns, channels) as on the device, so weights leave in the order they are
stored here. Every rounding of psog.net.integer has its place in `forward`, with the gradient passed straight
through; psog.net.convert turns a trained net into integers.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from psog.headset import Headset
from psog.net.architecture import KERNEL, LN_ERROR, Architecture
from psog.net.embedding import MOMENTS
from psog.net.integer import RESIDUAL_BITS, Head, Normalisation, Quantization, plane_units
from psog.net.normalise import INPUT
from psog.net.ridge import GAZE_OUTPUTS, GAZE_UNIT_DEG, with_bias

_RANGE_MOMENTUM = 0.02  # running mean over about 50 batches of the largest activation
_SMALLEST_RANGE = 1e-6
_SMALLEST_WEIGHT = 1e-4  # a channel without weights keeps a scale in which its bias fits 32 bits easily


class ActivationRange(nn.Module):
    """Range of a layer's outputs: a running mean of batch extremes, until it is frozen."""

    low: Tensor
    high: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.frozen = False
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))
        self.register_buffer("seen", torch.zeros((), dtype=torch.bool))

    def set(self, low: float, high: float) -> None:
        """Fix the range."""
        self.low.fill_(low)
        self.high.fill_(high)
        self.seen.fill_(True)

    def observe(self, x: Tensor) -> None:
        """Take one batch into the running range."""
        low, high = torch.aminmax(x.detach())
        if not bool(self.seen):
            self.set(float(low), float(high))
        else:
            self.low.lerp_(low, _RANGE_MOMENTUM)
            self.high.lerp_(high, _RANGE_MOMENTUM)

    def quantization(self) -> Quantization:
        """int8 over the range, which always contains 0 exactly."""
        low, high = min(float(self.low), 0.0), max(float(self.high), 0.0)
        scale = np.float32(max((high - low) / 255, _SMALLEST_RANGE))
        zero_point = round(-128 - low / float(scale))
        return Quantization(scale, min(max(zero_point, -128), 127))


class QuantizedLayer(nn.Module):
    """A 3×3 convolution or dense layer that can round as the device does.

    Attributes:
        weight: (out, inputs) float; for a convolution inputs are (3, 3, in) flattened.
        bias: (out,).
        mask: (out, inputs) 0 where pruning takes a weight away, else 1 (psog.net.pruning).
        hard: () whether what the mask leaves out is held at zero.
    """

    mask: Tensor
    hard: Tensor

    def __init__(
        self,
        kind: Literal["conv", "dense"],
        padding: Literal["same", "valid"],
        inputs: int,
        outputs: int,
        *,
        relu: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.kind, self.padding, self.relu = kind, padding, relu
        deviation = math.sqrt(2 / inputs)  # keeps the variance through ReLU layers (He et al. 2015)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, generator=generator) * deviation)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mask", torch.ones(outputs, inputs))
        self.register_buffer("hard", torch.zeros((), dtype=torch.bool))
        self.output = ActivationRange()

    def weight_scale(self) -> Tensor:
        """(out,) for a convolution, (1,) for a dense layer: the largest weight is ±127 steps."""
        largest = self.weight.detach().abs().amax(dim=1)
        if self.kind == "dense":
            largest = largest.amax().reshape(1)
        return largest.clamp(min=_SMALLEST_WEIGHT) / 127

    def forward(self, x: Tensor, scale_in: float, *, quantized: bool, shift: Tensor | None = None) -> Tensor:
        """(n, rows, columns, channels) to the same after the layer; dense gives (n, 1, 1, out).

        Args:
            shift: (n, out) of the bias, for the user of each row.
        """
        if not quantized:
            return self._sums(x, self.weight, self.bias, shift)
        scale = self.weight_scale()
        if shift is not None:
            shift = _round_to(shift, scale * scale_in)
        weight, bias = _round_to(self.weight, scale[:, None]), _round_to(self.bias, scale * scale_in)
        y = self._sums(x, weight, bias, shift)
        if self.training and not self.output.frozen:
            self.output.observe(y)
        out = self.output.quantization()
        return torch.fake_quantize_per_tensor_affine(y, float(out.scale), out.zero_point, -128, 127)

    def _sums(self, x: Tensor, weight: Tensor, bias: Tensor, shift: Tensor | None) -> Tensor:
        """The layer without rounding of its output, by these weights."""
        if self.kind == "dense":
            y = nn.functional.linear(x.flatten(1)[:, None, None], weight, bias)
        elif x.shape[-1] == 1:
            # In this order of additions the shipped networks come out again to the bit.
            y = nn.functional.linear(_patches(x, self.padding), weight, bias)
        else:
            kernels = weight.reshape(len(weight), KERNEL, KERNEL, -1).permute(0, 3, 1, 2)
            y = nn.functional.conv2d(x.permute(0, 3, 1, 2), kernels, bias, padding=self.padding)
            y = y.permute(0, 2, 3, 1)
        if shift is not None:
            y = y + shift[:, None, None]
        return y.relu() if self.relu else y


class UserEmbedding(nn.Module):
    """psog.net.embedding in torch.

    Attributes:
        weight, bias: (Z, 3 · sensors) and (Z,), from moments to numbers.
        shifts: of each layer (out, Z), from numbers to its biases.
    """

    def __init__(self, count: int, sensors: int, widths: list[int], generator: torch.Generator) -> None:
        super().__init__()
        moments = MOMENTS * sensors
        self.weight = nn.Parameter(torch.randn(count, moments, generator=generator) / math.sqrt(moments))
        self.bias = nn.Parameter(torch.zeros(count))
        self.shifts = nn.ParameterList(
            torch.randn(width, count, generator=generator) * _FIRST_SHIFT for width in widths
        )

    def numbers(self, moments: Tensor) -> Tensor:
        """(users, 3 · sensors) to (users, Z)."""
        return nn.functional.linear(moments, self.weight, self.bias)


class GazeNet(nn.Module):
    """Readings → features → gaze and openness, trainable.

    Attributes:
        quantized: whether to round as the device does; off at first.
        head: (3, features + 1) its trained rows; gaze in units of GAZE_UNIT_DEG.
        log_ridge: () natural logarithm of λ.
        measured: where the rest of the head comes from; None before anything was measured.
        embedding: None in a network that is not told whose eye it sees.
    """

    layout: Tensor
    embedding: UserEmbedding | None

    def __init__(
        self,
        headset: str,
        layout: NDArray[np.int64],
        normalisation: Normalisation,
        layers: list[QuantizedLayer],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.headset = headset
        self.normalisation = normalisation
        self.quantized = False
        self.register_buffer("layout", torch.from_numpy(layout.astype(np.int64)))
        self.layers = nn.ModuleList(layers)
        width = layers[-1].bias.numel()
        self.head = nn.Parameter(torch.randn(LN_ERROR, width + 1, generator=generator) / math.sqrt(width))
        self.log_ridge = nn.Parameter(torch.tensor(_FIRST_LOG_RIDGE))
        self.measured: Head | None = None
        self.embedding = None

    def inputs(self, steps: Tensor) -> Tensor:
        """(…, sensors) readings in input steps (psog.net.normalise) to real inputs, (…, sensors, planes).

        In float the last plane is not rounded; nothing is trained through the others' rounding.
        """
        if self.normalisation.planes == 1:
            planes = [_half_up(steps) if self.quantized else steps]
        else:
            fine = 2.0**RESIDUAL_BITS * steps
            fine = _half_up(fine) if self.quantized else fine
            coarse = _half_up(fine * 2.0**-RESIDUAL_BITS).clamp(-128, 127)
            planes = [coarse, fine - 2.0**RESIDUAL_BITS * coarse]
        return torch.stack(planes, dim=-1).clamp(-128, 127) * float(INPUT.scale)

    def real_inputs(self, steps: Tensor) -> Tensor:
        """(…, sensors) what the network knows of such readings, in real units."""
        return self.inputs(steps) @ torch.from_numpy(plane_units(self.normalisation.planes)).to(steps.device)

    def features(self, steps: Tensor, numbers: Tensor | None = None) -> Tensor:
        """(…, sensors) readings in input steps to (…, features) real features.

        Args:
            numbers: (users, Z) of the embedding, for steps (users, n, sensors); a stranger's if not given.
        """
        x = self.inputs(steps).flatten(0, -3)[:, self.layout]
        scale = float(INPUT.scale)
        for index, layer in enumerate(self.layers):
            assert isinstance(layer, QuantizedLayer)
            shift = None
            if numbers is not None:
                assert self.embedding is not None
                shift = (numbers @ self.embedding.shifts[index].T).repeat_interleave(steps.shape[1], dim=0)
            x = layer(x, scale, quantized=self.quantized, shift=shift)
            scale = float(layer.output.quantization().scale)
        return x.reshape(*steps.shape[:-1], -1)

    def forward(self, steps: Tensor) -> Tensor:
        """(…, sensors) to (…, 3): gaze_h, gaze_v in GAZE_UNIT_DEG, openness; by the population's head."""
        return with_bias(self.features(steps)) @ self.head.T

    def head_deg(self) -> Tensor:
        """(3, features + 1) head with its gaze rows in degrees."""
        unit = torch.ones(len(self.head), 1, device=self.head.device)
        unit[:GAZE_OUTPUTS] = GAZE_UNIT_DEG
        return self.head * unit

    def ridge(self) -> Tensor:
        """() λ, kept where the solve stays well conditioned in float32."""
        return self.log_ridge.clamp(min=_LEAST_LOG_RIDGE).exp()

    def quantize(self) -> None:
        """Round as the device does from now on; ranges follow the activations."""
        self.quantized = True

    def ranges(self) -> tuple[list[Tensor], list[Tensor]]:
        """Low and high ends of the layers' activations, to be changed in place."""
        found = [layer.output for layer in self.layers if isinstance(layer, QuantizedLayer)]
        return [observed.low for observed in found], [observed.high for observed in found]

    def freeze_ranges(self) -> None:
        """Keep the activation ranges as they are."""
        for layer in self.layers:
            assert isinstance(layer, QuantizedLayer)
            layer.output.frozen = True


_FIRST_SHIFT = 0.1  # of a bias for one unit of one number: strangers and friends begin nearly alike
_LEAST_LOG_RIDGE = -9.0  # 1e-4, where features are of order one
_FIRST_LOG_RIDGE = -4.0  # λ = 0.018 at the start; it is learnt


def build(architecture: Architecture, headset: Headset, normalisation: Normalisation, seed: int) -> GazeNet:
    """An untrained network for a headset.

    Raises:
        ModelError: the headset's grid is too small for the architecture.
    """
    assert normalisation.planes == architecture.planes
    generator = torch.Generator().manual_seed(seed)
    rows, columns, channels = architecture.map_shape((headset.grid.shape[0], headset.grid.shape[1]))
    layers, inputs = [], architecture.planes
    for convolution in architecture.convolutions:
        layers.append(
            QuantizedLayer(
                "conv",
                convolution.padding,
                KERNEL * KERNEL * inputs,
                convolution.channels,
                relu=True,
                generator=generator,
            )
        )
        inputs = convolution.channels
    inputs = rows * columns * channels
    for width in (*architecture.dense, architecture.features):
        layers.append(QuantizedLayer("dense", "valid", inputs, width, relu=True, generator=generator))
        inputs = width
    _join_planes(layers[0], architecture.planes)
    net = GazeNet(headset.name, headset.grid, normalisation, layers, generator)
    if architecture.embedding > 0:
        widths = [layer.bias.numel() for layer in layers]
        net.embedding = UserEmbedding(architecture.embedding, headset.sensor_count, widths, generator)
    return net


def _join_planes(first: QuantizedLayer, planes: int) -> None:
    """Give every weight of a residual the value with which it completes its coarse plane."""
    if planes == 1:
        return
    with torch.no_grad():
        pairs = first.weight.view(len(first.weight), -1, planes)
        pairs *= math.sqrt(planes)  # the variance comes from the coarse plane alone
        pairs[..., 1] = pairs[..., 0] * 2.0**-RESIDUAL_BITS


def _patches(x: Tensor, padding: str) -> Tensor:
    """(n, rows, columns, in) to (n, rows', columns', 3 · 3 · in): what a 3×3 kernel sees at each place."""
    if padding == "same":
        x = nn.functional.pad(x, (0, 0, 1, 1, 1, 1))
    windows = x.unfold(1, KERNEL, 1).unfold(2, KERNEL, 1)  # (n, rows', columns', in, 3, 3)
    return windows.permute(0, 1, 2, 4, 5, 3).flatten(3)


def _round_to(x: Tensor, step: Tensor) -> Tensor:
    """x rounded to whole steps, with the gradient of x."""
    return x + (torch.round(x.detach() / step) * step - x.detach())


def _half_up(x: Tensor) -> Tensor:
    """x rounded as the integer normalisation does."""
    return torch.floor(x + 0.5)
