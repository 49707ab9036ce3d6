"""Where the wearer is asked to look: calibration grids, and validation places between their points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from psog.errors import CalibrationError

Points = Literal[5, 9, 13]
Purpose = Literal["calibration", "validation"]

FIELD_SHARE = 0.8
"""Outermost targets lie at this share of the field's half width and height: inside what every wearer can
reach with the eye alone, near enough to its edge that the fit is not asked to extrapolate far."""

_CORNERS = ((-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0))
_EDGES = ((-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0))
_HALF_WAY = tuple((h / 2, v / 2) for h, v in _CORNERS)
_GRIDS: dict[int, tuple[tuple[float, float], ...]] = {
    5: ((0.0, 0.0), *_CORNERS),
    9: ((0.0, 0.0), *_CORNERS, *_EDGES),
    13: ((0.0, 0.0), *_CORNERS, *_EDGES, *_HALF_WAY),
}
# Two pinwheels that meet no point of any grid: one half way out, one along the border.
_HELD_OUT = (
    (1 / 3, 2 / 3), (2 / 3, -1 / 3), (-1 / 3, -2 / 3), (-2 / 3, 1 / 3),
    (1.0, 0.5), (0.5, -1.0), (-1.0, -0.5), (-0.5, 1.0),
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A place to look at, in degrees from straight ahead: right and up positive."""

    purpose: Purpose
    h_deg: float
    v_deg: float

    def __str__(self) -> str:
        return f"{self.h_deg:+.1f}°, {self.v_deg:+.1f}°"


@dataclass(frozen=True)
class TargetPlan:
    """Every target of a session in the order it is shown; no validation target is a calibration target."""

    seed: int
    field_deg: tuple[float, float]
    calibration: tuple[Target, ...]
    validation: tuple[Target, ...]


def plan_targets(points: int, field_deg: tuple[float, float], seed: int) -> TargetPlan:
    """A calibration grid and its held-out validation places, each in an order drawn from `seed`.

    Args:
        points: 5 (centre, corners), 9 (3×3) or 13 (3×3 and the four places half way to the corners).
        field_deg: half width and half height of the gaze field.
    Raises:
        CalibrationError: another number of points.
    """
    if points not in get_args(Points):
        raise CalibrationError(f"cannot calibrate with {points} points; choose 5, 9 or 13")
    rng = np.random.default_rng(seed)
    calibration = _in_random_order("calibration", _GRIDS[points], field_deg, rng)
    validation = _in_random_order("validation", _HELD_OUT, field_deg, rng)
    return TargetPlan(seed=seed, field_deg=field_deg, calibration=calibration, validation=validation)


def _in_random_order(
    purpose: Purpose,
    places: tuple[tuple[float, float], ...],
    field_deg: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Target, ...]:
    reach_h_deg, reach_v_deg = (FIELD_SHARE * half_deg for half_deg in field_deg)
    return tuple(
        Target(purpose, places[index][0] * reach_h_deg, places[index][1] * reach_v_deg)
        for index in rng.permutation(len(places))
    )
