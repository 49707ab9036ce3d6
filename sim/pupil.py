"""The pupil: how wide it is in a light, how it follows a change of the light, and its unrest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError, SimulationError
from psog.sim.anatomy import PUPIL_RANGE_MM
from psog.sim.drift import Drift
from psog.sim.streams import stream

Array = NDArray[np.float64]

AGE_YEARS, _REFERENCE_AGE_YEARS = 30.0, 28.58
"""Of a user, where nothing else is said; and the age at which the formula of Stanley and Davies holds."""
DISPLAY_DEG2 = 2000.0
"""Area of the display: a disc 50 degrees across; a weak value."""
DISPLAY_CD_M2 = 10.0
"""Luminance of a display, averaged over its picture, at which a user has their mean diameter: the formula
gives 4.0 mm, as `anatomy.PUPIL_MM`. A weak value."""
LUMINANCE_LOG_SD = 0.6
"""By how much (natural logarithm) the display's luminance differs between stretches of wear; a weak value."""
AROUSAL_SD_MM = 0.24
"""How differently wide one user's pupil is at the same luminance, from stretch to stretch; a weak value."""
POSE_SD_MM = 0.4
"""Both together: from one stretch of wear to the next."""

LATENCY_S = (0.2, 0.4)
"""From a change of light to the pupil's answer, over users: 0.2 to 0.5 s (r), mostly by how bright the light
is (Lee, Cohen, Boynton 1969); here it does not depend on the light."""
CONSTRICTION_S = 0.3
"""Time constant: most of a constriction is over within a second (r); a weak value."""
REDILATION = 3.0
"""The pupil opens this much more slowly than it closes (Pamplona, Oliveira, Baranoski 2009; r)."""

MOMENT_SD_MM = 0.15
"""Within a stretch: hippus; a weak value."""
UNREST_TIME_S = 1.0
"""Hippus is slow: most of it lies below 0.5 Hz (r)."""


def steady_diameter_mm(
    luminance_cd_m2: Array | float, *, area_deg2: float = DISPLAY_DEG2, age_years: float = AGE_YEARS
) -> Array:
    """Diameter in constant light seen by both eyes, of an average person.

    Source: unified formula of Watson and Yellott, A unified formula for light-adapted pupil size, Journal of
    Vision 12(10):12, 2012; made for ages 20 to 83. It rests on Stanley and Davies 1995.

    Args:
        luminance_cd_m2: any shape, at least 0.
        area_deg2: of the field that gives this light.
    Returns:
        mm, of the shape of the luminance.
    Raises:
        SimulationError: a luminance that is negative or not finite.
    """
    luminance = np.asarray(luminance_cd_m2, dtype=np.float64)
    if not ((luminance >= 0) & (luminance < np.inf)).all():
        raise SimulationError("cannot light the pupil: luminance must be finite and at least 0 cd/m²")
    flux = (luminance * area_deg2 / 846) ** 0.41
    young = 7.75 - 5.75 * flux / (flux + 2)
    return np.asarray(young + (age_years - _REFERENCE_AGE_YEARS) * (0.02132 - 0.009562 * young))


_DISPLAY_MM = steady_diameter_mm(DISPLAY_CD_M2)


def own_diameter_mm(mean_mm: Array | float, luminance_cd_m2: Array | float) -> Array:
    """Diameter in constant light of a user who has `mean_mm` at DISPLAY_CD_M2.

    That a user differs from the average by the same amount in every light is a weak assumption.
    """
    change = steady_diameter_mm(luminance_cd_m2) - _DISPLAY_MM
    return np.asarray(np.clip(mean_mm + change, *PUPIL_RANGE_MM))


def draw_stretches(random: np.random.Generator, count: int) -> tuple[Array, Array]:
    """What differs between stretches of wear: (count,) luminance in cd/m², (count,) arousal in mm."""
    normal = random.standard_normal((2, count))
    return DISPLAY_CD_M2 * np.exp(LUMINANCE_LOG_SD * normal[0]), AROUSAL_SD_MM * normal[1]


class Pupil:
    """One user's pupil over time.

    It goes exponentially to what the light of a latency ago asks for, faster when it closes, and is never
    quite at rest. It is the same however its samples are asked for, if the light is.
    """

    def __init__(self, seed: int, index: int, rate_hz: float, mean_mm: float) -> None:
        """
        Args:
            index: of the user.
            mean_mm: their diameter at DISPLAY_CD_M2, where the pupil starts.
        """
        self._rate_hz = rate_hz
        self._mean_mm = mean_mm
        self._latency = max(round(stream(seed, "pupil latency", index).uniform(*LATENCY_S) * rate_hz), 1)
        self._unrest = Drift(
            stream(seed, "unrest", index), rate_hz, sd=MOMENT_SD_MM, time_s=UNREST_TIME_S, axes=1
        )
        self.settle(mean_mm, DISPLAY_CD_M2)

    def settle(self, mean_mm: float, luminance_cd_m2: float) -> None:
        """A new stretch: `mean_mm` at DISPLAY_CD_M2, and used to this light already."""
        self._mean_mm = mean_mm
        self._goal_mm = self._from_mm = float(own_diameter_mm(mean_mm, luminance_cd_m2))
        self._since = 0
        self._coming = np.full(self._latency, self._goal_mm)

    def advance(self, count: int, luminance_cd_m2: Array | float) -> Array:
        """The next `count` diameters (mm), in a light of () or (count,) cd/m².

        Raises:
            SimulationError: a luminance that is negative or not finite.
            ShapeError: as many luminances as no sample asks for.
        """
        light = np.asarray(luminance_cd_m2, dtype=np.float64)
        if light.shape not in ((), (count,)):
            raise ShapeError(f"the pupil: luminances have shape {light.shape}, expected () or ({count},)")
        asked = np.broadcast_to(own_diameter_mm(self._mean_mm, light), (count,))
        goals = np.concatenate([self._coming, asked])
        self._coming = goals[count:]
        diameter = self._reflex(goals[:count]) + self._unrest.advance(count)[:, 0]
        return np.asarray(np.clip(diameter, *PUPIL_RANGE_MM))

    def _reflex(self, goals_mm: Array) -> Array:
        """The answer to (n,) goals: within a run of the same goal the way there is one exponential."""
        found = np.empty(len(goals_mm))
        turns = np.flatnonzero(np.diff(goals_mm)) + 1
        for first, stop in zip([0, *turns], [*turns, len(goals_mm)], strict=True):
            if first < stop and goals_mm[first] != self._goal_mm:
                self._from_mm, self._since = float(self._at(self._since)), 0
                self._goal_mm = float(goals_mm[first])
            found[first:stop] = self._at(self._since + 1 + np.arange(stop - first))
            self._since += stop - first
        return found

    def _at(self, samples: NDArray[np.integer] | int) -> Array:
        """Diameter so many samples after the goal changed."""
        time_s = CONSTRICTION_S * (1.0 if self._from_mm > self._goal_mm else REDILATION)
        fade = np.exp(-np.asarray(samples) / (time_s * self._rate_hz))
        return np.asarray(self._goal_mm + (self._from_mm - self._goal_mm) * fade)
