"""`psog bench sim`: how fast the simulator is, and how far its quadrature is from a fine one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from psog.sim.measure import Figures


@dataclass(frozen=True)
class Command:
    """Samples per second (readings of all sensors), and the quadrature's error against a fine one."""

    headsets: Annotated[tuple[str, ...], tyro.conf.Positional] = ("ring16", "grid15")
    """Built-in headsets or TOML files."""
    poses: int = 1000
    """Users, each in a pose of their own, in the timed run."""
    samples: int = 64
    """Samples per pose in the timed run."""
    seed: int = 0
    """Of users, poses and gazes."""
    json: bool = False
    """Print one JSON document: the figures of the first headset, and all of them under "headsets"."""

    def run(self) -> None:
        import json

        from rich.console import Console

        from psog.errors import PsogError
        from psog.headset import load_headset

        if not self.headsets:
            raise PsogError("no headset to measure with; expected one or more names")
        headsets = [load_headset(name) for name in self.headsets]
        with Console(stderr=True).status("measuring (the first time the simulator is compiled)"):
            from psog.sim.measure import measure

            figures = {
                headset.name: measure(headset, poses=self.poses, samples=self.samples, seed=self.seed)
                for headset in headsets
            }
        if self.json:
            every = {name: asdict(found) for name, found in figures.items()}
            print(json.dumps(every[headsets[0].name] | {"headsets": every}))
        else:
            _print(figures)


def _print(figures: dict[str, Figures]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("headset", "sensors", "samples/s", "per CPU second", "error", "worst sensor")
    for name, found in figures.items():
        table.add_row(
            name,
            str(found.sensors),
            f"{found.samples_per_s:,}",
            f"{found.samples_per_cpu_s:,}",
            f"{found.quadrature_error:.2%}",
            f"{found.quadrature_error_worst:.2%}",
        )
    Console().print(table)
