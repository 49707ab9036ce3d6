"""The bound as maps over gaze."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from psog.sim.bound.survey import CASES, Bounds
from psog.sim.figures import INK, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEGIBLE = 9
"""Cells along a side up to which each shows its number."""


def draw_bounds(found: Sequence[Bounds], path: Path, *, slip: int, snr: int) -> None:
    """One row of maps for each headset, one column for each case, all in one scale of colours.

    Args:
        path: of the picture, .png.
        slip, snr: which of the question's.
    Raises:
        MissingExtraError: matplotlib is not installed.
        SimulationError: the file cannot be written.
    """
    maps = [[one.map_deg(case, slip, snr) for case in CASES] for one in found]
    low, high = np.min([m for row in maps for m in row]), np.max([m for row in maps for m in row])
    figure = new_figure((12.5, 3.9 * len(found) + 0.5))
    grid: NDArray[Any] = figure.subplots(len(found), len(CASES), squeeze=False)
    for one, row, axes in zip(found, maps, grid, strict=True):
        for case, values, place in zip(CASES, row, axes, strict=True):
            shown = draw_map(place, one, values, (low, high))
            rms = one.rms_deg(case, slip, snr)[0]
            place.set_title(f"{one.headset}, {_named(case, one)}: {rms:.2f}°", fontsize=10, color=INK)
    draw_bar(figure, shown, grid, (low, high))
    question = found[0].question
    figure.suptitle(
        f"what no estimator can beat: {snr_name(question.snrs[snr])}, donned within "
        f"±{question.donning_mm:g} mm, then slipped by {question.slips_mm[slip]:g} mm "
        f"(rms over {question.users} users)",
        color=INK,
    )
    save(figure, path)


def snr_name(snr: float | None) -> str:
    """How an SNR is called in tables and titles."""
    return "SNR of its parts" if snr is None else f"SNR {snr:g}"


def _named(case: str, bounds: Bounds) -> str:
    return f"after {bounds.question.points} points" if case == CASES[-1] else case


def draw_bar(figure: Any, shown: Any, axes: NDArray[Any], limits: tuple[float, float]) -> None:
    """The scale of colours of `draw_map` beside some axes, with round numbers."""
    low, high = limits
    bar = figure.colorbar(shown, ax=axes, shrink=0.8)
    bar.set_label("least radial error / °", fontsize=9)
    round_ = [part * 10.0**power for power in range(-3, 3) for part in (1, 1.5, 2, 3, 4, 5, 6, 8)]
    ticks = [tick for tick in round_ if low <= tick <= high]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()


def draw_map(axes: Axes, bounds: Bounds, values: NDArray[np.float64], limits: tuple[float, float]) -> Any:
    """One map of (gazes,) values, coloured in steps of their logarithm between the limits."""
    from matplotlib.colors import LogNorm

    side = bounds.question.gazes
    x, y = bounds.gaze_deg[:side, 0], bounds.gaze_deg[::side, 1]
    low, high = limits
    shown = axes.pcolormesh(
        x, y, values.reshape(side, side), norm=LogNorm(low, max(high, low * 1.01)), cmap="viridis_r"
    )
    if side <= _LEGIBLE:
        for (h, v), value in zip(bounds.gaze_deg, values, strict=True):
            light = np.log(value / low) > 0.5 * np.log(high / low)
            colour = "white" if light else INK
            axes.text(h, v, f"{value:.2f}", ha="center", va="center", size=7, color=colour)
    axes.set_aspect("equal")
    axes.set_xlabel("gaze to the right / °", fontsize=8)
    axes.set_ylabel("up / °", fontsize=8)
    axes.tick_params(labelsize=7, color="#9aa4ae")
    axes.spines[:].set_visible(False)
    return shown
