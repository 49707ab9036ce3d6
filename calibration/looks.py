"""What the sensors read at the targets of a calibration: it tells where the headset sat then."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from psog.errors import CalibrationError

_FULL_SCALE = 65535
"""Of readings, left-aligned to 16 bits."""
_MOST_LOOKS, _MOST_SENSORS = 64, 64


class Look(NamedTuple):
    """One target.

    Attributes:
        h_deg, v_deg: where it was.
        reading: of each sensor the mean, left-aligned to 16 bits.
    """

    h_deg: float
    v_deg: float
    reading: tuple[float, ...]


def looks_to_json(looks: tuple[Look, ...]) -> list[list[float]]:
    """Of each: right, up, and the readings to a tenth."""
    return [[look.h_deg, look.v_deg, *(round(value, 1) for value in look.reading)] for look in looks]


def looks_from_json(told: Any) -> tuple[Look, ...]:
    """What `looks_to_json` made, of a file that may be anything.

    Raises:
        CalibrationError: it is something else.
    """
    if not isinstance(told, list) or len(told) > _MOST_LOOKS:
        raise CalibrationError(f"expected at most {_MOST_LOOKS} looks at targets")
    looks = tuple(_look(row) for row in told)
    if len({len(look.reading) for look in looks}) > 1:
        raise CalibrationError("looks at targets have readings of several headsets")
    return looks


def _look(row: Any) -> Look:
    sizes = isinstance(row, list) and 3 <= len(row) <= 2 + _MOST_SENSORS
    if not sizes or not all(type(value) in (int, float) and math.isfinite(value) for value in row):
        raise CalibrationError("a look at a target is not two angles and readings")
    h_deg, v_deg, *reading = (float(value) for value in row)
    if max(abs(h_deg), abs(v_deg)) > 90 or not all(0 <= value <= _FULL_SCALE for value in reading):
        raise CalibrationError("a look at a target has an angle or a reading that cannot be")
    return Look(h_deg, v_deg, tuple(reading))
