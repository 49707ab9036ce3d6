"""How a headset sits: where a user puts it, and how it slips from there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError

ROLL_DEG = 3.0
"""A donning is rolled by up to this; a weak value."""
SLIP_ROLL_DEG_PER_MM = 0.7
"""Standard deviation of the roll that goes with a slip; glasses slip 0.26 to 4.05 mm and 0.10 to 1.81°
(Niehorster et al. 2020 and later, task means)."""
FLAT = np.array([1.0, 1.0, 0.5])
"""Headsets are pressed to the face: they move half as much in z."""

Fit = NDArray[np.float64]
"""(4,) shift x, y, z in mm and roll in degrees, of the headset against the head."""


def donning(random: np.random.Generator, donning_mm: float) -> Fit:
    """A fit uniform within ±donning_mm in x and y, half that in z, ±ROLL_DEG in roll."""
    shift = random.uniform(-1, 1, 3) * FLAT * donning_mm
    roll = random.uniform(-1, 1) * (ROLL_DEG if donning_mm > 0 else 0.0)
    return np.array([*shift, roll])


def slipped(random: np.random.Generator, fit: Fit, distance_mm: float) -> Fit:
    """A fit at exactly `distance_mm` from `fit`, in a random direction, rolled with the distance."""
    direction = random.standard_normal(3) * FLAT
    direction /= np.linalg.norm(direction)
    roll = random.standard_normal() * SLIP_ROLL_DEG_PER_MM * distance_mm
    moved: Fit = fit + np.array([*(direction * distance_mm), roll])
    return moved


def check_distances(**distances_mm: float) -> None:
    """Raise SimulationError unless every named distance is a finite number of at least 0 mm."""
    for name, value in distances_mm.items():
        if not 0 <= value < np.inf:
            raise SimulationError(f"cannot place the headset: {name} is {value}, expected 0 mm or more")
