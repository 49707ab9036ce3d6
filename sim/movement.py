"""Eye movements: fixations, saccades to targets, smooth movements after them, blinks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.recording import BLINK, FIXATION, OSCILLATION, PURSUING, SACCADE
from psog.sim.blinks import PER_MINUTE, Blink, draw_blink
from psog.sim.drift import Drift
from psog.sim.microsaccades import microsaccade_end_deg, microsaccade_gap_s, microsaccades_per_s
from psog.sim.saccades import OSCILLATION_S, SETTLED_S, Saccade, draw_saccade, duration_s
from psog.sim.smooth import PURSUIT, VERGENCE, Follower, Path, Reflex, vergence_deg
from psog.sim.streams import stream
from psog.sim.tremor import Tremor

Array = NDArray[np.float64]

LATENCY_S, LATENCY_SD_S, LATENCY_LEAST_S = 0.200, 0.030, 0.120
"""From a target's appearance to the saccade (r: textbook value, 200 ms)."""
AIM_SD_DEG = 0.2
"""How far beside a target one settles, per axis: with drift and microsaccades, the 0.3° of calibration
fixations."""
UNDERSHOOT, UNDERSHOOT_SD = 0.06, 0.03
"""Of a saccade's amplitude; large ones are corrected (weak values)."""
CORRECT_DEG, CORRECT_AFTER_S = 0.5, 0.130
"""Misses beyond this get a second saccade after this long (weak values)."""
CATCH_UP_DEG, CATCH_UP_S = 1.0, 0.15
"""While the eye follows a target, it looks every so often whether it lags behind by more than this; weak
values."""
PURSUING_DEG_S = 1.0
"""Slower smooth movement is labelled as fixation; a weak value."""
DRIFT_SD_DEG, DRIFT_TIME_S = 0.085, 0.15
"""Per axis: 0.1° rms in 100 ms, as in the four EyeLink traces of `irf`, and with it a within-fixation
dispersion of 0.08° (0.08 to 0.10° there, with a tracker's noise)."""


@dataclass(frozen=True)
class EyeSamples:
    """A stretch of eye movement.

    Attributes:
        gaze_deg: (n, 2) float32 line of sight.
        openness: (n,) float32; 0 closed, 1 as open as the gaze asks for.
        event: (n,) uint8 FIXATION, SACCADE, OSCILLATION (after a saccade), PURSUING or BLINK.
    """

    gaze_deg: NDArray[np.float32]
    openness: NDArray[np.float32]
    event: NDArray[np.uint8]


class EyeMovement:
    """One eye that looks where it is told, as people do.

    What it does depends on the seed and on the sample at which each target appeared, not on how the
    samples were asked for: `advance(3)` twice equals `advance(6)`.
    """

    def __init__(self, seed: int, rate_hz: float, *, index: int = 0, side: float = 1.0) -> None:
        """
        Args:
            index: of the user, so that users of one seed move differently.
            side: +1 for a right eye, -1 for a left eye: where its nose is.
        Raises:
            SimulationError: a rate that is not positive, or another side.
        """
        if not 0 < rate_hz < np.inf:
            raise SimulationError(f"cannot move the eye at {rate_hz} samples a second; expected more than 0")
        if side not in (1, -1):
            raise SimulationError(f"cannot move an eye of side {side}; expected 1 (right) or -1 (left)")
        self.rate_hz = rate_hz
        self._side = side
        self._aims = stream(seed, "aims", index)
        self._blinks = stream(seed, "blinks", index)
        self._traits = stream(seed, "movement/traits", index)
        self._drift = Drift(
            stream(seed, "drift", index), rate_hz, sd=DRIFT_SD_DEG, time_s=DRIFT_TIME_S, axes=2
        )
        self._tremor = Tremor(stream(seed, "tremor", index), rate_hz)
        self._microsaccades_per_s = microsaccades_per_s(self._traits)
        self._blink_gap_s = 60 / self._blinks.uniform(*PER_MINUTE)
        self._gains: dict[Reflex, float] = {}
        self._follower: Follower | None = None
        self._reflex: Reflex | None = None
        self._path: Path | None = None
        self._path_start = 0
        self._convergence: Follower | None = None
        self._vergence_deg, self._vergence_jump_deg = 0.0, 0.0
        self._now = 0
        self._rest_deg: Array = np.zeros(2)
        self._goal_deg: Array = np.zeros(2)
        self._saccade: Saccade | None = None
        self._saccade_start = 0
        self._saccade_end = 0
        self._next_start = self._after(self._pause_s())
        self._blink, self._blink_start = self._next_blink(0)

    def look_at(
        self, target_deg: tuple[float, float] | NDArray[np.floating], *, distance_m: float = np.inf
    ) -> None:
        """A target appears at (h, v) degrees: the eye goes there after its latency.

        Args:
            target_deg: where this eye sees it.
            distance_m: how far away. Both eyes jump by the same angle; what this eye lacks then, because
                its nose is to one side, it turns slowly.
        Raises:
            SimulationError: a target that is not a pair of finite numbers, or a distance not above 0.
        """
        target = np.asarray(target_deg, dtype=np.float64)
        if target.shape != (2,) or not np.isfinite(target).all():
            raise SimulationError(f"cannot look at {target_deg!r}; expected two finite numbers, degrees")
        if not distance_m > 0:
            raise SimulationError(f"cannot look at a distance of {distance_m} m; expected more than 0")
        self._path = None
        self._turn_to_distance(distance_m)
        self._goal_deg = target + self._aims.standard_normal(2) * AIM_SD_DEG - [self._vergence_deg, 0]
        latency = max(LATENCY_S + LATENCY_SD_S * self._aims.standard_normal(), LATENCY_LEAST_S)
        self._next_start = max(self._after(latency), self._saccade_end)

    def follow(self, target_deg: NDArray[np.floating], path: Path, *, reflex: Reflex = PURSUIT) -> None:
        """A target appears at (h, v) degrees and moves along a path from there.

        The eye follows by the reflex; where it lags far behind, a saccade catches up.

        Raises:
            SimulationError: a target that is not a pair of finite numbers.
        """
        self.look_at(target_deg)
        if reflex != self._reflex:
            self._begin(reflex)
        self._path, self._path_start = path, self._now

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
        gaze += self._drift.advance(count) + self._tremor.advance(count)
        openness = self._close_lids(first, gaze, event)
        return EyeSamples(gaze.astype(np.float32), openness.astype(np.float32), event)

    def _until(self, until: int) -> tuple[Array, NDArray[np.uint8]]:
        """Gaze and events from now to sample `until`, within which no saccade starts or ends."""
        gaze = np.tile(self._rest_deg, (until - self._now, 1))
        event = np.full(until - self._now, FIXATION, dtype=np.uint8)
        if self._saccade is not None:
            t = (np.arange(self._now, until) - self._saccade_start) / self.rate_hz
            gaze = self._saccade.at(t)
        if self._follower is not None:
            turn, velocity = self._follower.advance(self._path_velocity(until))
            gaze += turn
            event[np.linalg.norm(velocity, axis=1) > PURSUING_DEG_S] = PURSUING
        if self._saccade is not None:
            event[t < self._saccade.duration_s + OSCILLATION_S] = OSCILLATION
            event[t < self._saccade.duration_s] = SACCADE
        if self._convergence is not None:
            jump = np.zeros_like(gaze)
            jump[:1, 0], self._vergence_jump_deg = self._vergence_jump_deg * self.rate_hz, 0.0
            gaze += self._convergence.advance(jump)[0]
        return gaze, event

    def _change_at_now(self) -> None:
        """Start or end a saccade if it is time."""
        if self._saccade is None and self._now >= self._next_start:
            if self._path is not None and np.linalg.norm(self._way_deg()) <= CATCH_UP_DEG:
                self._next_start = self._after(CATCH_UP_S)
                return
            self._saccade = draw_saccade(self._aims, self._rest_deg, self._landing_deg())
            self._saccade_start = self._now
            self._saccade_end = self._after(self._saccade.duration_s + SETTLED_S)
            self._next_start = self._saccade_end
        elif self._saccade is not None and self._now >= self._saccade_end:
            self._rest_deg = self._saccade.end_deg
            self._saccade = None
            if self._next_start <= self._now:
                missed = np.linalg.norm(self._way_deg()) > CORRECT_DEG
                settled = CORRECT_AFTER_S - SETTLED_S
                self._next_start = self._after(settled if missed else self._pause_s())

    def _landing_deg(self) -> Array:
        """Where the next saccade ends: short of a distant goal, about a near one (a microsaccade)."""
        way = self._way_deg()
        distance = float(np.linalg.norm(way))
        if distance <= CORRECT_DEG:
            return microsaccade_end_deg(self._aims, self._rest_deg, way)
        if self._path is not None and self._follower is not None:
            lag = self._path_velocity(self._now + 1)[0] - self._follower.velocity_deg_s
            way = way + lag * duration_s(distance)
        undershoot = UNDERSHOOT + UNDERSHOOT_SD * self._aims.standard_normal()
        return np.asarray(self._rest_deg + way * (1 - undershoot))

    def _way_deg(self) -> Array:
        """(2,) from where the eye points to its goal, vergence aside."""
        way = self._goal_deg - self._rest_deg
        if self._follower is not None:
            way = way - self._follower.turn_deg
        if self._path is not None:
            way = way + self._path.at(np.array([(self._now - self._path_start) / self.rate_hz]))[0]
        return np.asarray(way)

    def _path_velocity(self, until: int) -> Array:
        """(n, 2) degrees per second of the target, from now to sample `until`."""
        if self._path is None:
            return np.zeros((until - self._now, 2))
        t = (np.arange(self._now, until + 1) - self._path_start) / self.rate_hz
        return np.diff(self._path.at(t), axis=0) * self.rate_hz

    def _begin(self, reflex: Reflex) -> None:
        """Follow by this reflex from now on, from where the eye is."""
        if self._follower is not None:
            self._rest_deg = self._rest_deg + self._follower.turn_deg
        gain = self._gains.setdefault(reflex, reflex.draw_gain(self._traits))
        self._reflex, self._follower = reflex, Follower(reflex, gain, self.rate_hz)

    def _turn_to_distance(self, distance_m: float) -> None:
        """A target at another distance asks for another vergence."""
        asked = vergence_deg(distance_m, self._side)
        if asked != self._vergence_deg and self._convergence is None:
            self._convergence = Follower(VERGENCE, VERGENCE.gain, self.rate_hz)
        self._vergence_jump_deg += asked - self._vergence_deg
        self._vergence_deg = asked

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
        return draw_blink(self._blinks, self._side), after + max(self._count(gap_s), 1)

    def _pause_s(self) -> float:
        return microsaccade_gap_s(self._aims, self._microsaccades_per_s)

    def _after(self, seconds: float) -> int:
        return self._now + max(self._count(seconds), 1)

    def _count(self, seconds: float) -> int:
        return round(seconds * self.rate_hz)
