"""A network as one user has it: in float or in int8, told whose eye it sees, with a head of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from psog.net.convert import from_integer
from psog.net.embedding import personal
from psog.net.integer import IntegerNet
from psog.net.normalise import to_steps
from psog.net.ridge import GAZE_OUTPUTS, solve_head

RealFeatures = Callable[[NDArray[np.uint16]], NDArray[np.floating]]
"""(n, sensors) wire readings to (n, features) real features."""

Form = Callable[[IntegerNet], RealFeatures]
"""How a network's features are computed."""

Way = Literal["both", "head", "numbers"]
"""What a calibration is used for: the user's head, the numbers that tell the network whose eye it sees."""


def int8_features(net: IntegerNet) -> RealFeatures:
    """Features as the device computes them."""
    return lambda wire: net.real_features(net.features(net.input(wire)))


def float_features(net: IntegerNet) -> RealFeatures:
    """Features of the same weights when no input and no activation is rounded to int8."""
    module = from_integer(net).eval()
    module.quantized = False

    def features(wire: NDArray[np.uint16]) -> NDArray[np.floating]:
        with torch.no_grad():
            result: NDArray[np.floating] = module.features(
                torch.from_numpy(to_steps(net.normalisation, wire.astype(np.float32)))
            ).numpy()
        return result

    return features


@dataclass(frozen=True)
class Calibrated:
    """What turns one user's readings into gaze.

    Attributes:
        head: (2, features + 1) degrees.
    """

    features: RealFeatures
    head: NDArray[np.float64]

    def __call__(self, wire: NDArray[np.uint16]) -> NDArray[np.float64]:
        """(n, sensors) readings to (n, 2) gaze, degrees."""
        return np.asarray(self.features(wire) @ self.head[:, :-1].T + self.head[:, -1], np.float64)


def uncalibrated(net: IntegerNet, form: Form) -> Calibrated:
    """The population's network and head."""
    return Calibrated(form(net), net.head.weight[:GAZE_OUTPUTS].astype(np.float64))


def calibrated(
    net: IntegerNet,
    form: Form,
    wire: NDArray[np.uint16],
    target_deg: NDArray[np.floating],
    way: Way = "both",
) -> Calibrated:
    """The user's network and head from calibration samples.

    Args:
        wire: (n, sensors) readings; target_deg: (n, 2) where the user was asked to look.
        way: "both" is what a device does.
    """
    features = form(net if way == "head" else personal(net, wire, target_deg))
    prior = net.head.weight[:GAZE_OUTPUTS].astype(np.float64)
    if way == "numbers":
        return Calibrated(features, prior)
    return Calibrated(features, solve_head(features(wire), target_deg, prior, net.head.ridge))
