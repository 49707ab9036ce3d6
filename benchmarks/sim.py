"""`psog bench sim`: how fast the simulator is, and how far its quadrature is from a fine one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from psog.sim.measure import Figures


@dataclass(frozen=True)
class Command:
    """Samples per second (readings of all sensors), and the quadrature's error against a fine one.

    With first-order optics and with every effect; with many samples a pose, and with one (a headset that is
    never still).
    """

    headsets: Annotated[tuple[str, ...], tyro.conf.Positional] = ("ring16", "grid15")
    """Built-in headsets or TOML files."""
    poses: int = 1000
    """Users, each in a pose of their own, in the timed run."""
    samples: int = 64
    """Samples per pose in the timed run."""
    seed: int = 0
    """Of users, poses and gazes."""
    json: bool = False
    """Print one JSON document: first-order figures of the first headset, and all of them under "headsets"."""

    def run(self) -> None:
        import json

        from rich.console import Console

        from psog.errors import PsogError
        from psog.headset import load_headset

        if not self.headsets:
            raise PsogError("no headset to measure with; expected one or more names")
        headsets = [load_headset(name) for name in self.headsets]
        with Console(stderr=True).status("measuring (the first time the simulator is compiled)"):
            from psog.sim.effects import FIRST_ORDER, Effects
            from psog.sim.measure import measure

            cases = {
                "first_order": (FIRST_ORDER, self.poses, self.samples),
                "every_effect": (Effects(), self.poses, self.samples),
                "own_poses": (FIRST_ORDER, self.poses * self.samples, 1),
                "own_poses_every_effect": (Effects(), self.poses * self.samples, 1),
            }
            figures = {
                headset.name: {
                    name: measure(headset, poses=poses, samples=samples, seed=self.seed, effects=effects)
                    for name, (effects, poses, samples) in cases.items()
                }
                for headset in headsets
            }
        if self.json:
            every = {
                name: {case: asdict(found) for case, found in of.items()} for name, of in figures.items()
            }
            first = every[headsets[0].name]
            print(json.dumps(first["first_order"] | {"headsets": every}))
        else:
            _print(figures)


def _print(figures: dict[str, dict[str, Figures]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("headset", "case", "per pose", "samples/s", "per CPU second", "error", "worst sensor")
    for name, cases in figures.items():
        for case, found in cases.items():
            table.add_row(
                name,
                case.replace("_", " "),
                str(found.samples_per_pose),
                f"{found.samples_per_s:,}",
                f"{found.samples_per_cpu_s:,}",
                f"{found.quadrature_error:.2%}",
                f"{found.quadrature_error_worst:.2%}",
            )
    Console().print(table)
