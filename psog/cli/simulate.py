"""`psog simulate`: recordings of simulated users."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Command:
    """Recordings for a population of users who do a task, or from a recorded gaze trace."""

    headset: Annotated[str, tyro.conf.Positional]
    """Built-in headset, or a TOML file."""
    out: Path
    """Folder to write the recording into; must not exist."""
    users: int = 1
    """How many users."""
    seconds: float = 60.0
    """How long each user does it (a trace has its own length)."""
    seed: int = 0
    """The same seed gives the same recording."""
    task: str | None = None
    """What the users do: viewing (if not given), saccades, calibration, reading."""
    trace: Path | None = None
    """A recorded gaze trace (.npy with fields t, x, y, status, evt) to replay instead of a task."""
    donning_mm: float = 2.0
    """Each user puts the headset on up to this far from its nominal place."""
    slip_mm: float = 0.0
    """Every ten seconds the headset slips, up to this far from where it was put on."""
    wear: str = "fixed"
    """How the headset moves on the head: fixed, still, office (seated) or active."""
    ambient: str = "dark"
    """Light that the headset does not make: dark, indoor or sun."""
    force: bool = False
    """Replace an existing folder."""

    def run(self) -> None:
        from rich.console import Console

        from psog.cli.exposure import warn_of_exposure
        from psog.errors import SimulationError
        from psog.headset import load_headset
        from psog.recording import FOLDER, write_recording
        from psog.sim.ambient import ambient_light
        from psog.sim.config import SimulationConfig
        from psog.sim.replay import trace_file
        from psog.sim.wear import Wear

        if self.task is not None and self.trace is not None:
            raise SimulationError("cannot both do a task and replay a trace; give either --task or --trace")
        console = Console(stderr=True)
        config = SimulationConfig(
            load_headset(self.headset),
            users=self.users,
            seed=self.seed,
            seconds=self.seconds,
            task=self.task or "viewing",
            wear=Wear(self.donning_mm, self.slip_mm, self.wear),
            ambient=ambient_light(self.ambient),
            trace=None if self.trace is None else trace_file(self.trace),
        )
        warn_of_exposure(config.headset, console)
        FOLDER.check_free(self.out, force=self.force)
        with console.status("simulating (the first time the simulator is compiled)"):
            from psog.sim.simulate import simulate

            recording = simulate(config)
        write_recording(recording, self.out, force=self.force)
        console.print(f"{len(recording)} samples of {self.users} users in {self.out}")
