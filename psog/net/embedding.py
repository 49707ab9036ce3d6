"""The user embedding: a few numbers that tell a network whose eye it sees.

They follow from a calibration in closed form, without a gradient on the wearer's side: from the mean of each
input over the calibration and its covariance with the two target angles,

    z = A [ mean x ; cov(x, target_h) ; cov(x, target_v) ] + a

and they shift the biases of every layer, b + B z. A network that has been told is an ordinary network with
other biases: at no cost in use. A and B are trained with the network, through the head's ridge solve
(psog.net.objectives); some users' numbers are left at zero there, so that the network works for a stranger
too.

Source: conditional neural processes (Garnelo et al., ICML 2018) for the idea to condition on a mean over the
support; shifts of features, Dumoulin et al. 2018 (feature-wise transformations). The moments instead of a
network over the samples are this project's: both did equally well here (docs/results.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from psog.net.told import STATISTICS, DeviceEmbedding

if TYPE_CHECKING:
    import torch

    from psog.net.integer import IntegerNet, Layer

MAX_NUMBERS = 32
MOMENTS = STATISTICS
"""Per input: its mean, and a covariance with each target angle."""


@dataclass(frozen=True)
class Embedding:
    """How a network finds a user's numbers, and what it does with them.

    Attributes:
        weight: (Z, 3 · sensors) float32, A.
        bias: (Z,) float32, a.
        shifts: of each layer (out, Z) float32, B.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    shifts: tuple[NDArray[np.float32], ...]

    @property
    def count(self) -> int:
        return len(self.bias)

    def device(self, net: IntegerNet) -> DeviceEmbedding:
        """The same as a device holds it: of integer inputs, shifts in int8 steps of each output's own scale.

        Args:
            net: whose embedding this is.
        """
        sensors = self.weight.shape[1] // MOMENTS
        by_sensor = self.weight.reshape(self.count, MOMENTS, sensors).transpose(2, 1, 0)
        compact = [_compact(layer, shift) for layer, shift in zip(net.layers, self.shifts, strict=True)]
        return DeviceEmbedding(
            weight=by_sensor * net.input_step,
            bias=self.bias,
            scales=tuple(scale for scale, _ in compact),
            shifts=tuple(shift for _, shift in compact),
        )


def _compact(layer: Layer, shift: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """A layer's B in steps of its accumulator: (out,) scales and (out, Z) int8."""
    step = float(layer.input.scale) * layer.weight_scale.astype(np.float64)
    steps = shift / step[:, None]
    scale = (np.abs(steps).max(axis=1) / 127).astype(np.float32)
    rounded = np.rint(steps / np.where(scale > 0, scale, 1)[:, None])
    return scale, np.clip(rounded, -127, 127).astype(np.int8)


def personal(net: IntegerNet, wire: NDArray[np.uint16], target_deg: NDArray[np.floating]) -> IntegerNet:
    """The network told whose eye it sees: one without an embedding, with biases for this user.

    A device that has kept these readings finds the same biases (psog.net.told).

    Args:
        wire: (n, sensors) readings of a calibration; target_deg: (n, 2) where the user was asked to look.
    Returns:
        `net` itself if it has no embedding.
    Raises:
        ShapeError: the two do not belong together, or there is no sample.
    """
    if net.embedding is None:
        return net
    embedding = net.embedding.device(net)
    numbers = embedding.numbers(net.centred(wire), target_deg)
    biases = embedding.biases([layer.device() for layer in net.layers], numbers)
    layers = tuple(replace(layer, bias=bias) for layer, bias in zip(net.layers, biases, strict=True))
    return replace(net, layers=layers, embedding=None)


def moments(inputs: torch.Tensor, target: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """The same for a batch of users in torch, differentiable.

    Args:
        inputs: (users, n, sensors); target: (users, n, 2) in units of GAZE_UNIT_DEG.
        counted: (users, n) 1 for a sample that counts, 0 for one that is passed over.
    Returns:
        (users, 3 · sensors).
    """
    import torch

    share = (counted / counted.sum(1, keepdim=True).clamp(min=1.0))[..., None]
    mean = (inputs * share).sum(1, keepdim=True)
    away = target - (target * share).sum(1, keepdim=True)
    covariance = ((inputs - mean) * share).transpose(1, 2) @ away
    return torch.cat([mean[:, 0], *covariance.unbind(-1)], dim=-1)
