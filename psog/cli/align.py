"""`psog align`: a model for a headset of which there are only recordings without gaze."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Command:
    """Adapt a model to a headset by recordings without gaze: a minute each of people who look around.

    gain maps each sensor's mean by a factor to that of the simulated users that the model was trained with,
    standardise mean and spread. The other methods train the model further on simulated users, with a loss
    that pulls the features of both sides together. docs/domains.md says which helps when, and when all of
    them do harm; with gaze, psog adapt is the better command.
    """

    model: Annotated[Path, tyro.conf.Positional]
    """Folder that psog train wrote."""
    recordings: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Recording folders, or tab-separated files of psog_nn; their gaze is not looked at."""
    out: Path
    """Folder for the aligned model."""
    method: Literal["standardise", "gain", "dare-gram", "coral", "mmd", "dann"] = "gain"
    """How."""
    standardise_first: bool = False
    """Also map the readings where the method is a loss on features."""
    moving: bool = False
    """Every reading counts: the headset moves from reading to reading, as in files of psog_nn, and eyes are
    open."""
    steps: int = 300
    """Training steps."""
    weight: float | None = None
    """Of the loss on features; the method's own if not given."""
    seed: int = 0
    """Of simulated users and batches."""
    simulated_users: int = 1000
    """How many stand for the source."""
    headset: str | None = None
    """The headset's TOML file, for a model of a headset that is not built in."""
    force: bool = False
    """Replace a model that is already in the folder."""
    json: bool = False
    """Print the report as JSON."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.cli.sources import load_source
        from psog.cli.training_bar import training_bar
        from psog.headset import load_headset
        from psog.net.adapt import adaptation_config
        from psog.net.domain.align import Alignment, align
        from psog.net.store import FOLDER, load_model, save_model
        from psog.net.training import check_users
        from psog.sim.episodes import make_episodes

        console = Console(stderr=True)
        FOLDER.check_free(self.out, force=self.force)
        how = Alignment(self.method, self.standardise_first, self.weight, at_rest=not self.moving)
        config = adaptation_config(self.steps, self.seed)
        check_users(self.simulated_users)
        parent = load_model(self.model)
        headset = load_headset(self.headset or parent.net.headset)
        sources = [load_source(path) for path in self.recordings]
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        with console.status(f"simulating {self.simulated_users:,} users"):
            labelled = make_episodes(headset, users=self.simulated_users, seed=self.seed)
        with training_bar(console) if how.trains else nullcontext() as show:
            net, report = align(parent, sources, headset, config, how, labelled=labelled, progress=show)
        save_model(self.out, net, report, self.force)
        if self.json:
            print(json.dumps(report))
        console.print(
            f"{self.out}: {self.method} with {report['data']['wearers']} wearers; whether it helped, only "
            f"gaze can tell: psog evaluate {self.out} RECORDING",
            soft_wrap=True,
        )
