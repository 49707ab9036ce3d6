"""Simulated eye movements beside recorded ones, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from psog.recording import BLINK, FIXATION, OSCILLATION, PURSUING, SACCADE
from psog.sim.figures import INK, label, new_figure, save
from psog.sim.movement_statistics import Statistics
from psog.sim.saccades import duration_s, peak_velocity_deg_s
from psog.third_party import GazeTrace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_RECORDED, _SIMULATED = "#c0392b", "#2471a3"
_EVENTS = {
    FIXATION: ("fixation", "#d5d8dc"),
    SACCADE: ("saccade", "#c0392b"),
    OSCILLATION: ("oscillation", "#e59866"),
    PURSUING: ("smooth movement", "#1e8449"),
    BLINK: ("blink", "#7d3c98"),
}
_SHOWN_S = 8.0
"""Of each task."""
_LONGEST_BLINK_MS = 400.0
"""That is drawn: longer ones are lids that were kept shut."""


def draw_movement(
    simulated: Statistics, recorded: Statistics | None, tasks: dict[str, GazeTrace], path: Path
) -> None:
    """Figures of both above, with the beginning of a simulated trace of every task below.

    Args:
        path: of the picture, .png.
    Raises:
        MissingExtraError: matplotlib is not installed.
        SimulationError: the file cannot be written.
    """
    rows = -(-len(tasks) // 2)
    figure = new_figure((14, 5.8 + 1.9 * rows))
    grid = figure.add_gridspec(2 + rows, 6, height_ratios=[3, 3] + [1.9] * rows)
    places = [figure.add_subplot(grid[row, 2 * k : 2 * k + 2]) for row in (0, 1) for k in range(3)]
    both = {"simulated": (simulated, _SIMULATED)}
    if recorded is not None:
        both = {"recorded": (recorded, _RECORDED), **both}
    for name, (figures, colour) in both.items():
        _draw_saccades(places[:3], figures, name, colour)
        _draw_share_below(places[3], figures.dispersion_deg, name, colour)
        _draw_share_below(places[4], figures.blink_s * 1000, name, colour)
        _draw_share_below(places[5], figures.amplitude_deg, name, colour)
    _label_saccades(places[:3])
    label(places[3], "dispersion of fixations", "degrees", "share below")
    label(places[4], "blinks", "duration / ms", "share below")
    label(places[5], "saccades", "amplitude / degrees", "share below")
    for place in (places[3], places[5]):
        place.set_xscale("log")
    places[4].set_xlim(0, _LONGEST_BLINK_MS)
    for place in (places[0], places[3]):
        place.legend(fontsize=8, frameon=False)
    for number, (task, trace) in enumerate(tasks.items()):
        column = 3 * (number % 2)
        _draw_trace(figure.add_subplot(grid[2 + number // 2, column : column + 3]), task, trace)
    save(figure, path)


def _draw_saccades(places: list[Axes], figures: Statistics, name: str, colour: str) -> None:
    values = (figures.peak_deg_s, 1000 * figures.duration_s, figures.oscillation_deg)
    for place, value in zip(places, values, strict=True):
        place.plot(figures.amplitude_deg, value, ".", color=colour, ms=3, alpha=0.5, label=name)


def _label_saccades(places: list[Axes]) -> None:
    amplitude = np.geomspace(0.2, 30, 60)
    laws = (peak_velocity_deg_s(amplitude), 1000 * duration_s(amplitude))
    for place, law in zip(places, laws, strict=False):
        place.plot(amplitude, law, color=INK, lw=1, label="main sequence")
    for place in places:
        place.set_xscale("log")
        place.set_yscale("log")
    label(places[0], "peak velocity of saccades", "amplitude / degrees", "degrees per second")
    label(places[1], "duration of saccades", "amplitude / degrees", "ms")
    label(places[2], "swing of the oscillation after them", "amplitude / degrees", "degrees")


def _draw_share_below(place: Axes, values: Array, name: str, colour: str) -> None:
    if len(values) > 0:
        place.plot(np.sort(values), (np.arange(len(values)) + 0.5) / len(values), color=colour, label=name)


def _draw_trace(place: Axes, task: str, trace: GazeTrace) -> None:
    """Gaze over time, coloured by event."""
    t = (trace.t_us - trace.t_us[0]) / 1e6
    shown = t < _SHOWN_S
    for event, (name, colour) in _EVENTS.items():
        for axis in (0, 1):
            gaze = np.where(trace.event == event, trace.gaze_deg[:, axis], np.nan)
            named = name if axis == 0 and (trace.event[shown] == event).any() else None
            place.plot(t[shown], gaze[shown], color=colour, lw=(1.6, 0.8)[axis], label=named)
    place.legend(fontsize=7, frameon=False, ncols=5, loc="lower center", bbox_to_anchor=(0.5, -0.55))
    label(place, f"task {task}: horizontal (thick) and vertical", "seconds", "degrees")
