"""Where on a screen a direction of gaze lies: from the viewing distance, or from the angle that it spans."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from psog.calibration.targets import Target
from psog.errors import CalibrationError

Place = tuple[float, float]
"""From the centre, as a share of the whole width and height: ±0.5 are the edges, right and up positive."""

_WIDEST_DEG = 180.0
EDGE_SHARE = 0.96
"""Of the screen's half width and height: nearer to the edge a target is not whole (a weak value)."""


class Viewing(Protocol):
    """How a display is looked at."""

    to_scale: bool
    """Whether degrees are degrees there; a picture of the field otherwise, as large as the window."""

    def place(self, h_deg: float, v_deg: float) -> Place:
        """Where it lies; beyond ±0.5 outside the screen."""

    def reach_deg(self) -> tuple[float, float] | None:
        """How far out targets may lie, to the right and up; None when all of them fit."""


@dataclass(frozen=True)
class Picture:
    """The gaze field as large as the window: for a headset that draws for itself, or a simulated wearer."""

    field_deg: tuple[float, float]
    to_scale = False

    def place(self, h_deg: float, v_deg: float) -> Place:
        return h_deg / self.field_deg[0] / 2, v_deg / self.field_deg[1] / 2

    def reach_deg(self) -> None:
        return None


@dataclass(frozen=True)
class FlatScreen:
    """A screen straight ahead, its centre at the height of the eyes and square to the line of sight.

    Gaze (h, v) in Fick angles has the direction (sin h cos v, sin v, cos h cos v), and meets the screen at
    distance · (tan h, tan v / cos h).
    """

    distance_cm: float
    screen_cm: tuple[float, float]
    to_scale = True

    def __post_init__(self) -> None:
        _check_lengths("--distance-cm", self.distance_cm)
        _check_lengths("--screen-cm", *self.screen_cm)

    def place(self, h_deg: float, v_deg: float) -> Place:
        h, v = math.radians(h_deg), math.radians(v_deg)
        x_cm, y_cm = self.distance_cm * math.tan(h), self.distance_cm * math.tan(v) / math.cos(h)
        return x_cm / self.screen_cm[0], y_cm / self.screen_cm[1]

    def reach_deg(self) -> tuple[float, float]:
        """So far that the corner of a grid is inside: at its side, up reaches less far."""
        half_h_cm, half_v_cm = (EDGE_SHARE * whole / 2 for whole in self.screen_cm)
        h = math.atan(half_h_cm / self.distance_cm)
        return math.degrees(h), math.degrees(math.atan(half_v_cm * math.cos(h) / self.distance_cm))


@dataclass(frozen=True)
class LensScreen:
    """A display behind a lens that spreads it evenly over so many degrees, whole width and height."""

    screen_deg: tuple[float, float]
    to_scale = True

    def __post_init__(self) -> None:
        _check_lengths("--screen-deg", *self.screen_deg)
        if max(self.screen_deg) > _WIDEST_DEG:
            raise CalibrationError(
                f"--screen-deg is {max(self.screen_deg):g}; expected at most {_WIDEST_DEG:g} either way"
            )

    def place(self, h_deg: float, v_deg: float) -> Place:
        return h_deg / self.screen_deg[0], v_deg / self.screen_deg[1]

    def reach_deg(self) -> tuple[float, float]:
        width_deg, height_deg = self.screen_deg
        return EDGE_SHARE * width_deg / 2, EDGE_SHARE * height_deg / 2


def outside(viewing: Viewing, targets: tuple[Target, ...], shown: Place) -> int:
    """How many targets a window does not show that is `shown` of the screen, width and height, 0 … 1."""
    half_width, half_height = (EDGE_SHARE * share / 2 for share in shown)
    places = [viewing.place(target.h_deg, target.v_deg) for target in targets]
    slack = 1e-9  # a grid that was drawn in to the very edge
    return sum(abs(x) > half_width + slack or abs(y) > half_height + slack for x, y in places)


def parse_size(option: str, text: str) -> tuple[float, float]:
    """Width and height from text such as 53x30.

    Raises:
        CalibrationError: it is no such text.
    """
    width, cross, height = text.lower().replace("×", "x").partition("x")
    try:
        if cross:
            return float(width), float(height)
    except ValueError:
        pass
    raise CalibrationError(f"{option} is {text!r}; expected width and height as in 53x30")


def _check_lengths(option: str, *values: float) -> None:
    for value in values:
        if not 0 < value < math.inf:
            raise CalibrationError(f"{option} is {value:g}; expected more than 0")
