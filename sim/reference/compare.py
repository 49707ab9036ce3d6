"""The fast simulator against path-traced readings: how far it is off, where, and what effects are worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from psog.headset import Headset
from psog.sim.population import Users
from psog.sim.reference.rays import Array
from psog.sim.reference.readings import Readings
from psog.sim.reference.scene import IRIS, PUPIL, SCLERA, SKIN, WALL
from psog.sim.reference.states import States
from psog.sim.render import FINE, Effects, Optics, render

TRACED = Effects(lashes=False, skin_relief=False, tear_film=False, spectacles=False)
"""What the path-traced scene has."""
VARIES = 0.05
"""SD over mean from which on a sensor's correlation counts."""
_PAINTS = ("skin", "sclera", "iris", "pupil")


@dataclass(frozen=True)
class Agreement:
    """Of one headset. What is relative is relative to the mean path-traced reading.

    Attributes:
        gain: the one factor on all fast readings that fits them to the path-traced ones best.
        residual: rms of what is left.
        error: rms standard error of the path-traced readings.
        correlation, sensor_residual, variation: per sensor over all states; `variation` is SD over mean.
        correlation_within: per sensor, each user's mean reading taken away.
        parts: rms difference by surface, after `gain`: light scattered once, and the glint.
        effects: rms of what an effect adds: refraction, lid margin, interreflection, glint.
        effect_means: mean of the same.
        state_residual: (n,) rms over sensors.
    """

    gain: float
    residual: float
    error: float
    correlation: Array
    correlation_within: Array
    sensor_residual: Array
    variation: Array
    parts: dict[str, float]
    effects: dict[str, float]
    effect_means: dict[str, float]
    state_residual: Array

    @property
    def least_correlation(self) -> float:
        """Of the sensors whose signal varies."""
        return float(self.correlation[self.variation > VARIES].min(initial=1.0))


def fast_readings(
    headset: Headset, states: States, users: Users | None = None, effects: Effects = TRACED
) -> Array:
    """(n, sensors) of the fast simulator; `users` stand in for those of the states."""
    optics = Optics(headset, FINE, effects)
    return render(optics, users or states.worn_by, states.pose, states.rows)[:, 0].astype(np.float64)


def fast_parts(headset: Headset, states: States) -> dict[str, Array]:
    """The fast readings by surface, each with all other surfaces black: light is additive.

    Without interreflection: what is compared with them was scattered once.
    """
    users, once = states.worn_by, replace(TRACED, interreflection=False)
    glint = fast_readings(headset, states, _only(users, ()), once)
    parts = {name: fast_readings(headset, states, _only(users, (name,)), once) - glint for name in _PAINTS}
    return {**parts, "glint": glint}


def _only(users: Users, painted: tuple[str, ...]) -> Users:
    black = np.zeros(users.count)
    return replace(users, **{name: black for name in _PAINTS if name not in painted})


def traced_parts(readings: Readings) -> dict[str, Array]:
    """The path-traced light that was scattered once, under the same names."""
    return {
        "skin": readings.direct[..., SKIN] + readings.direct[..., WALL],
        "sclera": readings.direct[..., SCLERA],
        "iris": readings.direct[..., IRIS],
        "pupil": readings.direct[..., PUPIL],
        "glint": readings.glint,
    }


def agreement(headset: Headset, states: States, readings: Readings) -> Agreement:
    """Render the states fast and compare."""
    fast, traced = fast_readings(headset, states), readings.total
    mean = traced.mean()
    gain = float((fast * traced).sum() / (fast**2).sum())
    off = (gain * fast - traced) / mean
    parts, expected = fast_parts(headset, states), traced_parts(readings)
    direct = readings.direct.sum(-1)
    effects = {
        "refraction": direct - readings.bare,
        "lid margin": readings.direct[..., WALL],
        "interreflection": readings.indirect.sum(-1),
        "glint": readings.glint,
    }
    return Agreement(
        gain=gain,
        residual=_rms(off),
        error=_rms(readings.error / mean),
        correlation=_correlations(fast, traced),
        correlation_within=_correlations(
            _less_user_means(fast, states.user), _less_user_means(traced, states.user)
        ),
        sensor_residual=np.sqrt((off**2).mean(axis=0)),
        variation=traced.std(axis=0) / traced.mean(axis=0),
        parts={name: _rms((gain * parts[name] - expected[name]) / mean) for name in parts},
        effects={name: _rms(value / mean) for name, value in effects.items()},
        effect_means={name: float(value.mean() / mean) for name, value in effects.items()},
        state_residual=np.sqrt((off**2).mean(axis=1)),
    )


def _rms(values: Array) -> float:
    return float(np.sqrt((values**2).mean()))


def _correlations(first: Array, second: Array) -> Array:
    """Per column; 1 where neither varies."""
    a, b = first - first.mean(axis=0), second - second.mean(axis=0)
    return np.asarray((a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0)))


def _less_user_means(values: Array, user: np.ndarray) -> Array:
    out = values.copy()
    for one in np.unique(user):
        out[user == one] -= values[user == one].mean(axis=0)
    return out
