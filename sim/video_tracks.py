"""Files that go with an eye video: how the headset moves on the head, and where the pupil is."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.errors import RecordingError

_MOTION = ("t_s", "x_mm", "y_mm")
_FARTHEST_MM = 100.0


def read_motion(path: Path, t_us: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, 2) shift of the headset in mm at the times of a video's pictures, linear between the file's rows.

    Args:
        path: CSV with columns t_s, x_mm, y_mm; t_s rises and covers the video.
        t_us: (n,) from 0.
    Raises:
        RecordingError: unreadable, not such a table, or shorter than the video.
    """
    columns = _table(path, "head motion", _MOTION)
    t_s, shift_mm = columns[:, 0], columns[:, 1:]
    _refuse_rows(path, "head motion", np.any(~np.isfinite(columns), axis=1), "is not a number")
    _refuse_rows(path, "head motion", np.diff(t_s, prepend=-np.inf) <= 0, "is not later than the one before")
    _refuse_rows(
        path,
        "head motion",
        np.any(np.abs(shift_mm) > _FARTHEST_MM, axis=1),
        f"is over {_FARTHEST_MM:.0f} mm away",
    )
    end_s = t_us[-1] / 1e6
    if t_s[0] > 0 or t_s[-1] < end_s:
        raise RecordingError(
            f"head motion {path} covers {t_s[0]:g} to {t_s[-1]:g} s, the video 0 to {end_s:.3f} s; "
            "give motion for all of it"
        )
    return np.stack([np.interp(t_us / 1e6, t_s, axis) for axis in shift_mm.T], axis=1)


def read_labels(
    path: Path, frames: int, size_px: tuple[int, int], *, turned: bool = False
) -> NDArray[np.float64]:
    """(frames, 2) x and y of the pupil's centre in pixels from the top left one; NaN where there is none.

    No pupil is where x and y are empty, no numbers, or both 0, as trackers write it.

    Args:
        path: CSV with columns x and y among others, one row per picture.
        turned: the labels are of the picture turned by 180°: x' = width − 1 − x, y' = height − 1 − y.
    Raises:
        RecordingError: unreadable, not such a table, another number of rows, or no pupil inside the picture.
    """
    centre_px = _table(path, "labels", ("x", "y"))
    if len(centre_px) != frames:
        raise RecordingError(
            f"labels {path} have {len(centre_px)} rows, the video {frames} pictures; expected a row each"
        )
    last = np.array(size_px) - 1
    seen = np.isfinite(centre_px).all(axis=1) & (centre_px != 0).any(axis=1)
    seen &= ((centre_px >= 0) & (centre_px <= last)).all(axis=1)
    if not seen.any():
        raise RecordingError(f"labels {path} have no pupil inside the picture; expected columns in pixels")
    found = np.where(seen[:, None], centre_px, np.nan)
    return last - found if turned else found


def _table(path: Path, what: str, names: tuple[str, ...]) -> NDArray[np.float64]:
    """(rows, names) the named columns; NaN for what is no number."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(f"cannot read {what} {path}: {error}; check the path") from error
    header = [name.strip() for name in rows[0]] if rows else []
    missing = [name for name in names if name not in header]
    if missing or len(rows) < 2:
        lacks = f"no column {', '.join(missing)}" if missing else "no rows"
        raise RecordingError(f"{what} {path}: {lacks}; expected a CSV with columns {', '.join(names)}")
    places = [header.index(name) for name in names]
    return np.array([[_number(row, place) for place in places] for row in rows[1:] if row])


def _number(row: list[str], place: int) -> float:
    try:
        return float(row[place])
    except (ValueError, IndexError):
        return np.nan


def _refuse_rows(path: Path, what: str, wrong: NDArray[np.bool_], why: str) -> None:
    if wrong.any():
        raise RecordingError(f"{what} {path}: row {int(wrong.argmax()) + 1} {why}; correct it")
