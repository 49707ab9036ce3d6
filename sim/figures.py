"""What all pictures have in common: how a figure is begun, labelled and saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from psog.errors import MissingExtraError, SimulationError
from psog.files import check_new_file, writing_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, BLUE, RED, PALE = "#1c2b3a", "#1f7ab8", "#d1495b", "#c9ced4"


def new_figure(size_in: tuple[float, float], *, dpi: int = 110) -> Figure:
    """An empty figure of width and height in inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "drawing a picture") from error
    return Figure(figsize=size_in, dpi=dpi, layout="constrained", facecolor="white")


def label(axes: Axes, title: str, x: str, y: str) -> None:
    """Title and axes' names, in small letters, without a frame above and to the right."""
    axes.set_title(title, fontsize=10, color=INK)
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, path: Path) -> None:
    """Write a .png that appears complete or not at all; one that was there is replaced.

    Raises:
        SimulationError: another suffix, no such folder, or it cannot be written.
    """
    check_new_file(path, ".png", SimulationError, force=True)
    with writing_file(path, SimulationError) as partial:
        figure.savefig(partial)
