"""Saccades, fixations and blinks while they happen, by published rules; docs/events.md has how well.

Readings are looked at in blocks of a fixed number, whatever batches they come in, so what is found depends on
the readings alone. Memory is constant. An event is told at most a quarter of a second after its end.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.device.messages import GazeFlag
from psog.errors import PsogError
from psog.live.batch import Batch
from psog.live.event_lines import Lines
from psog.live.event_runs import BLINKING, MOVING, STILL, Blinks, Run, Runs

Array = NDArray[np.float64]
Kind = Literal["saccade", "fixation", "blink"]
_KINDS: tuple[Kind, ...] = ("fixation", "saccade", "blink")

WINDOW_S = 0.025
"""Velocity is the slope of the straight line through so much gaze, by least squares: a Savitzky-Golay filter,
as in Nyström & Holmqvist 2010, who take 20 ms. At 1 kHz this headset's gaze differs from reading to reading
by 0.3 to 1.4° (rms); of windows of 11, 15, 21, 25 and 31 ms this one finds the most (docs/events.md)."""
LEAST_DEG_S = 30.0
"""No slower movement is a saccade: the velocity threshold of Olsen 2012 (The Tobii I-VT fixation filter),
after Salvucci & Goldberg 2000."""
TIMES_NOISE = 6.0
"""… nor one of fewer standard deviations of the velocity, per axis: λ and the median-based deviation of
Engbert & Kliegl 2003."""
NOISE_S, _NOISE_BLOCKS = 0.05, 5
"""That deviation is the median of those of the last five stretches of this length: noise changes with where
the eye looks. Of 0.25, 0.5, 1 and 2 s this one finds the most."""
LEAST_SACCADE_S, SACCADE_GAP_S = 0.010, 0.010
"""Shorter movement is no saccade (Nyström & Holmqvist 2010), and a shorter pause does not end one (a weak
value)."""
LEAST_FIXATION_S = 0.060
"""Shorter fixations are not told (Olsen 2012)."""
LEAST_BLINK_S, BLINK_GAP_S = 0.030, 0.030
"""Of lids that the headset does not call open; shorter pauses do not end a blink (weak values)."""
BEFORE_BLINK_S, AFTER_BLINK_S = 0.028, 0.025
"""How much earlier the lid begins to close, and later it is open, than the headset says: medians over
simulated wearers, docs/events.md."""
MOST_GAP_S = 0.020
"""Readings that are further apart are looked at apart (a weak value)."""

_NEVER = -1


class Event(NamedTuple):
    """Something that the eye did.

    Attributes:
        kind: "saccade", "fixation" or "blink".
        start_us, end_us: device time of its first and last reading.
        start_deg, end_deg: (right, up) just before and after it (a fixation: at its ends), without noise;
            NaN where lids were closed.
        centre_deg: mean gaze during it; NaN for a blink.
        amplitude_deg: from start to end.
        peak_deg_s: highest velocity; NaN for a blink.
    """

    kind: Kind
    start_us: int
    end_us: int
    start_deg: tuple[float, float]
    end_deg: tuple[float, float]
    centre_deg: tuple[float, float]
    amplitude_deg: float
    peak_deg_s: float


class EventDetector:
    """Finds events in batches as they come.

    Args:
        rate_hz: readings a second of the headset.
    Raises (constructor):
        PsogError: a rate below 200, at which there is too little of a saccade to see, or above 10,000.
    """

    def __init__(self, rate_hz: float = 1000.0) -> None:
        if not 200 <= rate_hz <= 10_000:
            raise PsogError(f"cannot find events at {rate_hz:g} readings a second; expected 200 to 10,000")
        self._half = round(WINDOW_S * rate_hz / 2)
        self._block = round(NOISE_S * rate_hz)
        self._gap = round(BLINK_GAP_S * rate_hz)
        self._least_blink = round(LEAST_BLINK_S * rate_hz)
        self._before, self._after = round(BEFORE_BLINK_S * rate_hz), round(AFTER_BLINK_S * rate_hz)
        # What must be known beyond a reading: whether a blink follows, and the windows about its velocity.
        self._ahead = self._before + self._least_blink + self._gap + 3 * self._half
        self._behind = 3 * self._half + self._gap
        self._pause = round(SACCADE_GAP_S * rate_hz)
        self._shortest = round(LEAST_SACCADE_S * rate_hz)
        self._period_us = round(1e6 / rate_hz)
        self._last_us = _NEVER
        self._begin()

    def add(self, batch: Batch) -> list[Event]:
        """The events that have ended for certain by these readings, in their order."""
        gaze_deg = batch.gaze_deg.astype(np.float64)
        usable = ((batch.flags & int(GazeFlag.VALID)) != 0) & np.isfinite(gaze_deg).all(1)
        events: list[Event] = []
        apart = np.flatnonzero(_is_apart(np.diff(batch.t_us))) + 1
        for rows in np.split(np.arange(len(batch.t_us)), apart):
            if len(rows) == 0:
                continue
            if self._last_us != _NEVER and _is_apart(batch.t_us[rows[0]] - self._last_us):
                events += self.end()
            self._last_us = int(batch.t_us[rows[-1]])
            events += self._told(self._decide(batch.t_us[rows], gaze_deg[rows], usable[rows]))
        return events

    def end(self) -> list[Event]:
        """What was in progress, up to the last reading; what is added next begins anew. Where a headset has
        gone, and at the end of a recording."""
        if self._last_us == _NEVER:
            return []
        # The eye goes on as it was, for as long as it takes to decide on the last reading.
        count = self._ahead + 2 * self._block
        t_us = self._last_us + np.arange(1, count + 1) * self._period_us
        still_deg = self._xy[-self._half :][self._usable[-self._half :]]
        middle_deg = still_deg.mean(0) if len(still_deg) else np.zeros(2)
        runs = self._decide(t_us, np.tile(middle_deg, (count, 1)), np.full(count, self._usable[-1]))
        last_us = self._last_us
        events = [
            event._replace(end_us=min(event.end_us, last_us))
            for event in self._told([*runs, *self._runs.rest()])
            if event.start_us < last_us
        ]
        self._begin()
        return events

    def _begin(self) -> None:
        self._last_us = _NEVER
        self._t_us = np.empty(0, np.int64)
        self._xy = np.empty((0, 2))
        self._usable = np.empty(0, bool)
        self._first = 0
        """Number of the first reading that is kept, counted from the beginning."""
        self._decided = 0
        self._deviations: list[Array] = []
        self._blinks = Blinks(self._least_blink, self._gap, self._before, self._after)
        self._runs = Runs(self._pause, self._shortest)

    def _told(self, runs: list[Run]) -> list[Event]:
        events = [_event(run) for run in runs]
        return [
            event for event in events if event.kind != "fixation" or _duration_s(event) >= LEAST_FIXATION_S
        ]

    def _decide(self, t_us: NDArray[np.int64], xy: Array, usable: NDArray[np.bool_]) -> list[Run]:
        """Take readings in; the runs that have ended."""
        self._t_us = np.concatenate([self._t_us, t_us])
        self._xy = np.concatenate([self._xy, np.where(usable[:, None], xy, 0.0)])
        self._usable = np.concatenate([self._usable, usable])
        self._blinks.add(usable)
        ended: list[Run] = []
        while self._first + len(self._t_us) >= self._decided + self._block + self._ahead:
            ended += self._runs.add(self._block_runs())
            self._decided += self._block
            drop = max(self._decided - self._behind - self._first, 0)
            self._t_us, self._xy, self._usable = self._t_us[drop:], self._xy[drop:], self._usable[drop:]
            self._first += drop
        return ended

    def _block_runs(self) -> list[Run]:
        """The runs of the next block, which is the first one that is not decided."""
        begin, end = self._decided - self._first, self._decided - self._first + self._block
        known = slice(0, end + 2 * self._half + 1)
        blink = self._blinks.mask(self._first, self._first + known.stop)
        usable = self._usable[known] & ~blink
        lines = Lines(self._t_us[known], self._xy[known], usable, self._half)
        steady = (lines.count > 1.75 * self._half) & ~lines.near(blink)
        label = np.where(blink, BLINKING, STILL)
        is_moving = self._is_moving(lines.velocity_deg_s[begin:end], steady[begin:end])
        label[begin:end][is_moving & steady[begin:end]] = MOVING
        speed_deg_s = np.where(steady, np.hypot(*lines.velocity_deg_s.T), 0.0)
        cuts = begin + 1 + np.flatnonzero(np.diff(label[begin:end]))
        edges = [begin, *cuts.tolist(), end]
        return [
            self._run(int(label[first]), first, stop, lines, speed_deg_s) for first, stop in pairwise(edges)
        ]

    def _is_moving(self, velocity_deg_s: Array, steady: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(n,) whether the eye moves too fast for noise and for a fixation."""
        seen = velocity_deg_s[steady]
        deviation = None
        if len(seen) > self._block // 2:
            spread = np.median(seen**2, axis=0) - np.median(seen, axis=0) ** 2
            deviation = np.sqrt(np.maximum(spread, 0.0))
        lately = self._deviations or ([] if deviation is None else [deviation])
        noise_deg_s = np.median(lately, axis=0) if lately else np.full(2, np.inf)
        if deviation is not None:
            self._deviations = [*self._deviations, deviation][-_NOISE_BLOCKS:]
        limit_deg_s = np.maximum(TIMES_NOISE * noise_deg_s, LEAST_DEG_S)
        fast: NDArray[np.bool_] = np.hypot(*(velocity_deg_s / limit_deg_s).T) > 1
        return fast

    def _run(self, label: int, start: int, end: int, lines: Lines, speed_deg_s: Array) -> Run:
        inward = self._half if label == STILL else -1 - self._half
        first, last = max(start + inward, 0), end - 1 - inward
        usable = self._usable[start:end] & (self._t_us[start:end] <= self._last_us)
        return Run(
            label,
            self._first + start,
            self._first + end,
            int(self._t_us[start]),
            int(self._t_us[end - 1]),
            lines.middle_deg[first],
            lines.middle_deg[max(last, 0)],
            self._xy[start:end][usable].sum(0),
            int(usable.sum()),
            float(speed_deg_s[start:end].max()),
        )


def _event(run: Run) -> Event:
    centre = run.sum_deg / run.usable if run.usable and run.label != BLINKING else np.full(2, np.nan)
    return Event(
        _KINDS[run.label],
        run.start_us,
        run.end_us,
        (float(run.start_deg[0]), float(run.start_deg[1])),
        (float(run.end_deg[0]), float(run.end_deg[1])),
        (float(centre[0]), float(centre[1])),
        float(np.hypot(*(run.end_deg - run.start_deg))),
        run.peak_deg_s if run.label != BLINKING else float("nan"),
    )


def _is_apart(step_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether readings are too far apart, or the clock has gone back."""
    apart: NDArray[np.bool_] = (step_us > MOST_GAP_S * 1e6) | (step_us <= 0)
    return apart


def _duration_s(event: Event) -> float:
    return (event.end_us - event.start_us) * 1e-6
