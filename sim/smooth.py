"""Smooth eye movements: how the eye follows a target that moves, and how it turns to a nearer one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Array = NDArray[np.float64]

IPD_MM = 63.0
"""Distance of the pupils (R: mean of adults)."""


class Path(Protocol):
    """Where a target goes."""

    def at(self, t_s: Array) -> Array:
        """(n, 2) way in degrees from where it started, at (n,) seconds."""


@dataclass(frozen=True)
class Ramp:
    """A target at constant velocity, (2,) degrees per second."""

    velocity_deg_s: Array

    def at(self, t_s: Array) -> Array:
        """(n, 2) degrees at (n,) seconds."""
        return np.asarray(t_s[:, None] * self.velocity_deg_s)


@dataclass(frozen=True)
class Swing:
    """What a head that turns to and fro does to a target that stands in the room: away and back.

    Attributes:
        reach_deg: (2,) farthest from the start.
        frequency_hz: of the swings; at whole periods it is where it started, at rest.
    """

    reach_deg: Array
    frequency_hz: float

    def at(self, t_s: Array) -> Array:
        """(n, 2) degrees at (n,) seconds."""
        share = (1 - np.cos(2 * np.pi * self.frequency_hz * t_s)) / 2
        return np.asarray(share[:, None] * self.reach_deg)


@dataclass(frozen=True)
class Reflex:
    """A system that turns the eye smoothly: a delay and a low-pass filter of the target's velocity.

    Attributes:
        latency_s: until it begins.
        time_s: constant of the filter.
        gain, gain_sd: of the eye's velocity over the target's, over people.
    """

    latency_s: float
    time_s: float
    gain: float
    gain_sd: float

    def draw_gain(self, random: np.random.Generator) -> float:
        """One person's gain, within two standard deviations of the mean."""
        return float(self.gain + self.gain_sd * np.clip(random.standard_normal(), -2, 2))


PURSUIT = Reflex(latency_s=0.100, time_s=0.070, gain=0.90, gain_sd=0.04)
"""Smooth pursuit: begins 100 ms after the target, gain just below 1 (textbook values); the time constant is
a weak value (a target of 10 °/s accelerates the eye by 140 °/s²)."""
VOR = Reflex(latency_s=0.010, time_s=0.005, gain=0.97, gain_sd=0.015)
"""Vestibulo-ocular reflex: 10 ms, gain near 1 where there is something to see (textbook values); the time
constant is a weak value."""
VERGENCE = Reflex(latency_s=0.160, time_s=0.200, gain=1.0, gain_sd=0.0)
"""Vergence: begins after 160 ms and takes most of a second (textbook values)."""


class Follower:
    """The turn that a reflex gives the eye. The same however its samples are asked for.

    Attributes:
        turn_deg: (2,) so far.
        velocity_deg_s: (2,) now.
    """

    def __init__(self, reflex: Reflex, gain: float, rate_hz: float) -> None:
        pole = np.exp(-1 / (rate_hz * reflex.time_s))
        self._rate_hz = rate_hz
        self._numerator, self._poles = np.array([gain * (1 - pole)]), np.array([1.0, -pole])
        self._memory = np.zeros((1, 2))
        self._coming: Array = np.zeros((round(reflex.latency_s * rate_hz), 2))
        self.turn_deg: Array = np.zeros(2)
        self.velocity_deg_s: Array = np.zeros(2)

    def advance(self, target_deg_s: Array) -> tuple[Array, Array]:
        """Turn and velocity, (n, 2) each, while the target has the velocities (n, 2)."""
        count = len(target_deg_s)
        seen = np.concatenate([self._coming, target_deg_s])
        self._coming = seen[count:]
        velocity, self._memory = lfilter(self._numerator, self._poles, seen[:count], axis=0, zi=self._memory)
        # One running sum, its start included, so that parts add up to the same bits as the whole.
        turn = np.cumsum(np.concatenate([self.turn_deg[None], velocity / self._rate_hz]), axis=0)[1:]
        self.turn_deg, self.velocity_deg_s = turn[-1], velocity[-1]
        return turn, velocity


def vergence_deg(distance_m: float, side: float) -> float:
    """Horizontal turn of an eye towards the nose for a target straight ahead: half the vergence angle.

    Args:
        side: +1 for a right eye, whose nose is to the left (negative); -1 for a left eye.
    """
    return float(-side * np.degrees(np.arctan2(IPD_MM / 2, distance_m * 1000)))
