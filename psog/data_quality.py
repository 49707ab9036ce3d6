"""Data quality of estimated gaze beside the true one: by region, shift and user; precision, loss, latency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.metrics import (
    VELOCITY_MS,
    Accuracy,
    accuracy_by,
    cells,
    latency,
    lost_samples,
    offset,
    precision_bcea,
    precision_rms_s2s,
    precision_std,
)
from psog.recording import FIXATION, SHIFT, Recording

Array = NDArray[np.float64]

CELL_DEG = 5.0
"""Width of the regions of a map, and of the rings about straight ahead; a weak value."""
SHIFT_STEP_MM = 0.5
"""Shifts are told to the nearest of these: the step of the ETRA 2019 paper."""
WINDOW_S = 0.2
"""Precision is that of windows of this length within fixations: shorter than most of them, and STD grows
with the length (Holmqvist et al. 2011, chapter 2: 200 ms are usual)."""
STILL_DEG_S = 30.0
"""Where fixations are not labelled: true gaze slower than this over VELOCITY_MS (Olsen 2012, The Tobii I-VT
fixation filter)."""
STILL_MM = 0.1
"""No fixation of the headset goes on where it moves further than this between two samples; a weak value."""
CLEAR_CORRELATION = 0.3
"""Velocities that correlate less do not tell a latency; a weak value."""
_FEWEST_IN_WINDOW = 4  # an ellipse needs 3, and one more to have a spread
_DIGITS = 4


@dataclass(frozen=True)
class GazeSamples:
    """Estimated and true gaze of users who each wear a headset for a stretch of time.

    Attributes:
        t_us: (n,) int64 times, ascending within a stretch.
        estimated_deg: (n, 2).
        true_deg: (n, 2); NaN where the eye is closed or its gaze not known: such samples are lost.
        shift_mm: (n,) distance of the headset from its nominal place; NaN where not known.
        fixating: (n,) whether the sample may count for precision.
        stretch: (n,) int number of the stretch.
        users: whose each stretch is.
    """

    t_us: NDArray[np.int64]
    estimated_deg: Array
    true_deg: Array
    shift_mm: Array
    fixating: NDArray[np.bool_]
    stretch: NDArray[np.int64]
    users: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.t_us)

    def user_numbers(self) -> tuple[NDArray[np.int64], list[str]]:
        """Whose (n,) each sample is, as a number of the names that follow."""
        names = list(dict.fromkeys(self.users))
        of_stretch = np.array([names.index(user) for user in self.users])
        return of_stretch[self.stretch], names


def joined_samples(parts: Sequence[GazeSamples]) -> GazeSamples:
    """The samples of several recordings, whose users are different people; at least one."""
    firsts = np.cumsum([0, *(len(part.users) for part in parts)])
    return GazeSamples(
        t_us=np.concatenate([part.t_us for part in parts]),
        estimated_deg=np.concatenate([part.estimated_deg for part in parts]),
        true_deg=np.concatenate([part.true_deg for part in parts]),
        shift_mm=np.concatenate([part.shift_mm for part in parts]),
        fixating=np.concatenate([part.fixating for part in parts]),
        stretch=np.concatenate([part.stretch + first for part, first in zip(parts, firsts, strict=False)]),
        users=tuple(user for part in parts for user in part.users),
    )


def true_gaze(recording: Recording) -> Array:
    """(n, 2) gaze of a recording, NaN where it is marked as not valid.

    Raises:
        RecordingError: it has no gaze.
    """
    gaze_deg = recording.gaze_deg.astype(np.float64)
    gaze_deg[~recording.columns.get("valid", np.ones(len(recording), bool)).astype(bool)] = np.nan
    return gaze_deg


def distance_mm(recording: Recording) -> Array:
    """(n,) distance of the headset from its nominal place, NaN where the recording does not tell."""
    axes = [recording.columns[name].astype(np.float64) for name in SHIFT[:3] if name in recording.columns]
    return np.linalg.norm(axes, axis=0) if axes else np.full(len(recording), np.nan)


def stretches(recording: Recording) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number of the stretch (n,) of each sample, by user and session, and whose each is."""
    rows = len(recording)
    user, session = (recording.columns.get(name, np.zeros(rows, int)) for name in ("user", "session"))
    changes = (np.diff(user) != 0) | (np.diff(session) != 0) | (np.diff(recording.t_us) <= 0)
    begins = np.concatenate([np.ones(min(rows, 1), bool), changes])
    return np.cumsum(begins) - 1, tuple(str(number) for number in user[begins])


def fixations(recording: Recording, true_deg: Array) -> tuple[NDArray[np.bool_], str]:
    """Which samples (n,) lie in fixations, and how that is known: by "event" or by "speed".

    Where the recording labels no fixation, they are where the true gaze moves slowly.
    """
    event = recording.columns.get("event")
    if event is not None and (event == FIXATION).any():
        return event == FIXATION, "event"
    still = np.zeros(len(recording), bool)
    stretch, _ = stretches(recording)
    for rows in _runs(stretch):
        still[rows] = _slow(recording.t_us[rows], true_deg[rows])
    return still, "speed"


def by_region(estimated_deg: Array, true_deg: Array) -> dict[str, Any]:
    """Accuracy over true gaze (n, 2): in rings about straight ahead and in the cells of a map."""
    ring = np.floor(np.linalg.norm(true_deg, axis=1) / CELL_DEG)[:, None] * CELL_DEG
    rings = accuracy_by(estimated_deg, true_deg, ring)
    places = accuracy_by(estimated_deg, true_deg, cells(true_deg, CELL_DEG))
    return {
        "regions": [
            {"from_deg": key[0], "to_deg": key[0] + CELL_DEG, **rounded(a)} for key, a in rings.items()
        ],
        "map": [{"h_deg": key[0], "v_deg": key[1], **rounded(a)} for key, a in places.items()],
    }


def by_shift(estimated_deg: Array, true_deg: Array, shift_mm: Array) -> list[dict[str, Any]]:
    """Accuracy over shift (n,), to the nearest SHIFT_STEP_MM; without samples whose shift is not known."""
    shift = np.rint(shift_mm / SHIFT_STEP_MM)[:, None] * SHIFT_STEP_MM
    found = accuracy_by(estimated_deg, true_deg, shift)
    return [{"shift_mm": key[0], **rounded(a)} for key, a in found.items()]


def by_user(
    estimated_deg: Array, true_deg: Array, number: NDArray[np.integer], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Accuracy of each user, `number` (n,) of `names`."""
    found = accuracy_by(estimated_deg, true_deg, number[:, None])
    return [{"user": names[int(key[0])], **rounded(a)} for key, a in found.items()]


def data_quality(samples: GazeSamples) -> dict[str, Any]:
    """All of it, ready for JSON; docs/metrics.md explains every key. None is what cannot be told."""
    lost, expected, delays = 0, 0, []
    for rows in _runs(samples.stretch):
        of_stretch = lost_samples(samples.true_deg[rows], samples.t_us[rows])
        lost, expected = lost + of_stretch[0], expected + of_stretch[1]
        delay_ms = _delay_ms(samples, rows)
        if delay_ms is not None:
            delays.append(delay_ms)
    windows = list(_windows(samples))
    return {
        "samples": len(samples),
        "data_loss": round(lost / max(expected, 1), 6),
        "latency_ms": round(float(np.median(delays)), 3) if delays else None,
        **precision(samples.estimated_deg, samples.true_deg, windows),
        **by_region(samples.estimated_deg, samples.true_deg),
        "shifts": by_shift(samples.estimated_deg, samples.true_deg, samples.shift_mm),
        "users": by_user(samples.estimated_deg, samples.true_deg, *samples.user_numbers()),
    }


def precision(estimated_deg: Array, true_deg: Array, windows: Sequence[slice]) -> dict[str, Any]:
    """Precision and offset, medians over windows, and the same precision of the eye itself."""
    if not windows:
        return {"windows": 0, "offset_deg": None, "precision": None, "eye_precision": None}
    offsets = [offset(estimated_deg[rows], true_deg[rows]) for rows in windows]
    return {
        "windows": len(windows),
        "offset_deg": round(float(np.median(offsets)), _DIGITS),
        "precision": _precision([estimated_deg[rows] for rows in windows]),
        "eye_precision": _precision([true_deg[rows] for rows in windows]),
    }


def rounded(accuracy: Accuracy) -> dict[str, Any]:
    """Ready for JSON."""
    return {
        name: round(value, _DIGITS) if isinstance(value, float) else value
        for name, value in asdict(accuracy).items()
    }


def _precision(windows_deg: Sequence[Array]) -> dict[str, float]:
    measures = {
        "rms_s2s_deg": precision_rms_s2s,
        "std_deg": precision_std,
        "bcea_deg2": precision_bcea,
    }
    return {
        name: round(float(np.median([measure(gaze_deg) for gaze_deg in windows_deg])), 6)
        for name, measure in measures.items()
    }


def _windows(samples: GazeSamples) -> Iterator[slice]:
    """Stretches of fixation of WINDOW_S, one after the other, without a lost sample or a jolt."""
    for rows in _runs(samples.stretch):
        t_us = samples.t_us[rows]
        if len(t_us) < 2:
            continue
        interval_us = float(np.median(np.diff(t_us)))
        length = round(WINDOW_S * 1e6 / interval_us)
        if length < _FEWEST_IN_WINDOW:
            continue
        steady = samples.fixating[rows] & np.isfinite(samples.true_deg[rows]).all(axis=1)
        jumps = (np.diff(t_us) > 1.5 * interval_us) | (np.abs(np.diff(samples.shift_mm[rows])) > STILL_MM)
        run = np.cumsum(np.concatenate([[True], jumps | (np.diff(steady) != 0)]))
        for part in _runs(run):
            if steady[part.start]:
                starts = range(rows.start + part.start, rows.start + part.stop - length + 1, length)
                yield from (slice(start, start + length) for start in starts)


def _delay_ms(samples: GazeSamples, rows: slice) -> float | None:
    t_us = samples.t_us[rows]
    if len(t_us) < 2:
        return None
    rate_hz = 1e6 / float(np.median(np.diff(t_us)))
    found = latency(samples.true_deg[rows], samples.estimated_deg[rows], rate_hz)
    return found.delay_ms if found and found.correlation >= CLEAR_CORRELATION else None


def _slow(t_us: NDArray[np.int64], gaze_deg: Array) -> NDArray[np.bool_]:
    """Where gaze moves slower than STILL_DEG_S over VELOCITY_MS; nowhere if samples are further apart."""
    slow = np.zeros(len(t_us), bool)
    if len(t_us) < 2:
        return slow
    half = round(VELOCITY_MS / 2 * 1e3 / float(np.median(np.diff(t_us))))
    if half < 1 or len(t_us) <= 2 * half:
        return slow
    moved_deg = np.linalg.norm(gaze_deg[2 * half :] - gaze_deg[: -2 * half], axis=1)
    seconds = (t_us[2 * half :] - t_us[: -2 * half]) * 1e-6
    slow[half:-half] = moved_deg < STILL_DEG_S * seconds
    return slow


def _runs(number: NDArray[np.integer]) -> Iterator[slice]:
    """Where the same number stands in a row."""
    ends = np.flatnonzero(np.diff(number)) + 1
    starts = [0, *ends.tolist()] if len(number) else []
    yield from (slice(a, b) for a, b in zip(starts, [*ends.tolist(), len(number)], strict=False))
