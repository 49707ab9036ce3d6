"""How far off a gaze is expected to be: what the network says of itself, measured on users it has not seen.

Before a calibration, the head's last output is the natural logarithm of the expected error in degrees: a
linear read-out of the features, fitted here with everything else fixed.

After one, what the calibration has not seen is what cannot be trusted. With F the real features of its n
samples and a column of ones, the leverage of a reading with features x is

    h = xᵀ (FᵀF/n + λI)⁻¹ x

which grows with the variance of the ridge solution's prediction at x (Hoaglin & Welsch 1978, The American
Statistician 32:17; Bishop 2006, Pattern Recognition and Machine Learning, eq. 3.59). The expected error is
leverage_deg · h^leverage_power; both constants are measured. The solve of the head has made the Cholesky
factor anyway.

Both are fitted by minimising the mean of ln e + E/e over the expected errors e, given the errors E
(exponential likelihood): its minimum is the mean of E, an expectation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.errors import ShapeError
from psog.headset import Headset
from psog.metrics import angular_error
from psog.net.architecture import LN_ERROR
from psog.net.calibrated import Calibrated, calibrated, int8_features, uncalibrated
from psog.net.evaluation import noisy_wire
from psog.net.integer import Head, IntegerNet
from psog.net.objectives import OPEN_ENOUGH

_PENALTY = 1e-3  # on squared weights of scaled features: keeps those of features that never move at zero
_STEPS = 60  # of Newton; ten are usual
_LONGEST_STEP = 1.0  # in logarithm, of any sample: the exponential is no parabola beyond
_SMALLEST_STEP = 1e-6
_LEAST_CURVATURE = 0.05


@dataclass(frozen=True)
class Leverage:
    """What a calibration has seen.

    Attributes:
        factor: (D + 1, D + 1) lower Cholesky factor of FᵀF/n + λI.
        head: with the measured constants.
    """

    factor: NDArray[np.float64]
    head: Head

    def __call__(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, D) real features to (n,) leverages."""
        solved = np.linalg.solve(self.factor, _with_ones(features).T)
        return np.asarray((solved**2).sum(axis=0))

    def expected_error_deg(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, D) real features to (n,) degrees."""
        return np.asarray(self.head.leverage_deg * self(features) ** self.head.leverage_power)


def leverage(head: Head, features: NDArray[np.floating]) -> Leverage:
    """What a calibration with these features has seen.

    Args:
        features: (n, D) real features of its samples.
    Raises:
        ShapeError: there are none, or they are not of this head.
    """
    if len(features) < 1 or features.shape[1:] != (head.weight.shape[1] - 1,):
        raise ShapeError(
            f"cannot tell what a calibration has seen from features {features.shape}; "
            f"expected (n, {head.weight.shape[1] - 1}) with n at least 1"
        )
    F = _with_ones(features)
    gram = F.T @ F / len(F) + head.ridge * np.eye(F.shape[1])
    return Leverage(np.asarray(np.linalg.cholesky(gram), np.float64), head)


def stranger_error_deg(head: Head, features: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, D) real features to (n,) expected error of the population's head, degrees."""
    return np.asarray(np.exp(_with_ones(features) @ head.weight[LN_ERROR].astype(np.float64)))


@dataclass(frozen=True)
class Judged:
    """Samples of wearers in use, after the calibration of pose 0; one entry each.

    Attributes:
        features: (n, D) real, by the network as the wearer has it.
        stranger_features: (n, D) by the population's, the same in a network without an embedding.
        leverage: (n,).
        error_deg, stranger_error_deg: (n,) by the wearer's head and by the population's.
        openness: (n,) as it is.
        pose: (n,) of those in use, from 0.
        user: (n,).
    """

    features: NDArray[np.floating]
    stranger_features: NDArray[np.floating]
    leverage: NDArray[np.float64]
    error_deg: NDArray[np.float64]
    stranger_error_deg: NDArray[np.float64]
    openness: NDArray[np.floating]
    pose: NDArray[np.int64]
    user: NDArray[np.int64]


def judge(net: IntegerNet, episodes: Episodes, headset: Headset, seed: int) -> Judged:
    """Run wearers through the network in int8: calibrated with pose 0, used in the others.

    Args:
        seed: of the noise.
    """
    wire = noisy_wire(episodes, headset, seed)
    stranger = uncalibrated(net, int8_features)
    rows = [_judge_user(net, stranger, wire[user], episodes, user) for user in range(len(wire))]
    return Judged(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _judge_user(
    net: IntegerNet, stranger: Calibrated, wire: NDArray[np.uint16], episodes: Episodes, user: int
) -> tuple[NDArray[np.generic], ...]:
    fit = episodes.openness[user, 0] >= OPEN_ENOUGH
    wearer = calibrated(net, int8_features, wire[0][fit], episodes.gaze_deg[user, 0][fit])
    seen = leverage(net.head, wearer.features(wire[0][fit]))
    in_use = wire[1:].reshape(-1, wire.shape[-1])
    true_deg = episodes.gaze_deg[user, 1:].reshape(-1, 2)
    features = wearer.features(in_use)
    return (
        features,
        features if net.embedding is None else stranger.features(in_use),
        seen(features),
        angular_error(wearer(in_use), true_deg),
        angular_error(stranger(in_use), true_deg),
        episodes.openness[user, 1:].ravel(),
        np.repeat(np.arange(len(wire) - 1), wire.shape[1]),
        np.full(len(in_use), user),
    )


def with_expected_error(net: IntegerNet, episodes: Episodes, headset: Headset, seed: int) -> IntegerNet:
    """The network that knows how large its errors are.

    Args:
        episodes: of users it was not trained on; with lids on their way and with slips, as in use.
        seed: of the noise.
    """
    found = judge(net, episodes, headset, seed)
    row = fit_ln_error(found.stranger_features, found.stranger_error_deg)
    stranger_ln = _with_ones(found.stranger_features) @ row
    power, leverage_ln = fit_ln_error(np.log(found.leverage)[:, None], found.error_deg)
    weight = net.head.weight.copy()
    weight[LN_ERROR] = row
    head = replace(
        net.head,
        weight=weight,
        calibration_ln=float(np.float32(np.log(np.mean(found.error_deg * np.exp(-stranger_ln))))),
        leverage_deg=float(np.exp(leverage_ln)),
        leverage_power=float(power),
    )
    return replace(net, head=head)


def fit_ln_error(values: NDArray[np.floating], error_deg: NDArray[np.floating]) -> NDArray[np.float64]:
    """The linear function of values whose exponential is the expected error.

    Args:
        values: (n, k).
        error_deg: (n,) at least one of them not zero.
    Returns:
        (k + 1,) weights, the constant last.
    """
    scale = np.append(values.std(axis=0) + _SMALLEST_STEP, 1.0)
    A = _with_ones(values) / scale
    penalty = np.append(np.full(len(scale) - 1, _PENALTY * len(A)), 0.0)
    weight = np.append(np.zeros(len(scale) - 1), np.log(error_deg.mean()))
    for _ in range(_STEPS):
        ratio = error_deg * np.exp(-A @ weight)
        gradient = A.T @ (1 - ratio) + penalty * weight
        curvature = (A * np.maximum(ratio, _LEAST_CURVATURE)[:, None]).T @ A + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weight -= step * min(1.0, _LONGEST_STEP / max(float(np.abs(A @ step).max()), _SMALLEST_STEP))
        if np.abs(step).max() < _SMALLEST_STEP:
            break
    return np.asarray(weight / scale)


def _with_ones(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.concatenate([values.astype(np.float64), np.ones((len(values), 1))], axis=1)
