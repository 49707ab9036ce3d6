"""`psog adapt`: a population model becomes one for the headset that was built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Command:
    """Train a population model further, on recordings of several users of the headset that was built.

    Every weight is trained, through the calibration solve, with simulated users in between. A run that was
    stopped goes on where it was when the same command is given again.
    """

    model: Annotated[Path, tyro.conf.Positional]
    """Folder that psog train wrote."""
    recordings: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Recording folders, or tab-separated files of psog_nn, with gaze; each of other people."""
    out: Path
    """Folder for the headset's model."""
    steps: int = 1000
    """Training steps."""
    seed: int = 0
    """Of simulated users and batches."""
    learning_rate: float | None = None
    """At the start; lower it if a run diverges."""
    simulated_share: float = 0.5
    """Share of the steps that go to simulated users of the headset's file; 0 for none."""
    simulated_users: int = 2000
    """How many."""
    normalisation: Literal["keep", "refit"] = "refit"
    """Of readings: as the model has it, or fitted to the recordings."""
    headset: str | None = None
    """The headset's TOML file, for a model of a headset that is not built in."""
    force: bool = False
    """Replace a model that is already in the folder."""
    json: bool = False
    """Print the report as JSON."""

    def run(self) -> None:
        import json
        from dataclasses import replace

        import torch
        from rich.console import Console

        from psog.cli.sources import load_source
        from psog.cli.training_bar import training_bar
        from psog.cli.unseen import with_measured_error
        from psog.headset import load_headset
        from psog.net.adapt import Adaptation, adapt, adaptation_config, unfinished
        from psog.net.store import FOLDER, load_model, save_model
        from psog.sim.episodes import make_episodes

        console = Console(stderr=True)
        FOLDER.check_free(self.out, force=self.force)
        how = Adaptation(self.simulated_share, self.normalisation)
        config = adaptation_config(self.steps, self.seed)
        if self.learning_rate is not None:
            config = replace(config, learning_rate=self.learning_rate)
        parent = load_model(self.model)
        headset = load_headset(self.headset or parent.net.headset)
        sources = [load_source(path) for path in self.recordings]
        users = self.simulated_users if self.simulated_share > 0 else 0
        checkpoint = unfinished(self.out, parent, sources, headset, config, how=how, simulated_users=users)
        if checkpoint.load() is not None:
            console.print(f"going on from {checkpoint.path.name}", soft_wrap=True)
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        simulated = make_episodes(headset, users=users, seed=self.seed) if users > 0 else None
        with training_bar(console) as show:
            net, report = adapt(
                parent,
                sources,
                headset,
                config,
                how,
                simulated=simulated,
                progress=show,
                checkpoint=checkpoint,
            )
        net = with_measured_error(net, headset, self.seed)
        save_model(self.out, net, report, self.force)
        checkpoint.remove()
        if self.json:
            print(json.dumps(report))
        data = report["data"]
        console.print(
            f"{self.out}: adapted to {data['users']} users in {data['poses']} poses; judge it on others: "
            f"psog evaluate {self.out} RECORDING --calibration-s 15",
            soft_wrap=True,
        )
