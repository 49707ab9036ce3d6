"""How good a model is on users it has never seen: before calibration, after it, after slips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.errors import ModelError
from psog.headset import Headset
from psog.metrics import angular_error
from psog.net.convert import from_integer
from psog.net.integer import IntegerNet
from psog.net.normalise import to_steps
from psog.net.objectives import OPEN_ENOUGH
from psog.net.ridge import solve_head

RealFeatures = Callable[[NDArray[np.uint16]], NDArray[np.floating]]
"""(n, sensors) wire readings to (n, features) real features."""


@dataclass(frozen=True)
class UserErrors:
    """Mean gaze error per user, summed up over users, degrees."""

    median_deg: float
    p95_deg: float
    """Of the user at the 95th percentile."""


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


def evaluate(
    net: IntegerNet, episodes: Episodes, headset: Headset, slips_mm: Sequence[float], seed: int = 0
) -> dict[str, Any]:
    """Errors on test episodes, by the network in float and in int8.

    Pose 0 is the calibration (gaze_deg holds the targets); pose 1 + i is after a slip of slips_mm[i]. The
    readings get noise and the converter's rounding. Blinks neither calibrate nor count.

    Returns:
        {"float": …, "int8": …}, each with "uncalibrated" and "slips": {mm: {"median_deg", "p95_deg"}}, where
        "0" is right after calibration; "uncalibrated" is the population's head without slip.
    Raises:
        ModelError: model, episodes and headset do not belong together, or an episode has no open eye.
    """
    _check(net, episodes, headset, slips_mm)
    wire = noisy_wire(episodes, headset, seed)
    forms = {"float": float_features(net), "int8": int8_features(net)}
    return {
        "users": len(wire),
        **{name: _evaluate_form(net, features, wire, episodes, slips_mm) for name, features in forms.items()},
    }


def noisy_wire(episodes: Episodes, headset: Headset, seed: int) -> NDArray[np.uint16]:
    """(users, poses, samples, sensors) readings as the device gets them: with noise, in whole counts."""
    noise = np.random.default_rng(seed).normal(size=episodes.readings.shape) * episodes.noise_counts
    counts = np.clip(np.rint(episodes.readings + noise), 0, headset.adc.full_scale - 1)
    return headset.to_wire(counts)


def _check(net: IntegerNet, episodes: Episodes, headset: Headset, slips_mm: Sequence[float]) -> None:
    if not net.headset == episodes.headset == headset.name:
        raise ModelError(
            f"cannot evaluate: the model is for headset {net.headset!r}, the episodes are of "
            f"{episodes.headset!r}, expected {headset.name!r} for both"
        )
    poses = episodes.readings.shape[1]
    if poses != 1 + len(slips_mm):
        raise ModelError(
            f"cannot evaluate: episodes have {poses} poses, expected a calibration and {len(slips_mm)} slips"
        )


def _evaluate_form(
    net: IntegerNet,
    features: RealFeatures,
    wire: NDArray[np.uint16],
    episodes: Episodes,
    slips_mm: Sequence[float],
) -> dict[str, Any]:
    users, poses = wire.shape[:2]
    prior = net.head.weight[:2].astype(np.float64)
    before, after = np.zeros(users), np.zeros((users, poses - 1))
    for user in range(users):
        of_pose = [_open_samples(features, wire, episodes, user, pose) for pose in range(poses)]
        head = solve_head(*of_pose[0], prior, net.head.ridge)
        before[user] = _error(prior, *of_pose[1])
        after[user] = [_error(head, *samples) for samples in of_pose[1:]]
    slips = {f"{slip:g}": asdict(_over_users(after[:, i])) for i, slip in enumerate(slips_mm)}
    return {"uncalibrated": asdict(_over_users(before)), "slips": slips}


def _open_samples(
    features: RealFeatures, wire: NDArray[np.uint16], episodes: Episodes, user: int, pose: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Features and gaze of the samples of one pose in which the eye is open."""
    is_open = episodes.openness[user, pose] >= OPEN_ENOUGH
    if not is_open.any():
        raise ModelError(
            f"user {user} never opens the eye in pose {pose} of the test episodes; simulate again"
        )
    return features(wire[user, pose][is_open]), episodes.gaze_deg[user, pose][is_open]


def _error(
    head: NDArray[np.float64], features: NDArray[np.floating], gaze_deg: NDArray[np.floating]
) -> float:
    return float(angular_error(features @ head[:, :-1].T + head[:, -1], gaze_deg).mean())


def _over_users(errors_deg: NDArray[np.float64]) -> UserErrors:
    return UserErrors(round(float(np.median(errors_deg)), 4), round(float(np.quantile(errors_deg, 0.95)), 4))
