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
    """The picture to write, .png."""
    seed: int = 8
    """Of the user and of the eye movement (the default blinks)."""
    gallery: bool = False
    """Draw many eye states instead, and what the sensors read of each."""
    force: bool = False
    """Replace an existing picture."""

    def run(self) -> None:
        from rich.console import Console

        from psog.cli.exposure import exposure_line
        from psog.errors import SimulationError
        from psog.files import check_new_file
        from psog.headset import load_headset

        check_new_file(self.out, ".png", SimulationError, force=self.force)
        headset = load_headset(self.headset)
        console = Console(stderr=True)
        with console.status("drawing"):
            if self.gallery:
                from psog.sim.gallery import draw_gallery

                draw_gallery(headset, self.out)
            else:
                from psog.sim.picture import draw_headset

                draw_headset(headset, self.out, seed=self.seed)
        console.print(f"{headset.name} drawn in {self.out}")
        console.print(exposure_line(headset), soft_wrap=True)
