"""The network in torch, with int8 arithmetic imitated during training (quantization-aware training).

Every rounding of psog.net.integer has its place here or in psog.net.quantized_layer, with the gradient
passed straight through; psog.net.convert turns a trained net into integers.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from psog.headset import Headset
from psog.net.architecture import KERNEL, LN_ERROR, Architecture
from psog.net.embedding import MOMENTS
from psog.net.integer import RESIDUAL_BITS, Head, Normalisation, plane_units
from psog.net.normalise import INPUT
from psog.net.quantized_layer import QuantizedLayer
from psog.net.ridge import GAZE_OUTPUTS, GAZE_UNIT_DEG, with_bias


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


def _half_up(x: Tensor) -> Tensor:
    """x rounded as the integer normalisation does."""
    return torch.floor(x + 0.5)
