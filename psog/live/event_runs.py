"""Stretches of readings that are labelled alike, and which of them count as events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STILL, MOVING, BLINKING = range(3)
"""Labels of a reading."""


class Run(NamedTuple):
    """A stretch of readings with one label.

    Attributes:
        start, end: numbers of its first reading and of the first one after it.
        start_us, end_us: device time of its first and last reading.
        start_deg, end_deg: (2,) gaze at its ends.
        sum_deg: (2,) of the gaze of its `usable` readings, those with open lids.
        peak_deg_s: highest velocity; 0 where there is none.
    """

    label: int
    start: int
    end: int
    start_us: int
    end_us: int
    start_deg: Array
    end_deg: Array
    sum_deg: Array
    usable: int
    peak_deg_s: float

    def joined(self, later: Run, label: int) -> Run:
        """This and the one right after it as one."""
        return self._replace(
            label=label,
            end=later.end,
            end_us=later.end_us,
            end_deg=later.end_deg,
            sum_deg=self.sum_deg + later.sum_deg,
            usable=self.usable + later.usable,
            peak_deg_s=max(self.peak_deg_s, later.peak_deg_s),
        )


class Runs:
    """Runs one after another; those that are too short are taken for what lies about them.

    Args:
        pause: a shorter stillness does not end a movement. shortest: a shorter movement is none.
    """

    def __init__(self, pause: int, shortest: int) -> None:
        self._pause = pause
        self._shortest = shortest
        self._open: list[Run] = []

    def add(self, runs: list[Run]) -> list[Run]:
        """Take the next in; those that have ended for good."""
        ended = []
        for run in runs:
            self._append(run)
            while (first := self._first_ended()) is not None:
                ended.append(first)
        return ended

    def rest(self) -> list[Run]:
        """What has not ended yet, as it is."""
        left, self._open = self._open, []
        return left

    def _append(self, run: Run) -> None:
        if self._open and self._open[-1].label == run.label:
            self._open[-1] = self._open[-1].joined(run, run.label)
        else:
            self._open.append(run)

    def _first_ended(self) -> Run | None:
        self._settle()
        if len(self._open) > 1 and self._is_sure(1):
            return self._open.pop(0)
        return None

    def _settle(self) -> None:
        """Join movements about a short pause, and stillness about a movement that is too short."""
        for k, run in enumerate(self._open[:-1]):
            following = self._open[k + 1]
            is_pause = run.label == STILL and run.end - run.start < self._pause
            if k and is_pause and self._open[k - 1].label == following.label == MOVING:
                self._join(k - 1, k + 2, MOVING)
                return
            if run.label == MOVING and run.end - run.start < self._shortest and self._is_sure(k + 1):
                before = k - 1 if k and self._open[k - 1].label == STILL else k
                after = k + 2 if following.label == STILL else k + 1
                self._join(before, after, STILL)
                return

    def _is_sure(self, k: int) -> bool:
        """Whether run number k will not be taken for what lies before it."""
        run = self._open[k]
        length, is_last = run.end - run.start, k == len(self._open) - 1
        if run.label == MOVING:
            return length >= self._shortest
        if run.label == STILL and self._open[k - 1].label == MOVING:
            return length >= self._pause or not is_last
        return True

    def _join(self, begin: int, end: int, label: int) -> None:
        joined = self._open[begin]._replace(label=label)
        for run in self._open[begin + 1 : end]:
            joined = joined.joined(run, label)
        self._open[begin:end] = [joined]


class Blinks:
    """Where lids are closed, from readings that are usable or not.

    Args:
        least: a shorter closure is no blink. gap: a shorter opening does not end one.
        before, after: how much earlier it begins and later it ends than the readings say.
    """

    def __init__(self, least: int, gap: int, before: int, after: int) -> None:
        self._least, self._gap, self._before, self._after = least, gap, before, after
        self._seen = 0
        self._closed: list[tuple[int, int]] = []

    def add(self, usable: NDArray[np.bool_]) -> None:
        """The next readings."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], ~usable, [False]])))
        for start, end in (self._seen + edges.reshape(-1, 2)).tolist():
            if self._closed and start - self._closed[-1][1] < self._gap:
                self._closed[-1] = (self._closed[-1][0], end)
            else:
                self._closed.append((start, end))
        self._seen += len(usable)

    def mask(self, begin: int, end: int) -> NDArray[np.bool_]:
        """(end - begin,) whether a reading belongs to a blink. What lies before `begin` is forgotten."""
        self._closed = [c for c in self._closed if c[1] + self._after + self._gap > begin]
        closed = np.zeros(end - begin, bool)
        for start, until in self._closed:
            if until - start >= self._least:
                closed[max(start - self._before - begin, 0) : max(until + self._after - begin, 0)] = True
        return closed
