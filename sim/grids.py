"""Calibration grids of up to 25 targets: each holds the smaller ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError

MOST_POINTS = 25
_REACH = (0.75, 0.6)
"""Outermost targets, of the field: ±15° and ±12° in a field of ±20°."""
_CORNERS = ((-1.0, -1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, 1.0))
_EDGES = ((0.0, 1.0), (0.0, -1.0), (-1.0, 0.0), (1.0, 0.0))
_HALF_WAY = tuple((x / 2, y / 2) for x, y in _CORNERS)
_STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)
_FIRST = ((0.0, 0.0), *_CORNERS, *_EDGES, *_HALF_WAY)
_ORDER = (*_FIRST, *((x, y) for y in _STEPS for x in _STEPS if (x, y) not in _FIRST))


def calibration_targets(field_deg: tuple[float, float], points: int) -> NDArray[np.float64]:
    """(points, 2) centre, corners, edges, half way to the corners, then what is left of 5×5: 1, 5, 9, 13 and
    25 points are the usual grids, and more points never know less.

    Args:
        field_deg: half width and half height.
    Raises:
        SimulationError: fewer than 0 or more than 25 points.
    """
    if not 0 <= points <= MOST_POINTS:
        raise SimulationError(f"cannot make a grid of {points} targets, expected 0 to {MOST_POINTS}")
    order = np.array(_ORDER, dtype=np.float64)[:points]
    return np.asarray(order * np.array(_REACH) * np.array(field_deg, dtype=np.float64))
