"""`psog train`: a population model for a headset, from simulated users."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tyro.conf import Positional

if TYPE_CHECKING:
    from psog.headset import Headset
    from psog.net.loop import TrainingConfig
    from psog.net.processes import Team
    from psog.net.pruning import Pruning

DEFAULT_STEPS = 5000


@dataclass(frozen=True)
class Command:
    """Train a population model for a headset on simulated users, and judge it on users it has not seen.

    With --steps (the default) the same seed gives the same model, on processors of one kind; with --seconds
    the machine's speed counts. A run that was stopped goes on where it was when the same command is given
    again. It works in several processes with --processes, or under torchrun.
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
    network: str = "cnn"
    """The headset's standard network (cnn), the baseline of about the same cost without convolutions (mlp),
    two convolutions of 16 channels, which are worth pruning (deep), or layers, as `psog search` prints them:
    conv16-dense96-dense64-features32-planes2."""
    embedding: int | None = None
    """Numbers that tell the network whose eye it sees, from a calibration (16 unless given); 0 for none."""
    keep: float | None = None
    """Prune while training: the share of kernels to keep, such as 0.25, each with four of nine weights."""
    patterns: Literal["4", "8", "12", "data"] | None = None
    """With --keep: the patterns a kernel chooses its four weights from: the 4 corners (the default), 8 or 12,
    or the most frequent ones of these data."""
    learning_rate: float | None = None
    """At the start; lower it if a run diverges."""
    seed: int = 0
    """Of users, weights and batches."""
    users_per_batch: int = 16
    """Users of each step; more make steps steadier and dearer."""
    processes: int | None = None
    """Processes that share the users of each batch, such as one for each core (1, or as torchrun says)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; auto takes a GPU when there is one and --users-per-batch are many enough to gain."""
    force: bool = False
    """Replace a model that is already in the folder."""
    json: bool = False
    """Print the report as JSON."""

    def run(self) -> None:
        from psog.cli.team import run_in_team

        run_in_team(self._train, self.processes, check=self._check)

    def _check(self, processes: int) -> None:
        """Find what cannot be done before anybody starts.

        Raises:
            PsogError: what that is.
        """
        from psog.headset import load_headset
        from psog.net.accelerator import device_for
        from psog.net.processes import check_divides
        from psog.net.store import FOLDER
        from psog.net.training import check_users

        headset = load_headset(self.headset)
        FOLDER.check_free(self.out, force=self.force)
        check_users(self.users)
        self._config(headset)
        check_divides(processes, self.users_per_batch)
        device_for(self.device, self.users_per_batch)

    def _train(self, team: Team) -> None:
        """What each process does; the first one speaks and writes for all."""
        import json

        import torch
        from rich.console import Console

        from psog.cli.exposure import warn_of_exposure
        from psog.cli.training_bar import training_bar
        from psog.cli.unseen import errors_on_unseen_users, print_errors, with_measured_error
        from psog.headset import load_headset
        from psog.net.accelerator import device_for
        from psog.net.shared import shared_episodes
        from psog.net.store import save_model
        from psog.net.training import train, unfinished
        from psog.sim.episodes import make_episodes

        console = Console(stderr=True, quiet=not team.first)
        headset = load_headset(self.headset)
        warn_of_exposure(headset, console)
        config = self._config(headset)
        device = device_for(self.device, self.users_per_batch, team.rank)
        checkpoint = unfinished(self.out, headset, config, {"users": self.users})
        if checkpoint.load() is not None:
            console.print(f"going on from {checkpoint.path.name}", soft_wrap=True)
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        console.print(f"simulating {self.users} users of {headset.name}")
        episodes = shared_episodes(team, lambda: make_episodes(headset, users=self.users, seed=self.seed))
        with training_bar(console) as show:
            net, report = train(episodes, headset, config, show, checkpoint, team=team, device=device)
        if not team.first:
            return
        net = with_measured_error(net, headset, self.seed)
        report["evaluation"] = errors_on_unseen_users(net, headset, _TEST_USERS, self.seed)
        save_model(self.out, net, report, self.force)
        checkpoint.remove()
        if self.json:
            print(json.dumps(report))
        print_errors(console, report["evaluation"])
        console.print(f"{self.out}: {net.macs:,} MACs, {net.parameters:,} parameters")
        if "pruning" in report:
            left = report["pruning"]["network_macs_effective"]
            console.print(f"pruned: {left:,} MACs are left where removed weights are passed over")

    def _config(self, headset: Headset) -> TrainingConfig:
        from psog.net.architecture import USER_NUMBERS
        from psog.net.architecture_text import network_for
        from psog.net.loop import TrainingConfig

        numbers = USER_NUMBERS if self.embedding is None else self.embedding
        return TrainingConfig(
            steps=DEFAULT_STEPS if self.steps is None and self.seconds is None else self.steps,
            seconds=self.seconds,
            seed=self.seed,
            architecture=replace(network_for(self.network, headset), embedding=numbers),
            learning_rate=TrainingConfig.learning_rate if self.learning_rate is None else self.learning_rate,
            users_per_batch=self.users_per_batch,
            pruning=self._pruning(),
        )

    def _pruning(self) -> Pruning | None:
        """What the options ask for.

        Raises:
            ModelError: a share that cannot be kept, or patterns without one.
        """
        from psog.errors import ModelError
        from psog.net.pruning import Pruning

        if self.keep is None:
            if self.patterns is not None:
                raise ModelError(f"--patterns {self.patterns} is for pruning; give --keep too, such as 0.25")
            return None
        return Pruning(keep=self.keep, patterns=self.patterns or Pruning.patterns)


_TEST_USERS = 80
