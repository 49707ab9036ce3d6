"""Figures of an evaluation as SVG to stand in a page: error over gaze, over shift, over users."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from psog.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, Any]]

_INK, _MEAN, _MEDIAN, _HIGH = "#1c2b3a", "#1f7ab8", "#2a9d6f", "#d1495b"
_LARGEST_MAP_WITH_NUMBERS = 100
_COLOURS = 12  # so few that the scale beside the map is drawn, and not a picture that a browser had to load
_FEW_USERS, _MANY_USERS = 8, 30


def check_can_draw() -> None:
    """Raise MissingExtraError unless matplotlib is installed."""
    _new_figure(1.0, 1.0)


def map_figure(cells: Rows, width_deg: float) -> str:
    """Mean error in each cell of true gaze, as seen by the wearer: right is right.

    Args:
        cells: of "h_deg", "v_deg" (centre) and "mean_deg", at least one.
    """
    import numpy as np
    from matplotlib import colormaps

    figure = _new_figure(6.4, 5.2)
    axes = figure.subplots()
    h, v, mean = (np.array([cell[key] for cell in cells]) for key in ("h_deg", "v_deg", "mean_deg"))
    columns, rows = (np.arange(x.min(), x.max() + width_deg / 2, width_deg) for x in (h, v))
    field = np.full((len(rows), len(columns)), np.nan)
    at = tuple(np.rint((x - x.min()) / width_deg).astype(int) for x in (v, h))
    field[at] = mean
    colours = colormaps["YlOrRd"].resampled(_COLOURS)
    image = axes.pcolormesh(columns, rows, field, cmap=colours, vmin=0, edgecolors="white", linewidth=1)
    if len(cells) <= _LARGEST_MAP_WITH_NUMBERS:
        for x, y, value in zip(h, v, mean, strict=True):
            colour = "white" if value > 0.6 * mean.max() else _INK
            axes.text(x, y, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_aspect("equal")
    _label(axes, "gaze to the right / °", "gaze up / °")
    figure.colorbar(image, ax=axes, shrink=0.8, label="mean error / °").outline.set_visible(False)
    return _svg(figure, "map")


def shift_figure(shifts: Rows) -> str:
    """Mean, median and 95th percentile of the error over shift.

    Args:
        shifts: of "shift_mm", "mean_deg", "median_deg", "p95_deg", at least one.
    """
    figure = _new_figure(6.4, 3.6)
    axes = figure.subplots()
    shift_mm = [row["shift_mm"] for row in shifts]
    for key, words, colour in (
        ("p95_deg", "95th percentile", _HIGH),
        ("mean_deg", "mean", _MEAN),
        ("median_deg", "median", _MEDIAN),
    ):
        axes.plot(shift_mm, [row[key] for row in shifts], "o-", color=colour, label=words)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)
    _label(axes, "shift of the headset / mm", "error / °")
    return _svg(figure, "shift")


def users_figure(users: Rows) -> str:
    """Mean error of each user as a bar, from the best to the worst, and each one's 95th percentile.

    Args:
        users: of "user", "mean_deg", "p95_deg", at least one.
    """
    import numpy as np

    figure = _new_figure(6.4, 3.6)
    axes = figure.subplots()
    ranked = sorted(users, key=lambda row: float(row["mean_deg"]))
    mean = np.array([row["mean_deg"] for row in ranked])
    place = np.arange(len(ranked))
    axes.bar(place, mean, color=_MEAN, label="mean")
    axes.plot(place, [row["p95_deg"] for row in ranked], "_", color=_HIGH, ms=6, label="95th percentile")
    for share, words in ((0.5, "median user"), (0.95, "user at the 95th percentile")):
        level = float(np.quantile(mean, share))
        axes.axhline(
            level, color=_INK, lw=0.8, ls="--" if share == 0.5 else ":", label=f"{words} {level:.2f}°"
        )
    if len(ranked) <= _MANY_USERS:
        axes.set_xticks(place, [_short(row["user"]) for row in ranked], rotation=60, ha="right", fontsize=7)
    else:
        axes.set_xticks([])
    axes.set_xlim(-1, max(len(ranked), _FEW_USERS))  # few bars would else be as wide as the picture
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)
    _label(axes, "users, from the best to the worst", "error / °")
    return _svg(figure, "users")


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"…{name[-17:]}"


def _label(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across, color=_INK)
    axes.set_ylabel(up, color=_INK)
    axes.tick_params(labelsize=8, color="#9aa4ae")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#c9ced4")


def _new_figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "drawing an evaluation") from error
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def _svg(figure: Figure, name: str) -> str:
    """The figure as an <svg> element whose names begin with `name`, so that several fit in one page."""
    from matplotlib import rc_context

    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))  # else it names its maker and the time
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    element = text[text.index("<svg") :]
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", element)
