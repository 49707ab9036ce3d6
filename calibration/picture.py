"""The gaze field as a picture of characters: where the targets stood and where the eye landed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from psog.calibration.quality import TargetQuality

COLUMNS = 52
_TARGET_STYLE = "black on green"
_GAZE_STYLE = "bright_cyan"
_BRAILLE = 0x2800
# Bit of each dot in a braille character, (row, column): the Unicode block "Braille Patterns".
_DOT_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def field_picture(
    targets: Sequence[TargetQuality],
    field_deg: tuple[float, float],
    *,
    columns: int = COLUMNS,
    colour: bool = True,
) -> Text:
    """Every used reading as a braille dot, every target as a green cell (a + where no gaze fell on it).

    Args:
        targets: validation targets with the gaze estimated at them.
        field_deg: half width and half height of what is drawn; gaze outside is drawn at the border.
        columns: width in characters; a character is 2 × 4 dots, so dots are about square.
        colour: without it, a target's + hides the gaze in its cell, which would else hide the target.
    """
    width, height = 2 * columns, 4 * max(1, round(columns * field_deg[1] / field_deg[0] / 2))
    dots: dict[tuple[int, int], int] = {}
    for target in targets:
        for h_deg, v_deg in target.gaze_deg:
            x, y = _dot(float(h_deg), float(v_deg), field_deg, width, height)
            cell = (y // 4, x // 2)
            dots[cell] = dots.get(cell, 0) | _DOT_BITS[y % 4][x % 2]
    marks = set()
    for target in targets:
        x, y = _dot(target.target.h_deg, target.target.v_deg, field_deg, width, height)
        marks.add((y // 4, x // 2))
    picture = Text()
    for row in range(height // 4):
        for column in range(columns):
            cell = (row, column)
            character = chr(_BRAILLE + dots[cell]) if cell in dots else " "
            if cell in marks and (cell not in dots or not colour):
                character = "+"
            picture.append(character, _TARGET_STYLE if cell in marks else _GAZE_STYLE)
        picture.append("\n")
    picture.rstrip()
    return picture


def _dot(
    h_deg: float, v_deg: float, field_deg: tuple[float, float], width: int, height: int
) -> tuple[int, int]:
    """Dot column and row of a gaze direction; up is up."""
    right = (h_deg / field_deg[0] + 1) / 2
    down = (1 - v_deg / field_deg[1]) / 2
    return min(max(int(right * width), 0), width - 1), min(max(int(down * height), 0), height - 1)
