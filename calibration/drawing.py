"""A result as a picture: targets, where the eye landed, and how far off. The same for page and report."""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from psog.calibration.quality import Quality, TargetQuality

WIDTH = 800
_MARGIN = 40
_MOST_DOTS = 80
"""Of a target; more hide each other."""


class Shape(NamedTuple):
    """One shape of SVG. `look` is the class that a style sheet gives a colour; `text` is a <text>'s."""

    name: str
    look: str
    values: dict[str, float]
    text: str = ""


def drawing(before: Quality, after: Quality, field_deg: tuple[float, float]) -> list[Shape]:
    """The gaze field from half width and half height; gaze outside is drawn at its border."""
    width, height = size(field_deg)
    shapes = [Shape("rect", "field", {"x": 0.5, "y": 0.5, "width": width - 1, "height": height - 1})]
    worst = max(after.targets, key=lambda target: target.mean_deg)
    for number, (old, new) in enumerate(zip(before.targets, after.targets, strict=True), start=1):
        shapes += _of_target(old, new, number, field_deg, is_worst=new is worst)
    return shapes


def size(field_deg: tuple[float, float]) -> tuple[int, int]:
    """Width and height of the picture."""
    return WIDTH, round((WIDTH - 2 * _MARGIN) * field_deg[1] / field_deg[0]) + 2 * _MARGIN


def svg(shapes: list[Shape], field_deg: tuple[float, float], label: str) -> str:
    """The picture as an <svg> of its own; looks are classes."""
    width, height = size(field_deg)
    inside = "".join(_element(shape) for shape in shapes)
    box = f'viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg"'
    return f'<svg {box} role="img" aria-label={quoteattr(label)}>{inside}</svg>'


def _element(shape: Shape) -> str:
    values = "".join(f' {name}="{value:g}"' for name, value in shape.values.items())
    return f'<{shape.name} class="{shape.look}"{values}>{escape(shape.text)}</{shape.name}>'


def _of_target(
    before: TargetQuality,
    after: TargetQuality,
    number: int,
    field_deg: tuple[float, float],
    *,
    is_worst: bool,
) -> list[Shape]:
    x, y = _at((after.target.h_deg, after.target.v_deg), field_deg)
    landed_x, landed_y = _at(after.landed_deg, field_deg)
    was_x, was_y = _at(before.landed_deg, field_deg)
    every = max(1, len(after.gaze_deg) // _MOST_DOTS)
    dots = [_at((float(h), float(v)), field_deg) for h, v in after.gaze_deg[::every]]
    shapes = [Shape("circle", "gaze", {"cx": dot_x, "cy": dot_y, "r": 1.6}) for dot_x, dot_y in dots]
    shapes += [
        Shape("line", "was", {"x1": x, "y1": y, "x2": was_x, "y2": was_y}),
        Shape("circle", "was", {"cx": was_x, "cy": was_y, "r": 4}),
        Shape("line", "off", {"x1": x, "y1": y, "x2": landed_x, "y2": landed_y}),
        Shape("circle", "target", {"cx": x, "cy": y, "r": 9}),
        Shape("circle", "centre", {"cx": x, "cy": y, "r": 2}),
    ]
    text = f"{number}: {after.mean_deg:.1f}°" + (" worst" if is_worst else "")
    shapes.append(Shape("text", "worst" if is_worst else "label", {"x": x + 13, "y": y - 11}, text))
    return shapes


def _at(gaze_deg: tuple[float, float], field_deg: tuple[float, float]) -> tuple[float, float]:
    width, height = size(field_deg)
    right = min(max(gaze_deg[0] / field_deg[0], -1.0), 1.0)
    up = min(max(gaze_deg[1] / field_deg[1], -1.0), 1.0)
    x = width / 2 + right * (width / 2 - _MARGIN)
    return round(x, 1), round(height / 2 - up * (height / 2 - _MARGIN), 1)
