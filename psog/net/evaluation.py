"""How good a model is on users it has never seen: before calibration, after it, after slips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.data_quality import by_region, by_shift, by_user, precision, rounded
from psog.episodes import Episodes
from psog.errors import ModelError
from psog.headset import Headset
from psog.metrics import accuracy, angular_error
from psog.net.calibrated import Calibrated, Form, calibrated, float_features, int8_features, uncalibrated
from psog.net.integer import IntegerNet
from psog.net.objectives import OPEN_ENOUGH


@dataclass(frozen=True)
class UserErrors:
    """Mean gaze error per user, summed up over users, degrees."""

    median_deg: float
    p95_deg: float
    """Of the user at the 95th percentile."""


@dataclass(frozen=True)
class UserGaze:
    """Gaze of test users by one form of the network, NaN where the eye is closed.

    Attributes:
        wearers: the users, calibrated in pose 0.
        uncalibrated_deg: (users, samples, 2) by the population's head, after the first slip.
        calibrated_deg: (users, slips, samples, 2) by the users' own heads.
    """

    wearers: tuple[Calibrated, ...]
    uncalibrated_deg: NDArray[np.float64]
    calibrated_deg: NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """How a model does on test users.

    Attributes:
        slips_mm: how far the headset has slipped since the calibration; the first is 0.
        true_deg: (users, slips, samples, 2), NaN where the eye is closed.
        forms: gaze by the network in "float" and in "int8".
    """

    slips_mm: tuple[float, ...]
    true_deg: NDArray[np.float64]
    forms: Mapping[str, UserGaze]

    def summary(self) -> dict[str, Any]:
        """Mean errors of users, as `evaluate` returns them."""
        return {"users": len(self.true_deg), **{k: self._over_users(form) for k, form in self.forms.items()}}

    def _over_users(self, form: UserGaze) -> dict[str, Any]:
        before = np.nanmean(angular_error(form.uncalibrated_deg, self.true_deg[:, 0]), axis=1)
        after = np.nanmean(angular_error(form.calibrated_deg, self.true_deg), axis=2)
        slips = {f"{slip:g}": asdict(_spread(after[:, i])) for i, slip in enumerate(self.slips_mm)}
        return {"uncalibrated": asdict(_spread(before)), "slips": slips}

    def report(self, of_still_eyes: Mapping[str, Any]) -> dict[str, Any]:
        """Data quality right after the calibration, and over slips, as of a recording; docs/metrics.md.

        Args:
            of_still_eyes: offset and precision, from `still_eyes`.
        """
        shape = self.true_deg.shape[:3]
        slip_mm = np.broadcast_to(np.array(self.slips_mm)[:, None], shape).ravel()
        user = np.broadcast_to(np.arange(shape[0])[:, None], (shape[0], shape[2])).ravel()
        at_rest = {name: form.calibrated_deg[:, 0].reshape(-1, 2) for name, form in self.forms.items()}
        int8_deg = self.forms["int8"].calibrated_deg.reshape(-1, 2)
        true_deg = self.true_deg[:, 0].reshape(-1, 2)
        return {
            **{name: rounded(accuracy(gaze_deg, true_deg)) for name, gaze_deg in at_rest.items()},
            "int8_shown": None,
            "samples": len(true_deg),
            "data_loss": round(1 - float(np.isfinite(true_deg).all(axis=1).mean()), 6),
            "withheld": None,
            "latency_ms": None,
            "fixations_from": "noise",
            **of_still_eyes,
            **by_region(at_rest["int8"], true_deg),
            "shifts": by_shift(int8_deg, self.true_deg.reshape(-1, 2), slip_mm),
            "users": by_user(at_rest["int8"], true_deg, user, [str(k) for k in range(shape[0])]),
        }


def evaluate(
    net: IntegerNet, episodes: Episodes, headset: Headset, slips_mm: Sequence[float], seed: int = 0
) -> dict[str, Any]:
    """Errors on test episodes, by the network in float and in int8; arguments and errors as of `judge`.

    Returns:
        {"users": how many, "float": …, "int8": …}, the latter each with "uncalibrated" and "slips":
        {mm: {"median_deg", "p95_deg"}}, where "0" is right after calibration; "uncalibrated" is the
        population's head without slip.
    """
    return judge(net, episodes, headset, slips_mm, seed).summary()


def judge(
    net: IntegerNet, episodes: Episodes, headset: Headset, slips_mm: Sequence[float], seed: int = 0
) -> Evaluation:
    """Run test episodes through the network, in float and in int8.

    Pose 0 is the calibration (gaze_deg holds the targets); pose 1 + i is after a slip of slips_mm[i]. The
    readings get noise and the converter's rounding. Blinks neither calibrate nor count.

    Raises:
        ModelError: model, episodes and headset do not belong together, or an episode has no open eye.
    """
    _check(net, episodes, headset, slips_mm)
    wire = noisy_wire(episodes, headset, seed)
    forms = {
        name: _user_gaze(net, form, wire, episodes)
        for name, form in {"float": float_features, "int8": int8_features}.items()
    }
    return Evaluation(
        tuple(slips_mm),
        np.where(_is_open(episodes)[:, 1:, :, None], episodes.gaze_deg[:, 1:].astype(np.float64), np.nan),
        forms,
    )


def noisy_wire(episodes: Episodes, headset: Headset, seed: int) -> NDArray[np.uint16]:
    """(users, poses, samples, sensors) readings as the device gets them: with noise, in whole counts."""
    return _with_noise(episodes.readings, episodes.noise_counts, headset, np.random.default_rng(seed))


def _with_noise(
    readings: NDArray[np.float32],
    noise_counts: NDArray[np.float32],
    headset: Headset,
    random: np.random.Generator,
) -> NDArray[np.uint16]:
    noise = random.normal(size=readings.shape) * noise_counts
    return headset.to_wire(np.clip(np.rint(readings + noise), 0, headset.adc.full_scale - 1))


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


def _user_gaze(net: IntegerNet, form: Form, wire: NDArray[np.uint16], episodes: Episodes) -> UserGaze:
    is_open = _is_open(episodes)
    stranger = uncalibrated(net, form)
    wearers, before, after = [], [], []
    for user in range(len(wire)):
        fit = is_open[user, 0]
        wearers.append(calibrated(net, form, wire[user, 0][fit], episodes.gaze_deg[user, 0][fit]))
        before.append(stranger(wire[user, 1]))
        after.append([wearers[-1](of_pose) for of_pose in wire[user, 1:]])
    return UserGaze(tuple(wearers), np.array(before), np.array(after))


def still_eyes(
    episodes: Episodes, headset: Headset, wearers: Sequence[Calibrated], seed: int
) -> dict[str, Any]:
    """Offset and precision in int8 of eyes that do not move: what the noise of the sensors does.

    Each user's first open moment after the first slip is read again and again.

    Args:
        wearers: the users, in int8.
    Returns:
        As psog.data_quality.precision.
    """
    first = _is_open(episodes)[:, 1].argmax(axis=1)
    random = np.random.default_rng((seed, 1))  # other noise than noisy_wire's
    gaze_deg, true_deg = [], []
    for user, sample in enumerate(first):
        readings = np.repeat(episodes.readings[user, 1, sample][None], _STILL_READINGS, axis=0)
        wire = _with_noise(readings, episodes.noise_counts, headset, random)
        gaze_deg.append(wearers[user](wire))
        true_deg.append(np.repeat(episodes.gaze_deg[user, 1, sample][None], _STILL_READINGS, axis=0))
    windows = [slice(k * _STILL_READINGS, (k + 1) * _STILL_READINGS) for k in range(len(first))]
    return precision(np.concatenate(gaze_deg), np.concatenate(true_deg).astype(np.float64), windows)


_STILL_READINGS = 200
"""Of a still eye: as many as psog.data_quality's window has at 1 kHz."""


def _is_open(episodes: Episodes) -> NDArray[np.bool_]:
    """(users, poses, samples) whether the eye is open.

    Raises:
        ModelError: never in some pose.
    """
    is_open: NDArray[np.bool_] = episodes.openness >= OPEN_ENOUGH
    never = np.argwhere(~is_open.any(axis=2))
    if len(never):
        user, pose = never[0]
        raise ModelError(
            f"user {user} never opens the eye in pose {pose} of the test episodes; simulate again"
        )
    return is_open


def _spread(errors_deg: NDArray[np.float64]) -> UserErrors:
    return UserErrors(round(float(np.median(errors_deg)), 4), round(float(np.quantile(errors_deg, 0.95)), 4))
