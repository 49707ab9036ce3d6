"""What slips do to heads and readings, learnt from simulated users who calibrate and then slip.

Each user's head is fitted in pose 0; then for each other pose the change of the head that would have served
best there, and the readings of a minute in which gaze is spread in some way that nobody knows (weights over
the samples of the pose make it even, central, in one spot, on a page or on one side).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import ModelError
from psog.net.calibrated import Form
from psog.net.embedding import personal
from psog.net.integer import IntegerNet
from psog.net.recovery import Recovery
from psog.net.ridge import GAZE_OUTPUTS, GAZE_UNIT_DEG, solve_head
from psog.net.surface import (
    CALIBRATION_RIDGE,
    SURFACE_RIDGE,
    Moments,
    fitted,
    inputs_of,
    moments,
    terms,
)

Array = NDArray[np.float64]

CHANGES = 24
"""Directions in which heads change: of 8, 16 and 24 the number with the least error on other users."""
HEAD_RIDGE = 0.05
"""How strongly the best head of a pose is held to that of the calibration, in units of the features' own
covariance; 0.05, 0.2 and 0.5 served about equally."""
MAP_RIDGE = 0.01
"""Of the map from surfaces to changes, both with a variance of one; 0.1 is about as good."""
FIXATION_SD_DEG = 0.3
"""How far from a target people look, an axis (a weak value)."""
RESTS = 4
"""The same of the two poses without a slip, for the alarm."""
CALM_RIDGE = 0.03
"""Of the covariance of what wanders at rest, in its mean variance; 0.003 to 0.3 served equally."""
WINDOWS = 2
"""Minutes with gaze of their own drawn for each pose."""
_ROWS = 256  # at a time, to keep products small in memory
LOOKS_PER_H = 60
"""How often drift is looked at."""
ALARMS_PER_H = 1.0
"""False ones."""


@dataclass(frozen=True)
class Slips:
    """Users who slip, as the network sees them.

    Attributes:
        inputs: (users, poses, samples, sensors), features: (users, poses, samples, D + 1) the last ones 1.
        gaze_deg: (users, poses, samples, 2).
        heads: (users, 2, D + 1) of the calibration in pose 0.
    """

    inputs: Array
    features: Array
    gaze_deg: Array
    heads: Array

    def missing(self) -> Array:
        """(users, poses - 1, samples, 2) gaze that the head of the calibration does not find."""
        return np.asarray(
            self.gaze_deg[:, 1:] - self.features[:, 1:] @ self.heads.transpose(0, 2, 1)[:, None]
        )


def learn(
    net: IntegerNet,
    form: Form,
    wire: NDArray[np.uint16],
    gaze_deg: NDArray[np.floating],
    slips_mm: Sequence[float],
    *,
    seed: int,
) -> Recovery:
    """Learn to recover.

    Args:
        wire: (users, poses, samples, sensors) readings of open eyes; pose 0 is a calibration.
        gaze_deg: (users, poses, samples, 2), targets in pose 0.
        slips_mm: of the poses after it; at least two of them 0, for what is no drift.
        seed: of the minutes' gazes.
    Raises:
        ModelError: poses and slips do not belong together, or fewer than two slips of 0 mm.
    """
    still = np.flatnonzero(np.asarray(slips_mm) == 0)
    if wire.shape[1] != 1 + len(slips_mm) or len(still) < 2:
        raise ModelError(
            f"cannot learn to recover: {wire.shape[1]} poses and slips of {tuple(slips_mm)} mm; expected one "
            "pose more than slips, two of them 0 mm"
        )
    slips = seen_slips(net, form, wire, np.asarray(gaze_deg, np.float64))
    covariance = _covariance(slips.features)
    changes, noise_deg = _changes(slips, covariance)
    surface = average_surface(slips)
    random = np.random.default_rng((seed, 1))
    slipped = range(1, wire.shape[1])
    windows = np.stack([surfaces_of_windows(slips, surface, slipped, random) for _ in range(WINDOWS)])
    weight, bias, left = _map(slips, changes, windows)
    rests = np.stack([surfaces_of_windows(slips, surface, 1 + still[:2], random) for _ in range(RESTS)])
    calm, alarm = _calm((rests[:, :, 1] - rests[:, :, 0]).reshape(-1, rests.shape[-1]) @ weight.T)
    return Recovery(surface, changes, weight, bias, left, noise_deg, calm, alarm)


def _calm(wandered: Array) -> tuple[Array, float]:
    """What makes (n, K) changes of a headset at rest white, and the drift that few of them exceed."""
    spread = wandered.T @ wandered / len(wandered)
    spread += CALM_RIDGE * np.trace(spread) / len(spread) * np.eye(len(spread))
    calm = np.linalg.inv(np.linalg.cholesky(spread))
    drifts = np.linalg.norm(wandered @ calm.T, axis=1)
    return calm, float(np.quantile(drifts, 1 - ALARMS_PER_H / LOOKS_PER_H))


def seen_slips(net: IntegerNet, form: Form, wire: NDArray[np.uint16], gaze_deg: Array) -> Slips:
    """Readings and gaze of `learn` as the network, calibrated in pose 0, has them."""
    _, poses, samples, sensors = wire.shape
    prior = net.head.weight[:GAZE_OUTPUTS].astype(np.float64)
    features, heads = [], []
    for own, labels in zip(wire, gaze_deg, strict=True):
        seen = form(personal(net, own[0], labels[0]))(own.reshape(-1, sensors)).reshape(poses, samples, -1)
        heads.append(solve_head(seen[0], labels[0], prior, net.head.ridge))
        features.append(np.concatenate([seen, np.ones((poses, samples, 1))], axis=-1))
    inputs = inputs_of(net, wire.reshape(-1, sensors)).reshape(wire.shape).astype(np.float64)
    return Slips(inputs, np.array(features, np.float64), gaze_deg, np.array(heads))


def _covariance(features: Array) -> Array:
    """(D + 1, D + 1) second moments of the features, kept invertible."""
    rows = features.reshape(-1, features.shape[-1])
    found = rows.T @ rows / len(rows)
    return np.asarray(found + 1e-4 * np.trace(found) / len(found) * np.eye(len(found)))


def _changes(slips: Slips, covariance: Array) -> tuple[Array, float]:
    """Changes of heads of unit variance over slips, and the rms gaze that whole heads leave, an axis."""
    rows, missing = slips.features[:, 1:], slips.missing()
    gram = rows.transpose(0, 1, 3, 2) @ rows / rows.shape[2] + HEAD_RIDGE * covariance
    best = np.linalg.solve(gram, rows.transpose(0, 1, 3, 2) @ missing / rows.shape[2]).transpose(0, 1, 3, 2)
    left = missing - rows @ best.transpose(0, 1, 3, 2)
    root = np.linalg.cholesky(covariance)
    flat = (best @ root).reshape(-1, GAZE_OUTPUTS * len(root))
    _, size, ways = np.linalg.svd(flat / np.sqrt(len(flat)), full_matrices=False)
    size, ways = size[:CHANGES], ways[:CHANGES].reshape(-1, GAZE_OUTPUTS, len(root))
    noise_deg = float(np.sqrt((left**2).mean() + FIXATION_SD_DEG**2))
    return size[:, None, None] * (ways @ np.linalg.inv(root)), noise_deg


def average_surface(slips: Slips) -> Array:
    """(6, sensors) inputs over gaze of the average calibration."""
    rows, inputs = terms(slips.gaze_deg[:, 0]), slips.inputs[:, 0]
    return np.asarray(
        np.linalg.lstsq(rows.reshape(-1, rows.shape[-1]), inputs.reshape(-1, inputs.shape[-1]))[0]
    )


def surfaces_of_windows(
    slips: Slips, average: Array, poses: Iterable[int], random: np.random.Generator
) -> Array:
    """(users, poses, 6 · sensors) coefficients of surfaces, each of a minute with gaze of its own."""
    found = []
    for inputs, features, gaze_deg, head in zip(
        slips.inputs, slips.features, slips.gaze_deg, slips.heads, strict=True
    ):
        own = average + fitted(moments(inputs[0], gaze_deg[0]), average, CALIBRATION_RIDGE)
        estimated = features @ head.T
        for pose in poses:
            chosen = _minute(random, gaze_deg[pose])
            rows = terms(estimated[pose])
            weighted = rows.T * chosen
            seen = Moments(1.0, weighted @ rows, weighted @ inputs[pose])
            found.append(fitted(seen, own, SURFACE_RIDGE).ravel())
    return np.array(found).reshape(len(slips.heads), -1, len(found[0]))


def _minute(random: np.random.Generator, gaze_deg: Array) -> Array:
    """(samples,) weights that spread a minute's gaze in some way; they add up to 1."""
    weights = _SPREADS[random.choice(len(_SPREADS), p=_SHARES)](random, gaze_deg) + 1e-6
    return np.asarray(weights / weights.sum())


def _even(random: np.random.Generator, gaze_deg: Array) -> Array:
    return np.ones(len(gaze_deg))


def _about(random: np.random.Generator, gaze_deg: Array, centre_deg: Array) -> Array:
    sd_deg = random.uniform(4, 12)
    return np.asarray(np.exp(-((gaze_deg - centre_deg) ** 2).sum(axis=1) / (2 * sd_deg**2)))


def _central(random: np.random.Generator, gaze_deg: Array) -> Array:
    return _about(random, gaze_deg, np.zeros(2))


def _spot(random: np.random.Generator, gaze_deg: Array) -> Array:
    return _about(random, gaze_deg, random.uniform(-10, 10, 2))


def _page(random: np.random.Generator, gaze_deg: Array) -> Array:
    away = np.abs(gaze_deg - [0, random.uniform(-10, 10)])
    return np.asarray((away < [14, 7]).all(axis=1) + 1e-3)


def _side(random: np.random.Generator, gaze_deg: Array) -> Array:
    along = gaze_deg[:, random.integers(2)] * random.choice([-1, 1])
    return np.asarray(along > random.uniform(0, GAZE_UNIT_DEG / 2), np.float64)


_SPREADS: tuple[Callable[[np.random.Generator, Array], Array], ...] = (_even, _central, _spot, _page, _side)
_SHARES = (0.2, 0.25, 0.25, 0.15, 0.15)
"""How often; weak values."""


def _map(slips: Slips, changes: Array, windows: Array) -> tuple[Array, Array, Array]:
    """The linear map that leaves the least gaze missing; its bias; and the covariance of what it leaves.

    Args:
        windows: (windows, users, poses - 1, coefficients).
    """
    rows, missing = slips.features[:, 1:], slips.missing()
    jacobian = np.einsum("kcd,upsd->upsck", changes, rows, optimize=True)
    jacobian = jacobian.reshape(-1, rows.shape[2] * GAZE_OUTPUTS, len(changes))
    gram = jacobian.transpose(0, 2, 1) @ jacobian / rows.shape[2]
    wanted = jacobian.transpose(0, 2, 1) @ missing.reshape(len(jacobian), -1, 1) / rows.shape[2]
    count = len(windows)
    flat = windows.reshape(-1, windows.shape[-1])
    scale = flat.std(axis=0)
    known = np.concatenate([flat / scale, np.ones((len(flat), 1))], axis=1)
    gram, wanted = np.tile(gram, (count, 1, 1)), np.tile(wanted, (count, 1, 1))
    n, width, size = len(known), known.shape[1], len(changes)
    pairs = np.zeros((width * width, size * size))
    for first in range(0, n, _ROWS):
        some = known[first : first + _ROWS]
        products = (some[:, :, None] * some[:, None, :]).reshape(len(some), -1)
        pairs += products.T @ gram[first : first + _ROWS].reshape(len(some), -1)
    system = pairs.reshape(width, width, size, size).transpose(0, 2, 1, 3).reshape(width * size, -1)
    target = (known.T @ wanted[..., 0]).reshape(-1)
    found = np.linalg.solve(system / n + MAP_RIDGE * np.eye(width * size), target / n).reshape(width, size)
    best = np.linalg.solve(gram + HEAD_RIDGE * np.eye(size), wanted)[..., 0]
    left = best - known @ found
    return (found[:-1] / scale[:, None]).T, found[-1], left.T @ left / n
