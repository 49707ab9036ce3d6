"""A layout before and after: where parts sit, what they aim at, and the bound over gaze."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.sim import anatomy
from psog.sim.bound.picture import draw_bar, draw_map
from psog.sim.bound.survey import Bounds
from psog.sim.figures import BLUE, INK, PALE, RED, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARGIN = 1.08


def draw_design(
    layouts: tuple[Headset, Headset], bounds: tuple[Bounds, Bounds], case: str, path: Path
) -> None:
    """Both layouts above, the bounds of one case below.

    Args:
        path: of the picture, .png.
    Raises:
        MissingExtraError: matplotlib is not installed.
        SimulationError: the file cannot be written.
    """
    maps = [one.map_deg(case, 0, 0) for one in bounds]
    limits = (float(np.min(maps)), float(np.max(maps)))
    figure = new_figure((11, 10), dpi=100)
    grid: NDArray[Any] = figure.subplots(2, 2)
    reach = _MARGIN * max(_reach(headset) for headset in layouts)
    for axes, headset in zip(grid[0], layouts, strict=True):
        _draw_layout(axes, headset, reach)
    for axes, one, values in zip(grid[1], bounds, maps, strict=True):
        shown = draw_map(axes, one, values, limits)
        axes.set_title(f"{case}: {one.rms_deg(case, 0, 0)[0]:.2f}°", fontsize=10, color=INK)
    draw_bar(figure, shown, grid[1], limits)
    save(figure, path)


def _reach(headset: Headset) -> float:
    places = [point for sensor in headset.sensors for point in (sensor.detector_mm, sensor.emitter_mm)]
    return float(np.abs(np.array(places)[:, :2]).max())


def _draw_layout(axes: Axes, headset: Headset, reach: float) -> None:
    """The parts as seen from in front, and an outline of the average eye."""
    from matplotlib.patches import Circle

    x = np.linspace(-1, 1, 61) * anatomy.FISSURE_HALF_WIDTH_MM
    parabola = 1 - (x / anatomy.FISSURE_HALF_WIDTH_MM) ** 2
    axes.fill_between(
        x, -anatomy.LID_LOWER_MM * parabola, anatomy.LID_UPPER_MM * parabola, color="#eef1f4", lw=0
    )
    axes.add_patch(Circle((0, 0), anatomy.IRIS_RADIUS_MM, fill=False, color=PALE))
    for index, sensor in enumerate(headset.sensors):
        for at, aim, colour in (
            (sensor.emitter_mm, sensor.emitter_aim_mm, RED),
            (sensor.detector_mm, sensor.detector_aim_mm, BLUE),
        ):
            axes.plot([at[0], aim[0]], [at[1], aim[1]], color=colour, lw=0.8, alpha=0.5)
        axes.plot(*sensor.emitter_mm[:2], "*", ms=10, color=RED, mec="white", mew=0.5)
        axes.plot(*sensor.detector_mm[:2], "o", ms=11, color=BLUE, mec="white")
        axes.text(*sensor.detector_mm[:2], str(index), color="white", size=6, ha="center", va="center")
    axes.set_xlim(reach, -reach)
    axes.set_ylim(-reach, reach)
    axes.set_aspect("equal")
    axes.set_title(f"{headset.name}: detectors (dots), emitters (stars), aims", fontsize=10, color=INK)
    axes.set_xlabel("x / mm (as seen from in front)", fontsize=8)
    axes.set_ylabel("y / mm", fontsize=8)
    axes.tick_params(labelsize=7, color="#9aa4ae")
    axes.spines[:].set_color(PALE)
