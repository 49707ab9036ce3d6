"""`psog bench reference`: path-traced readings, and how far the fast simulator is from them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from psog.benchmarks.counting import counting
from psog.errors import PsogError, SimulationError

if TYPE_CHECKING:
    from psog.sim.reference.compare import Agreement
    from psog.sim.reference.interreflection import Fit
    from psog.sim.reference.readings import Library

_WORST = 5
"""States that are told of."""


@dataclass(frozen=True)
class Command:
    """Path-trace random states with Mitsuba, or hold the fast simulator against such readings."""

    headsets: Annotated[tuple[str, ...], tyro.conf.Positional] = ("ring16", "grid15")
    """Built-in names or TOML files, to render."""
    states: int = 120
    """How many."""
    users: int = 8
    """Whom they belong to, in turn."""
    side: int = 64
    """Rays of each replicate and sensor, its square root."""
    replicates: int = 8
    """Whose spread gives the standard error."""
    seed: int = 0
    """Of users, states and rays."""
    out: Path | None = None
    """A file (.npz) for the readings."""
    force: bool = False
    """Replace it if it exists."""
    compare: Path | None = None
    """Render nothing; compare the fast simulator with the readings of this file (.npz)."""
    figure: Path | None = None
    """A picture (.png) of the comparison."""
    json: bool = False
    """Print the comparison as one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        if self.compare is not None:
            self._compare(self.compare)
        elif self.out is not None:
            self._render(self.out)
        else:
            raise PsogError("nothing to do; expected --out FILE.npz to render, or --compare FILE.npz")

    def _render(self, out: Path) -> None:
        from psog.files import check_new_file
        from psog.headset import load_headset
        from psog.sim.reference.rays import Sampling
        from psog.sim.reference.readings import path_trace, write_library
        from psog.sim.reference.states import random_states

        check_new_file(out, ".npz", SimulationError, force=self.force)
        library = path_trace(
            [load_headset(name) for name in self.headsets],
            random_states(self.states, self.users, self.seed),
            Sampling(self.side, self.replicates),
            seed=self.seed,
            progress=counting("states"),
        )
        write_library(library, out)

    def _compare(self, path: Path) -> None:
        from psog.headset import load_headset
        from psog.sim.reference.compare import agreement, fast_readings
        from psog.sim.reference.interreflection import fit_interreflection
        from psog.sim.reference.readings import read_library

        library = read_library(path)
        headsets = {name: load_headset(name) for name in library.readings}
        found = {
            name: agreement(headset, library.states, library.readings[name])
            for name, headset in headsets.items()
        }
        if self.figure is not None:
            from psog.sim.reference.figure import draw_comparison

            shown = {
                name: (one, fast_readings(headsets[name], library.states), library.readings[name].total)
                for name, one in found.items()
            }
            draw_comparison(shown, self.figure)
        fits = {"all": fit_interreflection(library, list(headsets.values()))}
        fits |= {name: fit_interreflection(library, [headset]) for name, headset in headsets.items()}
        if self.json:
            import json

            rows = {name: _row(one, library) for name, one in found.items()}
            fitted = {name: asdict(fit) for name, fit in fits.items()}
            print(json.dumps({"made": library.made, "headsets": rows, "interreflection": fitted}))
        else:
            _print(found, fits, library)


def _row(one: Agreement, library: Library) -> dict[str, Any]:
    import numpy as np

    row = {
        name: np.round(value, 5).tolist() if isinstance(value, np.ndarray) else value
        for name, value in asdict(one).items()
    }
    worst = np.argsort(-one.state_residual)[:_WORST]
    states = library.states
    row["least_correlation"] = one.least_correlation
    row["states"] = len(states)
    row["worst_states"] = [
        {
            "state": int(k),
            "residual": round(float(one.state_residual[k]), 5),
            "gaze_deg": np.round(states.gaze_deg[k], 1).tolist(),
            "openness": round(float(states.openness[k]), 2),
            "pupil_mm": round(float(states.pupil_mm[k]), 1),
        }
        for k in worst
    ]
    return row


def _print(found: dict[str, Agreement], fits: dict[str, Fit], library: Library) -> None:
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{len(library.states)} states; rms, % of the mean reading")
    for title in ("", *found):
        table.add_column(title, justify="right" if title else "left")

    def row(title: str, *cells: str) -> None:
        table.add_row(title, *cells)

    row("gain", *(f"{one.gain:.4f}" for one in found.values()))
    row("residual", *(f"{one.residual:.2%}" for one in found.values()))
    row("standard error of path tracing", *(f"{one.error:.2%}" for one in found.values()))
    row("correlation, worst sensor that varies", *(f"{one.least_correlation:.4f}" for one in found.values()))
    row("correlation, median", *(f"{np.median(one.correlation):.4f}" for one in found.values()))
    row(
        "within users, worst and median",
        *(
            f"{one.correlation_within.min():.4f} {np.median(one.correlation_within):.4f}"
            for one in found.values()
        ),
    )
    first = next(iter(found.values()))
    for name in first.parts:
        row(f"off: {name}", *(f"{one.parts[name]:.2%}" for one in found.values()))
    for name in first.effects:
        row(f"adds: {name}", *(f"{one.effects[name]:.2%}" for one in found.values()))
    lines = []
    for name, fit in fits.items():
        words = f"skin {fit.skin:.3f}·F, lid margins {fit.wall:.3f}, eye {fit.eye:.3f} leave {fit.after:.2%}"
        plain = f"skin {fit.plain_skin:.3f}, eye {fit.plain_eye:.3f} leave {fit.plain_after:.2%}"
        lines.append(f"interreflection, {name}: {words} of {fit.before:.2%}; {plain}")
    Console().print(table, *lines, sep="\n")
