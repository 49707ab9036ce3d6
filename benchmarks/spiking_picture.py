"""Error against energy of spiking networks, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psog.sim.figures import BLUE, INK, PALE, RED, label, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICKS_NJ = (1, 2, 5, 10, 20, 50, 100, 200)
_BITS = {8: "#5d6d7e", 6: "#85929e", 5: "#aeb6bf", 4: PALE}


def front(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The settings that no other beats in both error and energy, by rising energy."""
    kept: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: (row["integer_nj"], row["median_deg"])):
        if not kept or row["median_deg"] < kept[-1]["median_deg"]:
            kept.append(row)
    return kept


def draw_spiking(document: dict[str, Any], path: Path) -> None:
    """A panel for each headset: the sweep, its front, what was judged on unseen users, and int8.

    Raises:
        MissingExtraError: matplotlib is not installed.
        SimulationError: the file cannot be written.
    """
    headsets = document["headsets"]
    figure = new_figure((6 * len(headsets), 4.4))
    for axes, (name, found) in zip(
        figure.subplots(1, len(headsets), squeeze=False)[0], headsets.items(), strict=True
    ):
        _draw(axes, found)
        label(
            axes,
            f"{name} by spikes",
            "energy of an inference's operations at 45 nm, nJ",
            "degrees, median user",
        )
    save(figure, path)


def _draw(axes: Axes, found: dict[str, Any]) -> None:
    for bits, colour in _BITS.items():
        rows = [row for row in found["sweep"] if row["weight_bits"] == bits]
        if rows:
            axes.plot(*_places(rows), "o", ms=3, color=colour, label=f"sweep, {bits} bits")
    axes.plot(*_places(front(found["sweep"])), color=INK, lw=1, label="front, users that choose")
    judged = found["judged"]
    steps = [row for key, row in judged.items() if key.endswith(" steps")]
    _errorbar(axes, steps, "o", BLUE, "unseen users")
    for row in steps:
        place = (row["integer_nj"], row["median_deg"]["mean"])
        axes.annotate(
            f"T {row['config']['timesteps']}", place, (5, 5), textcoords="offset points", fontsize=7
        )
    _errorbar(axes, [judged["int8"]], "*", RED, "int8 network, unseen users")
    _errorbar(axes, [judged["int8, zeros left out"]], "x", RED, "the same, zeros left out")
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xticks([nj for nj in _TICKS_NJ if low < nj < high], labels=None)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.set_ylim(0, 1.15 * max(row["median_deg"]["mean"] for row in steps))
    axes.legend(fontsize=7, frameon=False)


def _places(rows: Sequence[dict[str, Any]]) -> tuple[list[float], list[float]]:
    return [row["integer_nj"] for row in rows], [row["median_deg"] for row in rows]


def _errorbar(axes: Axes, rows: Sequence[dict[str, Any]], mark: str, colour: str, name: str) -> None:
    energy = [row["integer_nj"] for row in rows]
    mean = [row["median_deg"]["mean"] for row in rows]
    sd = [row["median_deg"]["sd"] or 0.0 for row in rows]
    axes.errorbar(energy, mean, sd, fmt=mark, ms=6, color=colour, lw=1, capsize=2, label=name)
