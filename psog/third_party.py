"""Readers for recordings that other projects made: rendered photosensor signals and EyeLink traces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray

from psog.errors import RecordingError
from psog.headset import load_headset
from psog.recording import Recording

_SENSORS = 15
_FARTHEST_GAZE_DEG = 90
_NOT_AN_ARRAY = (
    OSError,
    ValueError,
    EOFError,
    SyntaxError,
    TokenError,
    OverflowError,
    RecursionError,
    MemoryError,
)
"""What numpy raises for a .npy file that is none: its header is read by Python's own parser."""
_REQUIRED = ("posx", "posy", "smh", "smv", "pupil_size", *(f"sr_{i}" for i in range(_SENSORS)))


def read_psog_nn(path: Path) -> Recording:
    """A tab-separated file of the psog_nn repository as a recording of headset `grid15`.

    The header begins with a tab: the first column is an unnamed row index. Signals 0..1 become ADC
    counts of `grid15` (unrounded: the files are noise free and come without a converter). Rows carry no
    time; they are spaced at the headset's rate.

    Raises:
        RecordingError: unreadable, a missing column, a value that is not a finite number.
    Source: Katrychuk, Griffith, Komogortsev, ETRA 2019 (repository psog_nn).
    """
    headset = load_headset("grid15")
    header, values = _read_table(path)
    column = {name: values[:, index] for index, name in enumerate(header)}
    signals = np.stack([column[f"sr_{i}"] for i in range(_SENSORS)], axis=1)
    zeros = np.zeros(len(values))
    columns = {
        "gaze_h_deg": column["posx"],
        "gaze_v_deg": column["posy"],
        "shift_x_mm": column["smh"],
        "shift_y_mm": column["smv"],
        "shift_z_mm": column.get("smd", zeros),
        "roll_deg": column.get("smr", zeros),
        "pupil_mm": column["pupil_size"],
    }
    return Recording(
        headset=headset.name,
        t_us=np.rint(np.arange(len(values)) * 1e6 / headset.rate_hz).astype(np.int64),
        readings=(signals * headset.adc.full_scale).astype(np.float32),
        columns={name: data.astype(np.float32) for name, data in columns.items()},
        provenance={"origin": "psog_nn", "file": path.name, "licence": "CC BY-NC-SA 4.0"},
    )


def read_tab_separated(path: Path, required: Sequence[str], expected: str) -> tuple[list[str], list[str]]:
    """The names in the header of a tab-separated file, and the lines below it.

    Args:
        required: names that must be there; expected: the same, for the message.
    Raises:
        RecordingError: unreadable, or a column is missing.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"cannot read {path}: {error}; check the path") from error
    header = lines[0].split("\t") if lines else []
    missing = [name for name in required if name not in header]
    if missing:
        raise RecordingError(
            f"{path}: missing column {', '.join(missing)}; expected a tab-separated file with {expected}"
        )
    return header, lines[1:]


def _read_table(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    header, lines = read_tab_separated(path, _REQUIRED, "posx posy smh smv pupil_size sr_0 … sr_14")
    if not lines:
        raise RecordingError(f"{path}: no rows below the header; expected at least one")
    rows = []
    for number, line in enumerate(lines, start=2):
        cells = line.split("\t")
        try:
            row = [float(cell) for cell in cells]
        except ValueError as error:
            raise RecordingError(f"{path}: line {number}: {error}; expected numbers") from error
        if len(row) == len(header) and not _plausible(dict(zip(header, row, strict=True))):
            raise RecordingError(
                f"{path}: line {number} has a signal outside 0 … 1 or a gaze beyond 90°; remove the line"
            )
        if len(row) != len(header) or not all(map(math.isfinite, row)):
            raise RecordingError(
                f"{path}: line {number} has {len(row)} values, or one that is not finite; "
                f"expected {len(header)} finite numbers; remove the line"
            )
        rows.append(row)
    return header, np.array(rows)


def _plausible(row: dict[str, float]) -> bool:
    """Signals are shares of full scale, gaze is in degrees; what is not finite the caller tells."""
    signals = [row[f"sr_{i}"] for i in range(_SENSORS)]
    far = max(abs(row["posx"]), abs(row["posy"])) > _FARTHEST_GAZE_DEG
    return not (any(value < 0 or value > 1 for value in signals) or far)


@dataclass(frozen=True)
class GazeTrace:
    """A recorded eye movement.

    Attributes:
        t_us: (n,) int64, uniform at the tracker's rate.
        gaze_deg: (n, 2) float32; NaN where the tracker lost the eye.
        valid: (n,) bool.
        event: (n,) uint8, as in a recording (psog.recording).
    """

    name: str
    t_us: NDArray[np.int64]
    gaze_deg: NDArray[np.float32]
    valid: NDArray[np.bool_]
    event: NDArray[np.uint8]


def read_eyelink_trace(path: Path) -> GazeTrace:
    """A structured array of the `irf` repository (fields t, x, y, status, evt) as a gaze trace.

    Raises:
        RecordingError: unreadable, pickled, or a missing field.
    """
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r")  # allocates nothing for what a header claims
    except _NOT_AN_ARRAY as error:
        raise RecordingError(f"cannot read gaze trace {path}: {error}; expected a .npy array") from error
    fields = ("t", "x", "y", "status", "evt")
    names = getattr(array, "dtype", np.dtype(float)).names or ()
    missing = [name for name in fields if name not in names]
    if missing:
        raise RecordingError(f"{path}: missing field {', '.join(missing)}; expected {', '.join(fields)}")
    if array.ndim != 1 or len(array) == 0 or not np.isfinite(array["t"]).all():
        raise RecordingError(f"{path}: expected a list of at least one sample, each with a finite time t")
    valid = array["status"].astype(bool)
    gaze = np.stack([array["x"], array["y"]], axis=1).astype(np.float32)
    valid &= np.isfinite(gaze).all(axis=1)
    gaze[~valid] = np.nan
    return GazeTrace(
        name=path.stem,
        t_us=np.rint((array["t"] - array["t"][0]) * 1e6).astype(np.int64),
        gaze_deg=gaze,
        valid=valid,
        event=array["evt"].astype(np.uint8),
    )
