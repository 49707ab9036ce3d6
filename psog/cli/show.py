"""`psog show`: a picture of a headset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


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

        from psog.cli.exposure import exposure_line
        from psog.headset import load_headset

        headset = load_headset(self.headset)
        console = Console(stderr=True)
        with console.status("drawing"):
            from psog.sim.picture import draw_headset

            draw_headset(headset, self.out, seed=self.seed)
        console.print(f"{headset.name} drawn in {self.out}")
        console.print(exposure_line(headset), soft_wrap=True)
