"""`psog train`: a population model for a headset, from simulated users."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

DEFAULT_STEPS = 5000


@dataclass(frozen=True)
class Command:
    """Train a population model for a headset on simulated users, and judge it on users it has not seen.

    With --steps (the default) the same seed gives the same model; with --seconds the machine's speed counts.
    """

    headset: Positional[str]
    """Built-in headset (grid15, ring16) or the path of a TOML file."""
    out: Path
    """Folder for the model."""
    users: int = 2000
    """Simulated users to train on."""
    steps: int | None = None
    """Training steps (5000 unless --seconds is given)."""
    seconds: float | None = None
    """Training time instead of steps."""
    network: Literal["cnn", "mlp"] = "cnn"
    """The headset's standard network, or the baseline of about the same cost without convolutions."""
    seed: int = 0
    """Of users, weights and batches."""
    force: bool = False
    """Replace a model that is already in the folder."""
    json: bool = False
    """Print the report as JSON."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.cli.exposure import warn_of_exposure
        from psog.cli.training_bar import training_bar
        from psog.cli.unseen import errors_on_unseen_users, print_errors
        from psog.headset import load_headset
        from psog.net.architecture import named
        from psog.net.loop import TrainingConfig
        from psog.net.store import FOLDER, save_model
        from psog.net.training import check_users, train
        from psog.sim.episodes import make_episodes

        console = Console(stderr=True)
        headset = load_headset(self.headset)
        FOLDER.check_free(self.out, force=self.force)
        check_users(self.users)
        warn_of_exposure(headset, console)
        steps = DEFAULT_STEPS if self.steps is None and self.seconds is None else self.steps
        architecture = named(self.network, headset)
        config = TrainingConfig(steps=steps, seconds=self.seconds, seed=self.seed, architecture=architecture)
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        console.print(f"simulating {self.users} users of {headset.name}")
        episodes = make_episodes(headset, users=self.users, seed=self.seed)
        with training_bar(console) as show:
            net, report = train(episodes, headset, config, show)
        report["evaluation"] = errors_on_unseen_users(net, headset, _TEST_USERS, self.seed)
        save_model(self.out, net, report, self.force)
        if self.json:
            print(json.dumps(report))
        print_errors(console, report["evaluation"])
        console.print(f"{self.out}: {net.macs:,} MACs, {net.parameters:,} parameters")


_TEST_USERS = 80
