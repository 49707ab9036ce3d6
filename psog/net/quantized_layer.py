"""One layer of the network in torch, rounding as the device does (quantization-aware training).

Tensors are channels-last (rows, columns, channels) as on the device, so weights leave in the order they are
stored here. Gradients pass straight through every rounding; psog.net.qat makes a network of layers.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from psog.net.architecture import KERNEL
from psog.net.int4 import nearest_int4
from psog.net.integer import Quantization

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
        bits: of a weight, 8 or 4 (psog.net.int4).
        given_scale: (1,) of the weights, where it is not to follow them: rounded to four bits, their largest
            no longer tells it.
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
        self.bits: Literal[8, 4] = 8
        self.given_scale: Tensor | None = None
        deviation = math.sqrt(2 / inputs)  # keeps the variance through ReLU layers (He et al. 2015)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, generator=generator) * deviation)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mask", torch.ones(outputs, inputs))
        self.register_buffer("hard", torch.zeros((), dtype=torch.bool))
        self.output = ActivationRange()

    def weight_scale(self) -> Tensor:
        """(out,) for a convolution, (1,) for a dense layer: the largest weight is ±127 steps."""
        if self.given_scale is not None:
            return self.given_scale
        largest = self.weight.detach().abs().amax(dim=1)
        if self.kind == "dense":
            largest = largest.amax().reshape(1)
        return largest.clamp(min=_SMALLEST_WEIGHT) / 127

    def weight_steps(self) -> Tensor:
        """(out, inputs) whole steps of `weight_scale`: −127 … 127, what a device has of the weights."""
        steps = self.weight.detach() / self.weight_scale()[:, None]
        return nearest_int4(steps) if self.bits == 4 else torch.round(steps)

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
        weight = _straight(self.weight, self.weight_steps() * scale[:, None])
        bias = _round_to(self.bias, scale * scale_in)
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


def _patches(x: Tensor, padding: str) -> Tensor:
    """(n, rows, columns, in) to (n, rows', columns', 3 · 3 · in): what a 3×3 kernel sees at each place."""
    if padding == "same":
        x = nn.functional.pad(x, (0, 0, 1, 1, 1, 1))
    windows = x.unfold(1, KERNEL, 1).unfold(2, KERNEL, 1)  # (n, rows', columns', in, 3, 3)
    return windows.permute(0, 1, 2, 4, 5, 3).flatten(3)


def _round_to(x: Tensor, step: Tensor) -> Tensor:
    """x rounded to whole steps, with the gradient of x."""
    return _straight(x, torch.round(x.detach() / step) * step)


def _straight(x: Tensor, rounded: Tensor) -> Tensor:
    """`rounded`, with the gradient of x."""
    return x + (rounded - x.detach())
