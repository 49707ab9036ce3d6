"""How a headset moves while it is worn: it creeps, jolts and rides on facial expressions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.sim.fits import FLAT, SLIP_ROLL_DEG_PER_MM
from psog.sim.streams import stream

Array = NDArray[np.float64]

CREEP_TIME_S = 1200.0
"""In which the creep comes within 1/e of its end: skin and padding settle in the first half hour; a weak
value."""
CREEP_WANDER = 0.4
"""Of its way downwards a creep also goes sideways and to the face (SD); a weak value."""
SETTLE_S, SETTLE_HZ = 0.08, 6.0
"""After a jolt the headset swings to its new place on its padding: damping and frequency are weak values."""
STRAP = 0.3
"""Share of a displacement that the strap takes back at the next jolt, so that jolts do not add up without
end; a weak value."""
EXPRESSION_S = (0.2, 1.5)
"""How long an expression lasts: between a micro-expression and a social smile; a weak value."""
SQUEEZE_MM, RAISE_MM = (-0.6, -1.0), (0.8, 0.1)
"""What the upper and the lower margin do when cheeks press the eye together and when brows go up, at the
height of a strong expression; weak values."""


@dataclass(frozen=True)
class Motion:
    """How much a headset moves on a head.

    Magnitudes are chosen so that the mean displacement over an hour lies within the task means of glasses,
    0.26 to 4.05 mm and 0.10 to 1.81 degrees (Niehorster et al. 2020 and later).

    Attributes:
        creep_mm: how far it slides down, in the end.
        jolts_per_h, jolt_mm: how often it is jolted, and the typical step (of each axis, z half).
        expressions_per_min, expression_mm: how often a face moves it, and how far at most.
    Raises:
        SimulationError: a negative number, or one that is not finite.
    """

    creep_mm: float = 0.0
    jolts_per_h: float = 0.0
    jolt_mm: float = 0.0
    expressions_per_min: float = 0.0
    expression_mm: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < np.inf:
                raise SimulationError(f"a headset cannot move so: {name} is {value}, expected 0 or more")


MOTIONS = {
    "fixed": Motion(),
    "still": Motion(0.5, jolts_per_h=2, jolt_mm=0.15, expressions_per_min=0.5, expression_mm=0.1),
    "office": Motion(1.0, jolts_per_h=20, jolt_mm=0.4, expressions_per_min=2, expression_mm=0.3),
    "active": Motion(1.5, jolts_per_h=240, jolt_mm=0.7, expressions_per_min=5, expression_mm=0.5),
}
"""By name: not at all; sitting without a word; at a desk; walking and talking. Weak values."""


def motion_named(name: str) -> Motion:
    """The motion of that name.

    Raises:
        SimulationError: no such motion.
    """
    if name not in MOTIONS:
        raise SimulationError(f"unknown wear {name!r}; expected one of {', '.join(MOTIONS)}")
    return MOTIONS[name]


class Slip(NamedTuple):
    """What a face and a strap do to a headset.

    Attributes:
        fits: (n, 4) shift x, y, z (mm) and roll (degrees) since it was put on.
        lid_offset_mm: (n, 2) of the upper and lower margin, by facial expressions.
    """

    fits: Array
    lid_offset_mm: Array


class Slippage:
    """A headset that slips; the same however its samples are asked for.

    Args:
        index, donning: of the user, and of the time they put the headset on.
    Raises:
        SimulationError: a rate that is not positive.
    """

    def __init__(self, motion: Motion, seed: int, index: int, rate_hz: float, *, donning: int = 0) -> None:
        if not 0 < rate_hz < np.inf:
            raise SimulationError(
                f"a headset cannot slip at {rate_hz} samples a second; expected more than 0"
            )
        self._motion, self._rate_hz, self._now = motion, rate_hz, 0
        random = [stream(seed, f"slippage {what} {donning}", index) for what in ("creep", "jolt", "face")]
        self._creep = _creep(random[0], motion.creep_mm)
        self._jolts = _Arrivals(random[1], motion.jolts_per_h / 3600, rate_hz, self._draw_jolt)
        self._faces = _Arrivals(random[2], motion.expressions_per_min / 60, rate_hz, self._draw_expression)
        self._jolted = self._rest = np.zeros(4)

    def advance(self, count: int) -> Slip:
        """The next `count` samples.

        Raises:
            SimulationError: a negative count.
        """
        if count < 0:
            raise SimulationError(f"a headset cannot slip for {count} samples; expected 0 or more")
        fits, lids = np.tile(self._rest, (count, 1)), np.zeros((count, 2))
        for jolt in self._jolts.until(self._now + count):
            t, part = jolt.within(self._now, count)
            fits[part] += _settled(t / self._rate_hz)[:, None] * jolt.way
            fits[part.stop :] += jolt.way
        for face in self._faces.until(self._now + count):
            t, part = face.within(self._now, count)
            bump = _bump(t / face.length)[:, None]
            fits[part] += bump * face.way[:4]
            lids[part] += bump * face.way[4:]
        t_s = np.arange(self._now, self._now + count) / self._rate_hz
        fits += -np.expm1(-t_s / CREEP_TIME_S)[:, None] * self._creep
        self._now += count
        for jolt in self._jolts.over(self._now):
            self._rest = self._rest + jolt.way
        self._faces.over(self._now)
        return Slip(fits, lids)

    def _draw_jolt(self, random: np.random.Generator) -> tuple[float, Array]:
        step = np.empty(4)
        step[:3] = random.standard_normal(3) * FLAT * self._motion.jolt_mm
        step[3] = random.standard_normal() * SLIP_ROLL_DEG_PER_MM * self._motion.jolt_mm
        goal = (1 - STRAP) * self._jolted + step
        way, self._jolted = goal - self._jolted, goal
        return _SETTLED * SETTLE_S, way

    def _draw_expression(self, random: np.random.Generator) -> tuple[float, Array]:
        """Cheeks push the headset up and away; brows pull the skin under it up."""
        strength = random.uniform(0.2, 1.0)
        lids = SQUEEZE_MM if random.random() < 0.5 else RAISE_MM
        sideways, away, roll = random.standard_normal(3)
        shift = np.array([0.3 * sideways, 1.0, 0.3 * abs(away), 0.3 * SLIP_ROLL_DEG_PER_MM * roll])
        way = np.array([*(shift * self._motion.expression_mm), *lids]) * strength
        return random.uniform(*EXPRESSION_S), way


def _creep(random: np.random.Generator, creep_mm: float) -> Array:
    """(4,) where a creep ends: down, and a little beside."""
    down = creep_mm * random.uniform(0.5, 1.5)
    aside = random.standard_normal(3) * CREEP_WANDER * creep_mm
    return np.array([aside[0], -down, -abs(aside[1]) * FLAT[2], aside[2] * SLIP_ROLL_DEG_PER_MM])


_SETTLED = 10.0
"""Damping times after which a jolt is over."""


def _settled(t_s: Array) -> Array:
    """Share of a step at (n,) seconds after a jolt: a damped swing about 1."""
    return np.asarray(1 - np.exp(-t_s / SETTLE_S) * np.cos(2 * np.pi * SETTLE_HZ * t_s))


def _bump(share: Array) -> Array:
    """A smooth rise from 0 to 1 and fall back to 0, over shares of its length."""
    return np.asarray(np.sin(np.pi * share) ** 2)


@dataclass(frozen=True)
class _Event:
    """Something that begins at sample `start` and takes `length` samples; `way` is what it moves."""

    start: int
    length: int
    way: Array

    def within(self, first: int, count: int) -> tuple[Array, slice]:
        """Samples since it began, and where these stand among `count` samples from `first`."""
        start = min(max(self.start - first, 0), count)
        stop = min(max(self.start + self.length - first, 0), count)
        since = np.arange(start, stop, dtype=np.float64) + (first - self.start)
        return since, slice(start, stop)


class _Arrivals:
    """Events at random times (Poisson); what comes next depends only on what came before."""

    def __init__(
        self,
        random: np.random.Generator,
        rate_per_s: float,
        rate_hz: float,
        draw: Callable[[np.random.Generator], tuple[float, Array]],
    ) -> None:
        """
        Args:
            draw: duration (s) and way of an event.
        """
        self._random, self._rate_per_s, self._rate_hz, self._draw = random, rate_per_s, rate_hz, draw
        self._going: list[_Event] = []
        self._next = self._after(0)

    def until(self, stop: int) -> list[_Event]:
        """Those that begin before sample `stop` and are not forgotten, the oldest first."""
        while self._next < stop:
            seconds, way = self._draw(self._random)
            length = max(round(seconds * self._rate_hz), 1)
            self._going.append(_Event(int(self._next), length, way))
            self._next = self._after(self._next)
        return self._going

    def over(self, now: int) -> list[_Event]:
        """Forget, and return, those that are over at sample `now`."""
        ended = [event for event in self._going if event.start + event.length <= now]
        self._going = [event for event in self._going if event.start + event.length > now]
        return ended

    def _after(self, sample: float) -> float:
        """The sample at which the next one begins, after one at `sample`."""
        if self._rate_per_s == 0:
            return np.inf
        return sample + max(round(self._random.exponential(1 / self._rate_per_s) * self._rate_hz), 1)
