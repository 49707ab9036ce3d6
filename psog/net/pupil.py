"""What a wider or narrower pupil would have done to a recording: augmentation for pupils not recorded.

Recordings of a few people cover few pupil sizes, and a network trained on them fails on others. Where a
recording knows gaze, shift and pupil, the effect of the pupil on each reading can be estimated and readings
moved to other diameters. On third-party recordings an effect fitted to pupils up to 3.7 mm left 3.5 counts
rms on two traces with pupils up to 4.1 mm; ignoring the pupil left 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from psog.recording import GAZE, Recording

_COLUMNS = (*GAZE, "shift_x_mm", "shift_y_mm")
_READING_DEGREE, _EFFECT_DEGREE = 6, 2  # of the polynomials in gaze and shift


PUPIL_MM = (2.0, 6.0)
"""Diameters to be ready for: people have 2 to 8 mm, but not the widest in the light of a display."""


@dataclass(frozen=True)
class Pupils:
    """How rows may be moved to another pupil: reading + change · effect.

    Attributes:
        effect_counts: (n, sensors) counts per mm of diameter.
        smallest_mm, largest_mm: (n,) change of diameter that leads to the ends of PUPIL_MM.
    """

    effect_counts: NDArray[np.float32]
    smallest_mm: NDArray[np.float32]
    largest_mm: NDArray[np.float32]


def pupil_known(recordings: Sequence[Recording]) -> bool:
    """Whether all recordings carry what the effect is fitted to."""
    return all(name in recording.columns for recording in recordings for name in (*_COLUMNS, "pupil_mm"))


def fit_pupils(recordings: Sequence[Recording]) -> Pupils:
    """The pupil's effect at the gaze and shift of every row of all recordings together.

    Least squares of readings ≈ P₆(gaze, shift) + pupil · P₂(gaze, shift), polynomials of those degrees.

    Args:
        recordings: for which `pupil_known`.
    """
    place = np.concatenate([_columns(recording, _COLUMNS) for recording in recordings])
    pupil_mm = np.concatenate([_columns(recording, ("pupil_mm",)) for recording in recordings])
    readings = np.concatenate([recording.readings for recording in recordings]).astype(np.float64)
    place = (place - place.mean(axis=0)) / np.maximum(place.std(axis=0), _SMALLEST_SPREAD) / 2
    effect = _monomials(place, _EFFECT_DEGREE)
    terms = np.concatenate(
        [_monomials(place, _READING_DEGREE), effect * (pupil_mm - pupil_mm.mean())], axis=1
    )
    gram = terms.T @ terms / len(terms) + _RIDGE * np.eye(terms.shape[1])
    coefficients = np.linalg.solve(gram, terms.T @ readings / len(terms))
    seen_mm = pupil_mm[:, 0].astype(np.float32)
    return Pupils(
        effect_counts=(effect @ coefficients[-effect.shape[1] :]).astype(np.float32),
        smallest_mm=PUPIL_MM[0] - seen_mm,
        largest_mm=PUPIL_MM[1] - seen_mm,
    )


_SMALLEST_SPREAD = 1e-6  # a shift that was never varied stays 0
_RIDGE = 1e-8  # keeps terms that never vary out of the solution


def _columns(recording: Recording, names: tuple[str, ...]) -> NDArray[np.float64]:
    return np.stack([recording.columns[name] for name in names], axis=1).astype(np.float64)


def _monomials(x: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """(n, variables) to (n, terms): every product of up to `degree` variables, 1 first."""
    terms = [np.ones(len(x))]
    for order in range(1, degree + 1):
        for chosen in combinations_with_replacement(range(x.shape[1]), order):
            terms.append(np.prod(x[:, chosen], axis=1))
    return np.stack(terms, axis=1)
