"""Where an eye rests, from readings alone: no gaze, no event, no model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from psog.data_quality import stretches
from psog.metrics import VELOCITY_MS
from psog.recording import Recording

FAST = 2.0
"""Readings move from this many times their usual speed on. Engbert and Kliegl, Vision Research 43:1035, 2003,
take 6 for the two axes of a gaze; the root mean square of sixteen sensors scatters less, so less will do."""
SHORTEST_MS = 100.0
"""Of a fixation: closed lids of a blink (median 180 ms in all) mostly rest for less; a weak value."""
LONGEST_MS = 300.0
"""Taken of one fixation: drift and slow pursuit go further with time; a weak value."""


def resting(recording: Recording) -> Iterator[tuple[int, slice]]:
    """Each fixation that the readings show: the number of its stretch of wear, and its rows.

    Of each sensor, the difference between the means of the 10 ms before and after a row is put in units of
    its median-based spread over the stretch, as Engbert and Kliegl 2003 do with gaze: whatever is usual is
    noise. A row is fast where the root mean square of these over the sensors exceeds FAST. Rows that are
    marked as not valid (a closed eye), and time that is missing, end a fixation.

    Limits: where an eye moves smoothly most of the time, that is the usual; such a fixation is none, and
    LONGEST_MS bounds what it does.
    """
    valid = recording.columns.get("valid", np.ones(len(recording), bool)).astype(bool)
    number, _ = stretches(recording)
    ends = np.flatnonzero(np.diff(number, append=-1)) + 1
    first = 0
    for stop in ends.tolist():
        t_us = recording.t_us[first:stop]
        if len(t_us) > 2:
            interval_us = float(np.median(np.diff(t_us)))
            half = max(round(VELOCITY_MS / 2 * 1e3 / interval_us), 1)
            still = valid[first:stop] & ~_fast(recording.readings[first:stop], half)
            for rows in _runs(still, np.diff(t_us) > 1.5 * interval_us):
                kept = _middle(rows, half, interval_us)
                if kept is not None:
                    yield int(number[first]), slice(first + kept.start, first + kept.stop)
        first = stop


def _fast(readings: NDArray[np.floating], half: int) -> NDArray[np.bool_]:
    """(n,) whether readings (n, sensors) move there; the ends of a stretch count as moving."""
    fast = np.ones(len(readings), bool)
    if len(readings) <= 2 * half:
        return fast
    sums = np.cumsum(np.concatenate([np.zeros((1, readings.shape[1])), readings]), axis=0)
    means = (sums[half:] - sums[:-half]) / half
    change = means[half:] - means[:-half]
    usual = np.median(np.abs(change - np.median(change, axis=0)), axis=0)
    moves = usual > 0
    if moves.any():
        speed = np.sqrt(((change[:, moves] / (_MAD_TO_SD * usual[moves])) ** 2).mean(axis=1))
        fast[half : half + len(speed)] = speed > FAST
    return fast


_MAD_TO_SD = 1.4826  # of a normal distribution: SD over median absolute deviation


def _runs(still: NDArray[np.bool_], gap: NDArray[np.bool_]) -> Iterator[slice]:
    """Where an eye is still without a gap in time."""
    begins = np.concatenate([[True], (np.diff(still) != 0) | gap])
    edges = [*np.flatnonzero(begins).tolist(), len(still)]
    return (slice(a, b) for a, b in pairwise(edges) if still[a])


def _middle(rows: slice, half: int, interval_us: float) -> slice | None:
    """The rows of a fixation that no movement's velocity touches, LONGEST_MS at most; None if it is short."""
    first, stop = rows.start + half, rows.stop - half
    if (stop - first) * interval_us < SHORTEST_MS * 1e3:
        return None
    extra = (stop - first) - max(int(LONGEST_MS * 1e3 / interval_us), 2)
    return slice(first + max(extra // 2, 0), stop - max(extra - extra // 2, 0))
