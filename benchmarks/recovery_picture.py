"""Error over hours of wear, as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.sim.figures import label, new_figure, save

_COLOURS = ("#7f8c8d", "#b7950b", "#2471a3", "#1e8449", "#c0392b")
_MINUTES = 5
"""Of which a point of a curve is the mean."""


def draw_recovery(wears: Mapping[str, Mapping[str, NDArray[np.float64]]], path: Path) -> None:
    """A panel for each kind of wear, a curve for each way: the median user's error over time.

    Args:
        wears: name of the wear to name of the way to (users, minutes) degrees.
    Raises:
        MissingExtraError: matplotlib is not installed.
        SimulationError: the file cannot be written.
    """
    columns = 3
    figure = new_figure((13, 3.7 * -(-len(wears) // columns)))
    axes = np.atleast_2d(figure.subplots(-(-len(wears) // columns), columns, sharey=True, squeeze=False))
    for place, (name, ways) in zip(axes.flat, wears.items(), strict=False):
        for colour, (way, error_deg) in zip(_COLOURS, ways.items(), strict=False):
            width = min(_MINUTES, error_deg.shape[1])
            kernel = np.ones(width) / width
            smooth = np.array([np.convolve(user, kernel, "valid") for user in error_deg])
            t_min = np.arange(smooth.shape[1]) + width / 2
            place.plot(t_min, np.median(smooth, axis=0), color=colour, lw=1.4, label=way)
        label(place, name, "minutes since the calibration", "degrees")
    axes[0, 0].set_ylim(0, None)
    axes[0, 0].legend(fontsize=8, frameon=False, loc="lower left", ncols=2)
    save(figure, path)
