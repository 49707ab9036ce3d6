"""The picture of the comparison: readings, sensors, effects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from psog.sim.figures import BLUE, INK, PALE, RED, new_figure, save
from psog.sim.reference.compare import VARIES, Agreement
from psog.sim.reference.rays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RESIDUAL_GOAL, CORRELATION_GOAL = 0.01, 0.995


def draw_comparison(found: dict[str, tuple[Agreement, Array, Array]], path: Path) -> None:
    """Three rows for each headset in a column: fast over path-traced, sensor by sensor, effects and surfaces.

    Args:
        found: by headset, the agreement, the fast readings and the path-traced ones, (n, sensors) each.
    Raises:
        MissingExtraError: matplotlib is not installed.
        SimulationError: the file cannot be written.
    """
    figure = new_figure((6.2 * len(found), 11))
    axes = figure.subplots(3, len(found), squeeze=False, height_ratios=(1.5, 1, 1))
    for column, (name, (agreement, fast, traced)) in zip(axes.T, found.items(), strict=True):
        _scatter(column[0], name, agreement, fast, traced)
        _sensors(column[1], agreement)
        _effects(column[2], agreement)
    save(figure, path)


def _scatter(axes: Axes, name: str, agreement: Agreement, fast: Array, traced: Array) -> None:
    x, y = traced / traced.mean(), agreement.gain * fast / traced.mean()
    limits = (0.0, 1.05 * float(max(x.max(), y.max())))
    axes.plot(limits, limits, color=RED, lw=0.8)
    axes.plot(x.ravel(), y.ravel(), ".", ms=2.5, color=BLUE, alpha=0.5)
    axes.set_xlim(limits)
    axes.set_ylim(limits)
    axes.set_aspect("equal")
    axes.set_xlabel("path-traced reading / mean")
    axes.set_ylabel(f"fast reading × {agreement.gain:.3f} / mean")
    words = f"{len(x)} states, residual {agreement.residual:.2%} rms of the mean"
    axes.set_title(
        f"{name}: {words}\n(standard error of path tracing {agreement.error:.2%})", color=INK, size=11
    )
    _quiet(axes)


def _sensors(axes: Axes, agreement: Agreement) -> None:
    sensor = np.arange(len(agreement.correlation))
    varies = agreement.variation > VARIES
    axes.bar(sensor, 100 * agreement.sensor_residual, color=PALE)
    axes.axhline(100 * RESIDUAL_GOAL, color=INK, lw=0.6, ls=":")
    axes.set_ylabel("residual / % of mean (bars)")
    axes.set_xlabel("sensor")
    axes.set_xticks(sensor)
    twin = axes.twinx()
    twin.plot(sensor[varies], agreement.correlation[varies], "o", color=BLUE, ms=5, label="all states")
    within = agreement.correlation_within[varies]
    twin.plot(sensor[varies], within, "_", color=RED, ms=9, mew=2, label="within users")
    twin.axhline(CORRELATION_GOAL, color=BLUE, lw=0.6, ls=":")
    low = min(float(agreement.correlation.min()), float(agreement.correlation_within.min()), 0.985)
    twin.set_ylim(low - 0.2 * (1 - low), 1 + 0.05 * (1 - low))
    twin.set_ylabel("correlation (points)")
    twin.legend(loc="lower right", frameon=False, fontsize=8)
    _quiet(axes)
    _quiet(twin)


def _effects(axes: Axes, agreement: Agreement) -> None:
    bars = {f"what {name} adds": value for name, value in agreement.effects.items()}
    bars |= {f"left: {name}": value for name, value in agreement.parts.items()}
    bars["left: all"] = agreement.residual
    names, values = list(bars)[::-1], [100 * value for value in bars.values()][::-1]
    colours = [RED if name.startswith("what") else PALE for name in names]
    axes.barh(names, values, color=colours)
    for k, value in enumerate(values):
        axes.text(value, k, f" {value:.2f}", va="center", size=8, color=INK)
    axes.set_xlabel("rms / % of mean reading")
    axes.set_xlim(0, 1.15 * max(values))
    axes.tick_params(labelsize=8)
    _quiet(axes)


def _quiet(axes: Axes) -> None:
    axes.spines[["top"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(PALE)
