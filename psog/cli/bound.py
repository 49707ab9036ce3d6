"""`psog bound`: the information limit of a headset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    from rich.console import Console

    from psog.sim.bound.survey import Bounds


@dataclass(frozen=True)
class Command:
    """The least gaze error that any estimator can have: for a known user, a new one, a calibrated one.

    Bayesian Cramér-Rao bound from exact derivatives of the simulator; docs/bound.md says what it assumes.
    """

    headsets: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Built-in headsets, or TOML files."""
    users: int = 20
    """Simulated users to average over, each in a fit of its own."""
    gazes: int = 5
    """Gazes along each side of a grid over the headset's field."""
    shift_mm: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0)
    """How far the headset has slipped since it was put on and, perhaps, calibrated."""
    donning_mm: float = 2.0
    """Each user puts the headset on up to this far from its nominal place; nobody knows where."""
    snr: tuple[float, ...] = (300.0, 1000.0, 3000.0)
    """Mean reading over its noise. With --snr and nothing behind it: the headset's own."""
    points: int = 9
    """Calibration points, 0 to 25, with 7 samples each."""
    first_order: bool = False
    """Leave out lid edges, lashes, relief, tear film, interreflection, spectacles: three times as fast."""
    seed: int = 0
    """Of users and fits."""
    out: Path | None = None
    """Draw maps over gaze into this .png, for the second shift and the second SNR (the only one if alone)."""
    force: bool = False
    """Replace an existing picture."""
    json: bool = False
    """Print the bounds as JSON."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.errors import HeadsetError, SimulationError
        from psog.files import check_new_file
        from psog.headset import load_headset
        from psog.sim.bound.survey import Question, survey
        from psog.sim.effects import FIRST_ORDER, Effects

        if not self.headsets:
            raise HeadsetError("no headset given; name at least one, for example: psog bound ring16")
        headsets = [load_headset(name) for name in self.headsets]
        if self.out is not None:
            check_new_file(self.out, ".png", SimulationError, force=self.force)
        question = Question(
            users=self.users,
            gazes=self.gazes,
            slips_mm=self.shift_mm,
            snrs=self.snr or (None,),
            points=self.points,
            donning_mm=self.donning_mm,
            seed=self.seed,
            effects=FIRST_ORDER if self.first_order else Effects(),
        )
        torch.set_num_threads(1)  # the arrays are small
        console = Console(stderr=True)
        with console.status("differentiating") as status:
            found = []
            for headset in headsets:

                def progress(done: int, count: int, name: str = headset.name) -> None:
                    status.update(f"{name}: {done} of {count} users")

                found.append(survey(headset, question, progress))
        if self.out is not None:
            from psog.sim.bound.picture import draw_bounds

            slip, snr = min(1, len(question.slips_mm) - 1), min(1, len(question.snrs) - 1)
            draw_bounds(found, self.out, slip=slip, snr=snr)
            console.print(f"maps drawn in {self.out}")
        if self.json:
            print(json.dumps({"seed": self.seed, "headsets": [document(one) for one in found]}))
        else:
            for one in found:
                print_bounds(Console(), one)


def document(found: Bounds) -> dict[str, Any]:
    """One headset's bounds for machines."""
    from psog.sim.bound.survey import CASES

    question = found.question
    rows = []
    for case in CASES:
        for j, slip in enumerate(question.slips_mm):
            for k, snr in enumerate(question.snrs):
                radial, horizontal, vertical = found.rms_deg(case, j, k)
                rows.append(
                    {
                        "case": case,
                        "shift_mm": slip,
                        "snr": snr,  # null: the headset's own
                        "radial_deg": radial,
                        "horizontal_deg": horizontal,
                        "vertical_deg": vertical,
                        "median_user_deg": found.median_user_deg(case, j, k),
                        "map_deg": found.map_deg(case, j, k).tolist(),
                    }
                )
    return {
        "headset": found.headset,
        "users": question.users,
        "points": question.points,
        "donning_mm": question.donning_mm,
        "gaze_deg": found.gaze_deg.tolist(),
        "bounds": rows,
    }


def print_bounds(console: Console, found: Bounds) -> None:
    """A table: one row for each case and shift, one column for each SNR."""
    from rich import box
    from rich.table import Table

    from psog.sim.bound.picture import snr_name
    from psog.sim.bound.survey import CASES

    question = found.question
    table = Table(
        title=f"{found.headset}: least gaze error, radial (horizontal/vertical), degrees rms\n"
        f"{question.users} users, seed {question.seed}, donned within ±{question.donning_mm:g} mm",
        box=box.SIMPLE,
    )
    table.add_column("")
    table.add_column("slipped")
    for snr in question.snrs:
        table.add_column(snr_name(snr), justify="right")
    for case in CASES:
        name = f"after {question.points} points" if case == CASES[-1] else case
        for j, slip in enumerate(question.slips_mm):
            figures = [found.rms_deg(case, j, k) for k in range(len(question.snrs))]
            cells = ["{:.2f} ({:.2f}/{:.2f})".format(*figure) for figure in figures]
            last = j == len(question.slips_mm) - 1
            table.add_row("" if j else name, f"{slip:g} mm", *cells, end_section=last)
    console.print(table)
