"""What recordings would have read beside their rows: at shifts, gazes and pupils in between and beyond.

Recordings visit few shifts and pupils, and a network trained on them is unsure between and beyond these.
Where they know gaze, shift and pupil, a smooth model of each reading can be fitted and rows moved by what the
model says changes. The model's own error (2 counts rms on third-party recordings) is not added: it cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from psog.recording import GAZE, Recording

_PLACE = (*GAZE, "shift_x_mm", "shift_y_mm")
_PLACE_DEGREE, _PUPIL_DEGREE = 6, 2  # of the polynomials in gaze and shift; the second multiplies the pupil
_SMALLEST_SPREAD = 1e-6  # a shift that was never varied stays 0
_RIDGE = 1e-9  # keeps terms that never vary out of the solution
_ROWS = 20_000  # at a time, to keep the polynomials' terms small in memory

REACH = (1.0, 1.0, 0.25, 0.25)
"""How far gaze (deg) and shift (mm) are moved: recordings step the shift by 0.5 mm."""

PUPIL_MM = (2.0, 6.0)
"""Diameters to be ready for: people have 2 to 8 mm, but not the widest in the light of a display."""

PUPIL_SHARE = 0.1
"""Of moved rows that get a pupil from all of PUPIL_MM; the others keep theirs."""


def can_be_moved(recordings: Sequence[Recording]) -> bool:
    """Whether all recordings know what rows are moved by."""
    return all(name in recording.columns for recording in recordings for name in (*_PLACE, "pupil_mm"))


class ReadingModel:
    """Readings as a smooth function: P₆(gaze, shift) + pupil · P₂(gaze, shift), by least squares."""

    def __init__(
        self, place: NDArray[np.float64], pupil_mm: NDArray[np.float64], readings: NDArray[np.float32]
    ) -> None:
        """Fit to (n, 4) gaze and shift, (n,) pupil and (n, sensors) readings."""
        self._centre = place.mean(axis=0)
        self._spread = 2 * np.maximum(place.std(axis=0), _SMALLEST_SPREAD)
        self._pupil_mm = pupil_mm.mean()
        terms = self._terms(place, pupil_mm)
        gram = terms.T @ terms / len(terms) + _RIDGE * np.eye(terms.shape[1])
        self._coefficients = np.linalg.solve(gram, terms.T @ readings.astype(np.float64) / len(terms))

    def __call__(self, place: NDArray[np.float64], pupil_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, sensors) counts."""
        return np.asarray(self._terms(place, pupil_mm) @ self._coefficients)

    def _terms(self, place: NDArray[np.float64], pupil_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled = (place - self._centre) / self._spread
        with_pupil = monomials(scaled, _PUPIL_DEGREE) * (pupil_mm - self._pupil_mm)[:, None]
        return np.concatenate([monomials(scaled, _PLACE_DEGREE), with_pupil], axis=1)


def move_rows(
    recordings: Sequence[Recording], copies: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Every row of all recordings, moved to `copies` random places beside it.

    Args:
        recordings: for which `can_be_moved`.
    Returns:
        (copies · n, sensors) readings in counts and (copies · n, 2) gaze in degrees.
    """
    place = np.concatenate([_columns(recording, _PLACE) for recording in recordings])
    pupil_mm = np.concatenate([_columns(recording, ("pupil_mm",))[:, 0] for recording in recordings])
    readings = np.concatenate([recording.readings for recording in recordings])
    model = ReadingModel(place, pupil_mm, readings)
    lowest, highest = place.min(axis=0), place.max(axis=0)
    random = np.random.default_rng(seed)
    moved_readings, moved_gaze = [], []
    for _ in range(copies):
        for start in range(0, len(place), _ROWS):
            rows = slice(start, start + _ROWS)
            moved = place[rows] + random.uniform(-1, 1, place[rows].shape) * REACH
            moved = np.clip(moved, lowest, highest)
            moved_mm = np.where(
                random.random(len(moved)) < PUPIL_SHARE,
                random.uniform(*PUPIL_MM, len(moved)),
                pupil_mm[rows],
            )
            change = model(moved, moved_mm) - model(place[rows], pupil_mm[rows])
            moved_readings.append((readings[rows] + change).astype(np.float32))
            moved_gaze.append(moved[:, :2].astype(np.float32))
    return np.concatenate(moved_readings), np.concatenate(moved_gaze)


def monomials(x: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """(n, variables) to (n, terms): every product of up to `degree` variables, 1 first."""
    variables = range(x.shape[1])
    terms = [np.ones(len(x))]
    for order in range(1, degree + 1):
        terms += [np.prod(x[:, t], axis=1) for t in combinations_with_replacement(variables, order)]
    return np.stack(terms, axis=1)


def _columns(recording: Recording, names: tuple[str, ...]) -> NDArray[np.float64]:
    return np.stack([recording.columns[name] for name in names], axis=1).astype(np.float64)
