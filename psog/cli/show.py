"""`psog show`: a picture of a headset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from psog.headset import Headset


@dataclass(frozen=True)
class Command:
    """Draw a headset: a simulated eye with the sensors around it, and what they read."""

    headset: Annotated[str, tyro.conf.Positional]
    """Built-in headset, or a TOML file."""
    out: Path
    """The picture to write (.png, .svg or .pdf)."""
    seed: int = 8
    """Of the user and of the eye movement (the default blinks)."""

    def run(self) -> None:
        from rich.console import Console

        from psog.headset import load_headset

        headset = load_headset(self.headset)
        console = Console(stderr=True)
        with console.status("drawing"):
            from psog.sim.picture import draw_headset

            draw_headset(headset, self.out, seed=self.seed)
        console.print(f"{headset.name} drawn in {self.out}")
        console.print(exposure_line(headset), soft_wrap=True)


def exposure_line(headset: Headset) -> str:
    """What the headset's light does to the eye, in one line."""
    from psog.sim.safety import LIMIT_W_M2, check_exposure, corneal_exposure

    found = corneal_exposure(headset)
    if found is None:
        return "light on the cornea: not known, the headset file names no emitter and LED current"
    return check_exposure(headset) or (
        f"light on the cornea: at most {found.greatest_w_m2:.1f} W/m² while a slot lasts, "
        f"{found.mean_w_m2:.1f} W/m² on average; the limit is {LIMIT_W_M2:.0f} W/m²"
    )
