"""Where the wearer is asked to look: calibration grids, and validation places between their points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from psog.errors import CalibrationError

Points = Literal[1, 5, 9, 13]
Purpose = Literal["calibration", "validation"]

FIELD_SHARE = 0.8
"""Outermost targets lie at this share of the field's half width and height: inside what every wearer can
reach with the eye alone, near enough to its edge that the fit is not asked to extrapolate far."""
LEAST_REACH_DEG = 6.0
"""Nearer to the middle, neighbours among the validation places would be less than 2° apart, which is when an
eye counts as having moved (a weak value)."""

_CORNERS = ((-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0))
_EDGES = ((-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0))
_HALF_WAY = tuple((h / 2, v / 2) for h, v in _CORNERS)
_GRIDS: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((0.0, 0.0),),
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


def plan_targets(
    points: int,
    field_deg: tuple[float, float],
    seed: int,
    *,
    reach_deg: tuple[float, float] = (math.inf, math.inf),
) -> TargetPlan:
    """A calibration grid and its held-out validation places, each in an order drawn from `seed`.

    Args:
        points: 1 (centre), 5 (and corners), 9 (3×3) or 13 (and the four places half way to the corners).
        field_deg: half width and half height of the gaze field.
        reach_deg: how far out targets may lie, to the right and up: what a screen shows of the field.
    Raises:
        CalibrationError: another number of points, or a screen that shows too little.
    """
    if points not in get_args(Points):
        raise CalibrationError(f"cannot calibrate with {points} points; choose 1, 5, 9 or 13")
    h_deg, v_deg = (min(FIELD_SHARE * half, reach) for half, reach in zip(field_deg, reach_deg, strict=True))
    if min(h_deg, v_deg) < LEAST_REACH_DEG:
        raise CalibrationError(
            f"the screen shows targets out to {h_deg:.1f}° to the side and {v_deg:.1f}° up; at least "
            f"{LEAST_REACH_DEG:g}° are needed: sit nearer, or take a larger screen"
        )
    rng = np.random.default_rng(seed)
    calibration = _in_random_order("calibration", _GRIDS[points], (h_deg, v_deg), rng)
    validation = _in_random_order("validation", _HELD_OUT, (h_deg, v_deg), rng)
    return TargetPlan(seed=seed, field_deg=field_deg, calibration=calibration, validation=validation)


def _in_random_order(
    purpose: Purpose,
    places: tuple[tuple[float, float], ...],
    reach_deg: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Target, ...]:
    return tuple(
        Target(purpose, places[index][0] * reach_deg[0], places[index][1] * reach_deg[1])
        for index in rng.permutation(len(places))
    )
