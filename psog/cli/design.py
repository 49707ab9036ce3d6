"""`psog design`: a better sensor layout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from rich.console import Console

    from psog.headset import Headset
    from psog.sim.bound.survey import Bounds
    from psog.sim.design.improve import Improvement
    from psog.sim.design.objective import Aim

_GAZES = 5
_CASES = {"known": "known user", "new": "new user", "calibrated": "calibrated user"}


@dataclass(frozen=True)
class Command:
    """Move a headset's parts and aims for a lower information limit, within what can be built.

    Parts slide over the housing: each keeps its z. What is printed at the end is the bound of other users
    than those the layout was made with; docs/bound.md says what it assumes.
    """

    headset: Annotated[str, tyro.conf.Positional]
    """Built-in headset, or a TOML file."""
    out: Path
    """The new headset's TOML file; its stem becomes the headset's name."""
    case: Literal["known", "new", "calibrated"] = "calibrated"
    """For whom: a known user, a new one, or one who has been calibrated."""
    shift_mm: float = 1.0
    """How far the headset has slipped since it was put on (and calibrated)."""
    donning_mm: float = 2.0
    """Each user puts the headset on up to this far from its nominal place."""
    snr: float | None = None
    """Mean reading over its noise; the headset's own unless given."""
    points: int = 9
    """Calibration points."""
    sensors: int | None = None
    """Leave out the least useful sensors until so many are left."""
    steps: int = 40
    """Down the gradient."""
    users: int = 4
    """New ones in every step."""
    verify_users: int = 12
    """Others, by whom before and after are compared, with every optical effect."""
    reach_mm: float = 6.0
    """No part ends further from where it was."""
    widen_mm: float = 2.0
    """The outermost parts may move outwards by this."""
    spacing_mm: float = 2.5
    """Between the centres of any two parts (or what the closest have now)."""
    tilt_deg: float = 60.0
    """Between a part's aim and straight ahead (or what the most tilted has now)."""
    aim_mm: float = 13.0
    """No part aims further than this from the axis of the eye (or than it does now)."""
    eye_mm: float = 12.0
    """From every part to the cornea (or what the nearest has now)."""
    all_effects: bool = False
    """Improve with every optical effect too, and not only compare with them: five times as long."""
    seed: int = 0
    """Of users and fits."""
    picture: Path | None = None
    """Draw before and after into this .png."""
    force: bool = False
    """Replace existing files."""
    json: bool = False
    """Print the bounds before and after as JSON."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.errors import HeadsetError, SimulationError
        from psog.files import check_new_file, writing_file
        from psog.headset import load_headset
        from psog.headset_file import headset_toml
        from psog.sim.design.layout import checked

        headset = load_headset(self.headset)
        check_new_file(self.out, ".toml", HeadsetError, force=self.force)
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,14}", self.out.stem):
            raise HeadsetError(
                f"cannot name a headset {self.out.stem!r} after the file {self.out.name}; expected up to 15 "
                "lower-case letters, digits, - and _"
            )
        if self.picture is not None:
            check_new_file(self.picture, ".png", SimulationError, force=self.force)
        torch.set_num_threads(1)  # the arrays are small
        console = Console(stderr=True)
        made = self._made(headset, console)
        described = f"{headset.name} with its parts moved by psog design for a {_CASES[self.case]}"
        after = checked(made.after, name=self.out.stem, description=described)
        with console.status("the bound of other users, before and after"):
            before_bounds, after_bounds = (self._verified(one) for one in (headset, after))
        case = _CASES[self.case]
        old, new = (found.rms_deg(case, 0, 0)[0] for found in (before_bounds, after_bounds))
        if self.sensors is None and new >= old:
            raise SimulationError(
                f"no better layout than {headset.name} found in {self.steps} steps ({old:.3f}° before, "
                f"{new:.3f}° after); try more steps or wider limits"
            )
        with writing_file(self.out, HeadsetError) as partial:
            partial.write_text(headset_toml(after), "utf-8")
        if self.picture is not None:
            from psog.sim.design.picture import draw_design

            draw_design((headset, after), (before_bounds, after_bounds), case, self.picture)
        if self.json:
            print(json.dumps(document(made, before_bounds, after_bounds)))
        else:
            print_comparison(Console(), before_bounds, after_bounds)
        console.print(f"{after.name} written to {self.out}")

    def _aim(self) -> Aim:
        from psog.sim.design.objective import Aim
        from psog.sim.effects import FIRST_ORDER, Effects

        return Aim(
            case=_CASES[self.case],  # type: ignore[arg-type]
            slip_mm=self.shift_mm,
            snr=self.snr,
            points=self.points,
            donning_mm=self.donning_mm,
            seed=self.seed,
            effects=Effects() if self.all_effects else FIRST_ORDER,
        )

    def _made(self, headset: Headset, console: Console) -> Improvement:
        from psog.sim.design.improve import improve
        from psog.sim.design.layout import without_sensors
        from psog.sim.design.limits import Limits
        from psog.sim.design.thin import most_useful

        limits = Limits(
            reach_mm=self.reach_mm,
            widen_mm=self.widen_mm,
            spacing_mm=self.spacing_mm,
            tilt_deg=self.tilt_deg,
            aim_mm=self.aim_mm,
            eye_mm=self.eye_mm,
        )
        with console.status("differentiating") as status:
            if self.sensors is not None:
                kept = most_useful(headset, self._aim(), self.sensors)
                console.print(f"sensors kept: {' '.join(map(str, kept))}")
                headset = without_sensors(headset, kept)

            def progress(done: int, steps: int, bound_deg: float) -> None:
                status.update(f"{done} of {steps} steps, bound {bound_deg:.3f}°")

            return improve(
                headset, self._aim(), limits, steps=self.steps, users=self.users, progress=progress
            )

    def _verified(self, headset: Headset) -> Bounds:
        from dataclasses import replace

        from psog.sim.bound.survey import survey
        from psog.sim.effects import Effects

        question = self._aim().question(self.verify_users, _GAZES, "verify")
        return survey(headset, replace(question, points=self.points, effects=Effects()))


def document(made: Improvement, before: Bounds, after: Bounds) -> dict[str, Any]:
    """The comparison for machines: degrees, radial."""
    from psog.sim.bound.survey import CASES

    return {
        "headset": before.headset,
        "design": after.headset,
        "sensors": made.after.sensor_count,
        "users": before.question.users,
        "before_deg": {case: before.rms_deg(case, 0, 0)[0] for case in CASES},
        "after_deg": {case: after.rms_deg(case, 0, 0)[0] for case in CASES},
        "step_bound_deg": list(made.bound_deg),
        "light": list(made.light),
    }


def print_comparison(console: Console, before: Bounds, after: Bounds) -> None:
    """A table: one row for each case."""
    from rich import box
    from rich.table import Table

    from psog.sim.bound.survey import CASES

    question = before.question
    table = Table(
        title=f"least gaze error, radial (horizontal/vertical), degrees rms\n{question.users} users the "
        f"layout was not made with, slipped by {question.slips_mm[0]:g} mm",
        box=box.SIMPLE,
    )
    table.add_column("")
    for found in (before, after):
        table.add_column(found.headset, justify="right")
    for case in CASES:
        name = f"after {question.points} points" if case == CASES[-1] else case
        figures = (found.rms_deg(case, 0, 0) for found in (before, after))
        table.add_row(name, *("{:.2f} ({:.2f}/{:.2f})".format(*figure) for figure in figures))
    console.print(table)
