"""Eye movements: fixations with drift and microsaccades, saccades to targets, blinks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.sim.blinks import PER_MINUTE, Blink, draw_blink
from psog.sim.drift import Drift
from psog.sim.saccades import Saccade, draw_saccade
from psog.sim.streams import stream

Array = NDArray[np.float64]

FIXATION, SACCADE, BLINK = 1, 2, 5
"""Events, numbered as in `psog.third_party.GazeTrace`."""

LATENCY_S, LATENCY_SD_S, LATENCY_LEAST_S = 0.200, 0.030, 0.120
"""From a target's appearance to the saccade (r: textbook value, 200 ms)."""
AIM_SD_DEG = 0.25
"""How far beside a target one settles, per axis: with drift, the 0.3° of calibration fixations."""
UNDERSHOOT, UNDERSHOOT_SD = 0.06, 0.03
"""Of a saccade's amplitude; large ones are corrected (weak values)."""
CORRECT_DEG, CORRECT_AFTER_S = 0.5, 0.130
"""Misses beyond this get a second saccade after this long (weak values)."""
MICROSACCADES_PER_S, MICROSACCADE_REACH_DEG = 1.0, 0.2
"""They end within this of the goal, so they measure 0.1 to 0.4°."""
DRIFT_SD_DEG, DRIFT_TIME_S = 0.055, 0.1
"""Per axis: within-fixation dispersion of 0.08 to 0.10° and 0.10° rms movement in 100 ms, as in the four
EyeLink traces of `irf`."""


@dataclass(frozen=True)
class EyeSamples:
    """A stretch of eye movement.

    Attributes:
        gaze_deg: (n, 2) float32 line of sight.
        openness: (n,) float32; 0 closed, 1 as open as the gaze asks for.
        event: (n,) uint8 FIXATION, SACCADE or BLINK.
    """

    gaze_deg: NDArray[np.float32]
    openness: NDArray[np.float32]
    event: NDArray[np.uint8]


class EyeMovement:
    """One eye that looks where it is told, as people do.

    What it does depends on the seed and on the sample at which each target appeared, not on how the
    samples were asked for: `advance(3)` twice equals `advance(6)`.
    """

    def __init__(self, seed: int, rate_hz: float, *, index: int = 0) -> None:
        """
        Args:
            index: of the user, so that users of one seed move differently.
        Raises:
            SimulationError: a rate that is not positive.
        """
        if not 0 < rate_hz < np.inf:
            raise SimulationError(f"cannot move the eye at {rate_hz} samples a second; expected more than 0")
        self.rate_hz = rate_hz
        self._aims = stream(seed, "aims", index)
        self._blinks = stream(seed, "blinks", index)
        self._drift = Drift(
            stream(seed, "drift", index), rate_hz, sd=DRIFT_SD_DEG, time_s=DRIFT_TIME_S, axes=2
        )
        self._blink_gap_s = 60 / self._blinks.uniform(*PER_MINUTE)
        self._now = 0
        self._rest_deg: Array = np.zeros(2)
        self._goal_deg: Array = np.zeros(2)
        self._saccade: Saccade | None = None
        self._saccade_start = 0
        self._saccade_end = 0
        self._next_start = self._after(self._pause_s())
        self._blink, self._blink_start = self._next_blink(0)

    def look_at(self, target_deg: tuple[float, float] | NDArray[np.floating]) -> None:
        """A target appears at (h, v) degrees: the eye goes there after its latency.

        Raises:
            SimulationError: a target that is not a pair of finite numbers.
        """
        target = np.asarray(target_deg, dtype=np.float64)
        if target.shape != (2,) or not np.isfinite(target).all():
            raise SimulationError(f"cannot look at {target_deg!r}; expected two finite numbers, degrees")
        self._goal_deg = target + self._aims.standard_normal(2) * AIM_SD_DEG
        latency = max(LATENCY_S + LATENCY_SD_S * self._aims.standard_normal(), LATENCY_LEAST_S)
        self._next_start = max(self._after(latency), self._saccade_end)

    def advance(self, count: int) -> EyeSamples:
        """The next `count` samples.

        Raises:
            SimulationError: a negative count.
        """
        if count < 0:
            raise SimulationError(f"cannot advance the eye by {count} samples; expected 0 or more")
        first, end = self._now, self._now + count
        gaze, event = np.empty((count, 2)), np.empty(count, dtype=np.uint8)
        while self._now < end:
            until = min(end, self._next_start if self._saccade is None else self._saccade_end)
            part = slice(self._now - first, until - first)
            gaze[part], event[part] = self._until(until)
            self._now = until
            self._change_at_now()
        gaze += self._drift.advance(count)
        openness = self._close_lids(first, gaze, event)
        return EyeSamples(gaze.astype(np.float32), openness.astype(np.float32), event)

    def _until(self, until: int) -> tuple[Array, int]:
        """Gaze and event from now to sample `until`, within which nothing starts or ends."""
        if self._saccade is None:
            return self._rest_deg, FIXATION
        samples = np.arange(self._now, until) - self._saccade_start
        return self._saccade.at(samples / self.rate_hz), SACCADE

    def _change_at_now(self) -> None:
        """Start or end a saccade if it is time."""
        if self._saccade is None and self._now >= self._next_start:
            self._saccade = draw_saccade(self._aims, self._rest_deg, self._landing_deg())
            self._saccade_start = self._now
            self._saccade_end = self._after(self._saccade.duration_s)
            self._next_start = self._saccade_end
        elif self._saccade is not None and self._now >= self._saccade_end:
            self._rest_deg = self._saccade.end_deg
            self._saccade = None
            if self._next_start <= self._now:
                missed = np.linalg.norm(self._goal_deg - self._rest_deg) > CORRECT_DEG
                self._next_start = self._after(CORRECT_AFTER_S if missed else self._pause_s())

    def _landing_deg(self) -> Array:
        """Where the next saccade ends: short of a distant goal, about a near one (a microsaccade)."""
        way = self._goal_deg - self._rest_deg
        if np.linalg.norm(way) > CORRECT_DEG:
            undershoot = UNDERSHOOT + UNDERSHOOT_SD * self._aims.standard_normal()
            return np.asarray(self._rest_deg + way * (1 - undershoot))
        angle, reach = self._aims.uniform(0, 2 * np.pi), self._aims.uniform(0, MICROSACCADE_REACH_DEG)
        return np.asarray(self._goal_deg + reach * np.array([np.cos(angle), np.sin(angle)]))

    def _close_lids(self, first: int, gaze_deg: Array, event: NDArray[np.uint8]) -> Array:
        """Openness of the samples from `first`; turns the eye and marks the event where it blinks."""
        openness = np.ones(len(gaze_deg))
        while self._blink_start < self._now:
            length = max(self._count(self._blink.duration_s), 1)
            start = max(self._blink_start, first)
            stop = min(self._blink_start + length, self._now)
            part = slice(start - first, stop - first)
            t = (np.arange(start, stop) - self._blink_start) / self.rate_hz
            openness[part] = self._blink.openness(t)
            gaze_deg[part] += self._blink.offset_deg(t)
            event[part] = BLINK
            if self._blink_start + length > self._now:
                break
            self._blink, self._blink_start = self._next_blink(self._blink_start + length)
        return openness

    def _next_blink(self, after: int) -> tuple[Blink, int]:
        gap_s = self._blinks.exponential(self._blink_gap_s)
        return draw_blink(self._blinks), after + max(self._count(gap_s), 1)

    def _pause_s(self) -> float:
        return float(self._aims.exponential(1 / MICROSACCADES_PER_S))

    def _after(self, seconds: float) -> int:
        return self._now + max(self._count(seconds), 1)

    def _count(self, seconds: float) -> int:
        return round(seconds * self.rate_hz)
