"""The data set of the ETRA 2019 paper, for who has downloaded it: ROOT/SUBJECT/SUBJECT_grid15.csv."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.etra2019.data import FOLDS, Subject
from psog.errors import RecordingError
from psog.headset import Headset
from psog.third_party import read_tab_separated

GAZE_COLUMNS = ("pos_x", "pos_y")
SIGNAL_COLUMNS = tuple(f"psog{index}" for index in range(15))
COLUMNS = ("time", *GAZE_COLUMNS, "pupil_size", "sh_hor", "sh_ver", *SIGNAL_COLUMNS)
"""As documented; separated by tabs."""
FEWEST_ROWS = 200
"""Usable ones, of a subject: as many as the paper's batch."""
_BRIGHTEST = 0.9
"""Of the converter's full scale: what the largest signal of all subjects becomes."""


def read_subjects(root: Path, headset: Headset) -> list[Subject]:
    """The subjects of the paper's grouping that there are, in its order.

    Rows with a value that is not finite (or missing), or with gaze beyond ±20°, are dropped. Signals are
    scaled alike for all sensors and subjects, so that they become counts of the headset's converter.

    Raises:
        RecordingError: no such folder or no subject in it, subjects of a single group, a column that is
            missing, a value that is no number, or too few usable rows.
    """
    names = [name for fold in FOLDS for name in fold]
    found = {name: path for name in names if (path := root / name / f"{name}_grid15.csv").is_file()}
    if not found:
        raise RecordingError(
            f"no subjects in {root}; expected the paper's data set, ROOT/SUBJECT/SUBJECT_grid15.csv with "
            f"subjects {names[0]} to {names[-1]}; check --data"
        )
    groups = [fold for fold in FOLDS if any(name in found for name in fold)]
    if len(groups) < 2:
        raise RecordingError(
            f"{root} has only subjects {', '.join(found)}, of one group; pretraining needs others than those "
            "that are tested, so subjects of at least two groups are expected"
        )
    subjects = [_read_subject(name, path) for name, path in found.items()]
    largest = max(float(one.readings.max()) for one in subjects)
    if not largest > 0:
        raise RecordingError(f"{root}: no signal is above 0; expected brightness")
    scale = np.float32(_BRIGHTEST * headset.adc.full_scale / largest)
    return [Subject(one.name, one.frame, one.readings * scale, one.gaze_deg) for one in subjects]


def _read_subject(name: str, path: Path) -> Subject:
    """One subject, with signals as they stand in the file."""
    values = _read_columns(path)
    gaze_deg = values[:, : len(GAZE_COLUMNS)].astype(np.float32)
    signals = values[:, len(GAZE_COLUMNS) :].astype(np.float32)
    finite = np.isfinite(values.sum(axis=1))
    subject = Subject(name, np.arange(len(values)), signals, gaze_deg).seen(finite)
    if len(subject) < FEWEST_ROWS:
        raise RecordingError(
            f"{path}: {len(subject)} of {len(values)} rows are usable (finite, gaze within ±20°), at least "
            f"{FEWEST_ROWS} expected; leave the subject out"
        )
    return subject


def _read_columns(path: Path) -> NDArray[np.float64]:
    """(n, 2 + 15) gaze and signals; NaN where a cell is empty."""
    header, lines = read_tab_separated(
        path, COLUMNS, "time pos_x pos_y pupil_size sh_hor sh_ver psog0 … psog14"
    )
    wanted = [header.index(column) for column in (*GAZE_COLUMNS, *SIGNAL_COLUMNS)]
    rows = [_numbers(line, header, wanted, f"{path}: line {k}") for k, line in enumerate(lines, start=2)]
    return np.array(rows, dtype=np.float64).reshape(-1, len(wanted))


def _numbers(line: str, header: list[str], wanted: list[int], where: str) -> list[float]:
    cells = line.split("\t")
    if len(cells) != len(header):
        raise RecordingError(
            f"{where} has {len(cells)} values, the header names {len(header)}; mend the line"
        )
    try:
        return [float(cells[k]) if cells[k].strip() else math.nan for k in wanted]
    except ValueError as error:
        raise RecordingError(f"{where}: {error}; expected numbers") from error
