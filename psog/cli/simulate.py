"""`psog simulate`: recordings of simulated users."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from psog.errors import SimulationError

if TYPE_CHECKING:
    from psog.sim.production import Workers

_SHARDS_TO_START = 4
"""A process takes about as long to start as to make so many shards."""
_ALWAYS = ("headset", "out", "video", "force", "json")
"""Flags for simulated users and for videos."""
_OF_VIDEO = ("px_per_mm", "eye_px", "motion", "labels", "labels_turned")
"""Flags for videos only; all others are for simulated users only."""


@dataclass(frozen=True)
class Command:
    """Recordings for a population of users who do a task, or from a recorded gaze trace."""

    headset: Annotated[str, tyro.conf.Positional]
    """Built-in headset, or a TOML file."""
    out: Path
    """Folder to write the recording into; must not exist. A command that was stopped goes on if repeated."""
    users: int = 1
    """How many users."""
    seconds: float = 60.0
    """How long each user does it (a trace has its own length)."""
    seed: int = 0
    """The same seed gives the same recording."""
    task: str | None = None
    """What the users do: viewing (if not given), saccades, calibration, reading, pursuit, vor."""
    trace: Path | None = None
    """A recorded gaze trace (.npy with fields t, x, y, status, evt) to replay instead of a task."""
    donning_mm: float = 2.0
    """Each user puts the headset on up to this far from its nominal place."""
    slip_mm: float = 0.0
    """Every ten seconds the headset slips, up to this far from where it was put on."""
    eyes: str = "right"
    """Eyes that look into the module of a right eye: right, left, or both (half of the users each)."""
    wear: str = "fixed"
    """How the headset moves on the head: fixed, still, office (seated) or active."""
    ambient: str = "dark"
    """Light that the headset does not make: dark, indoor or sun."""
    video: Path | None = None
    """A near-infrared video of an eye to read by the ETRA 2019 protocol, instead of a simulated user."""
    px_per_mm: float | None = None
    """Scale of the video; if not given, the protocol's 40×30 mm just fit the picture."""
    eye_px: tuple[float, float] | None = None
    """x and y of the eye's nominal place in the video; if not given, the median place of the pupil."""
    motion: Path | None = None
    """Head motion for the video, CSV of t_s, x_mm, y_mm; if not given, the protocol's cycle of 81 shifts."""
    labels: Path | None = None
    """Pupil centre in every picture of the video, CSV with x, y; if not given, a dark blob is looked for."""
    labels_turned: bool = False
    """The labels are of the picture turned by 180°."""
    workers: int | None = None
    """Processes on this computer; up to one for each core unless given. The recording is the same."""
    scheduler: str | None = None
    """Address of a dask scheduler (tcp://host:8786) whose workers share this disk."""
    force: bool = False
    """Replace an existing recording; throw away an unfinished one that was begun with other options."""
    json: bool = False
    """Print one JSON document."""

    def run(self) -> None:
        from rich.console import Console

        from psog.cli.exposure import warn_of_exposure
        from psog.cli.production_bar import production_bar
        from psog.headset import load_headset
        from psog.sim.ambient import ambient_light
        from psog.sim.config import SimulationConfig
        from psog.sim.production import produce
        from psog.sim.replay import trace_file
        from psog.sim.wear import Wear

        self._check_flags()
        if self.video is not None:
            self._read_video(self.video)
            return
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
            eyes=self.eyes,
        )
        warn_of_exposure(config.headset, console)
        workers = self._workers(config.shards)
        with production_bar(console, config) as progress:
            made = produce(config, self.out, workers, force=self.force, progress=progress)
        if self.json:
            found = {"folder": str(self.out), "users": self.users, **asdict(made)}
            print(json.dumps(found))
        console.print(f"{made.samples:,} samples of {self.users:,} users in {self.out}", soft_wrap=True)

    def _check_flags(self) -> None:
        """Raise where a flag was given that would change nothing."""
        given = [item.name for item in fields(self) if getattr(self, item.name) != item.default]
        of_video = [name for name in given if name in _OF_VIDEO]
        of_users = [name for name in given if name not in (*_ALWAYS, *_OF_VIDEO)]
        if self.video is not None and of_users:
            raise SimulationError(f"cannot read a video and simulate a user; leave out {_flags(of_users)}")
        if self.video is None and of_video:
            raise SimulationError(f"{_flags(of_video)} would say something of a --video; none is given")
        if self.task is not None and self.trace is not None:
            raise SimulationError("cannot both do a task and replay a trace; give either --task or --trace")
        if self.trace is not None and "seconds" in given:
            raise SimulationError("a trace has its own length; give either --seconds or --trace")

    def _workers(self, shards: int) -> Workers:
        """Who makes the shards."""
        from psog.sim.cluster import Cluster
        from psog.sim.cores import available_cores
        from psog.sim.pool import LocalPool

        worth = max(shards // _SHARDS_TO_START, 1)
        if self.scheduler is None:
            return LocalPool(min(available_cores(), worth) if self.workers is None else self.workers)
        if self.workers is not None:
            raise SimulationError("--workers are on this computer, a --scheduler has its own; give only one")
        return Cluster(self.scheduler)

    def _read_video(self, video: Path) -> None:
        from rich.console import Console

        from psog.headset import load_headset
        from psog.manifest import FOLDER
        from psog.recording import write_recording
        from psog.sim.video_recording import VideoSource, record_video

        source = VideoSource(video, self.px_per_mm, self.eye_px, self.motion, self.labels, self.labels_turned)
        headset = load_headset(self.headset)
        FOLDER.check_free(self.out, force=self.force)
        console = Console(stderr=True)
        with console.status("reading the video"):
            recording = record_video(source, headset)
        write_recording(recording, self.out, force=self.force)
        made = recording.provenance["video"]
        pupil_seen = float(recording.columns["valid"].mean())
        if self.json:
            found = {"folder": str(self.out), "samples": len(recording), "pupil_seen": pupil_seen}
            print(json.dumps({**found, "px_per_mm": made["px_per_mm"], "eye_px": made["eye_px"]}))
        x, y = made["eye_px"]
        console.print(
            f"{len(recording)} pictures in {self.out}: {made['px_per_mm']:.4g} px/mm, "
            f"eye at {x:g}, {y:g} px, pupil seen in {100 * pupil_seen:.0f} %",
            soft_wrap=True,
        )


def _flags(names: list[str]) -> str:
    """As they are given on the command line."""
    return ", ".join("--" + name.replace("_", "-") for name in names)
