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

from psog.errors import ShapeError
from psog.net.arithmetic import to_bias
from psog.net.ridge import GAZE_OUTPUTS, GAZE_UNIT_DEG

if TYPE_CHECKING:
    import torch

    from psog.net.integer import IntegerNet

MAX_NUMBERS = 32
MOMENTS = 1 + GAZE_OUTPUTS
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

    def numbers(self, inputs: NDArray[np.floating], target_deg: NDArray[np.floating]) -> NDArray[np.float64]:
        """(Z,) of a user from calibration samples.

        Args:
            inputs: (n, sensors) real inputs, n >= 1.
            target_deg: (n, 2).
        Raises:
            ShapeError: the two do not belong together, or there is no sample.
        """
        n, sensors = len(inputs), self.weight.shape[1] // MOMENTS
        if n < 1 or inputs.shape != (n, sensors) or target_deg.shape != (n, GAZE_OUTPUTS):
            raise ShapeError(
                f"cannot tell a user from inputs {inputs.shape} and targets {target_deg.shape}; expected "
                f"(n, {sensors}) and (n, 2) with n at least 1"
            )
        x, t = np.asarray(inputs, np.float64), np.asarray(target_deg, np.float64) / GAZE_UNIT_DEG
        covariance = (x - x.mean(axis=0)).T @ (t - t.mean(axis=0)) / n
        moments = np.concatenate([x.mean(axis=0), *covariance.T])
        return np.asarray(self.weight.astype(np.float64) @ moments + self.bias)


def personal(net: IntegerNet, wire: NDArray[np.uint16], target_deg: NDArray[np.floating]) -> IntegerNet:
    """The network told whose eye it sees: one without an embedding, with biases for this user.

    Args:
        wire: (n, sensors) readings of a calibration; target_deg: (n, 2) where the user was asked to look.
    Returns:
        `net` itself if it has no embedding.
    """
    if net.embedding is None:
        return net
    inputs = net.input_quantization.real(net.normalisation(wire))
    numbers = net.embedding.numbers(inputs, target_deg)
    layers = []
    for layer, shift in zip(net.layers, net.embedding.shifts, strict=True):
        step = float(layer.input.scale) * layer.weight_scale.astype(np.float64)
        layers.append(replace(layer, bias=to_bias(layer.bias + shift.astype(np.float64) @ numbers / step)))
    return replace(net, layers=tuple(layers), embedding=None)


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
