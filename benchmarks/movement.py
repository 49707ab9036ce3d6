"""`psog bench movement`: simulated eye movements in numbers, beside recorded ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psog.sim.movement_statistics import Statistics
    from psog.third_party import GazeTrace

_RATE_HZ = 1000.0
_FIELD_DEG = (20.0, 15.0)
_BANDS_DEG = (0.0, 0.5, 1.0, 2.0, 5.0, 12.0, 20.0, 30.0)
"""Of amplitude, for the table."""
_FEWEST = 5
"""Saccades of a band that are worth a median."""


@dataclass(frozen=True)
class Command:
    """Statistics of simulated eye movements, and of recorded ones where there are some; draw both.

    Of the random-saccade task. A recorded trace is an array (.npy) with the fields t, x, y, status, evt.
    """

    traces: Path | None = None
    """Folder of recorded traces (.npy)."""
    out: Path | None = None
    """Picture to draw, .png."""
    users: int = 8
    """How many look."""
    seconds: float = 80.0
    """How long each of them does."""
    seed: int = 0
    """Of everything random."""
    force: bool = False
    """Replace an existing picture."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from psog.errors import SimulationError
        from psog.files import check_new_file
        from psog.sim.movement_statistics import statistics
        from psog.sim.tasks import TASKS

        if self.users < 1 or not 10 <= self.seconds <= 3600:
            asked = f"{self.users} users for {self.seconds:g} s"
            raise SimulationError(f"cannot watch {asked}; expected at least 1 user, for 10 to 3600 s")
        if self.out is not None:
            check_new_file(self.out, ".png", SimulationError, force=self.force)

        recorded = None if self.traces is None else statistics(_read_traces(self.traces))
        simulated = statistics([self._simulate("saccades", user) for user in range(self.users)])
        if self.out is not None:
            from psog.sim.movement_picture import draw_movement

            draw_movement(simulated, recorded, {task: self._simulate(task, 0) for task in TASKS}, self.out)
        found = {"simulated": _figures(simulated)}
        if recorded is not None:
            found["recorded"] = _figures(recorded)
        if self.json:
            import json

            print(json.dumps({"seed": self.seed, "users": self.users, "seconds": self.seconds, **found}))
        else:
            _print(found)

    def _simulate(self, task: str, user: int) -> GazeTrace:
        from psog.sim.movement_statistics import as_trace
        from psog.sim.tasks import viewer

        eye = viewer(task, _RATE_HZ, _FIELD_DEG, self.seed, index=user)
        return as_trace(eye.advance(round(self.seconds * _RATE_HZ)), _RATE_HZ, task)


def _read_traces(folder: Path) -> list[GazeTrace]:
    from psog.errors import RecordingError
    from psog.third_party import read_eyelink_trace

    paths = sorted(folder.glob("*.npy"))
    if not paths:
        raise RecordingError(f"no traces in {folder}; expected a folder with files *.npy")
    return [read_eyelink_trace(path) for path in paths]


def _figures(found: Statistics) -> dict[str, Any]:
    """For JSON: medians by amplitude, and the rest as medians with the 5th and 95th percentile."""
    import numpy as np

    def spread(values: Any) -> list[float] | None:
        return (
            None if len(values) == 0 else [round(float(q), 4) for q in np.quantile(values, (0.05, 0.5, 0.95))]
        )

    saccades = []
    for low, high in pairwise(_BANDS_DEG):
        band = (found.amplitude_deg >= low) & (found.amplitude_deg < high)
        if np.count_nonzero(band) < _FEWEST:
            continue
        swing = found.oscillation_deg[band]
        row = {
            "amplitude_deg": found.amplitude_deg[band],
            "peak_deg_s": found.peak_deg_s[band],
            "duration_ms": 1000 * found.duration_s[band],
            "oscillation_deg": swing[np.isfinite(swing)],
        }
        medians = {name: round(float(np.median(v)), 3) if len(v) else None for name, v in row.items()}
        saccades.append({"from_deg": low, "to_deg": high, "count": int(band.sum()), **medians})
    return {
        "saccades": saccades,
        "microsaccades_per_s": round(found.microsaccades_per_s, 3),
        "fixations": len(found.dispersion_deg),
        "dispersion_deg": spread(found.dispersion_deg),
        "blinks": len(found.blink_s),
        "blink_ms": spread(1000 * found.blink_s),
    }


def _print(found: dict[str, dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "saccades", "number", "amplitude", "peak velocity", "duration", "oscillation")
    others = Table("", "microsaccades / s", "fixation dispersion (5-95 %)", "blinks (5-95 %)")
    for name, figures in found.items():
        for row in figures["saccades"]:
            swing = row["oscillation_deg"]
            table.add_row(
                name,
                f"{row['from_deg']:g} to {row['to_deg']:g}°",
                str(row["count"]),
                f"{row['amplitude_deg']:.2f}°",
                f"{row['peak_deg_s']:.0f} °/s",
                f"{row['duration_ms']:.0f} ms",
                "-" if swing is None else f"{swing:.2f}°",
            )
        table.add_section()
        spreads = (_words(figures["dispersion_deg"], "°"), _words(figures["blink_ms"], " ms"))
        others.add_row(name, f"{figures['microsaccades_per_s']:.2f}", *spreads)
    Console().print(table, others)


def _words(spread: list[float] | None, unit: str) -> str:
    if spread is None:
        return "none"
    low, middle, high = spread
    return f"{middle:.3g}{unit} ({low:.3g} to {high:.3g})"
