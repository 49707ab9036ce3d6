"""`psog adapt`: a population model becomes one for the headset that was built, or for a fleet of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from psog.headset import Headset


@dataclass(frozen=True)
class Command:
    """Train a model further, on recordings of several users of the headset that was built.

    Every weight is trained, through the calibration solve, with simulated users in between. A run that was
    stopped goes on where it was when the same command is given again. With --stage fleet, recordings of
    several headsets of one design make the parent for headsets that nobody has recorded with: those in one
    folder are of one headset, unless their manifest names another ("unit").
    """

    model: Annotated[Path, tyro.conf.Positional]
    """Folder that psog train wrote."""
    recordings: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Recording folders, or tab-separated files of psog_nn, with gaze; each of other people."""
    out: Path
    """Folder for the model."""
    stage: Literal["headset", "fleet"] = "headset"
    """What the recordings are of: one headset, or several."""
    designs: tuple[str, ...] = ()
    """Fleet: TOML files of other designs whose recordings are among them, with sensors on the same grid."""
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
    normalisation: Literal["auto", "keep", "refit"] = "auto"
    """Of readings: as the model has it, or fitted to the recordings of each headset; auto fits to those of
    one headset and at least 8 people."""
    headset: str | None = None
    """The headset's TOML file, for a model of a headset that is not built in."""
    force: bool = False
    """Replace a model that is already in the folder."""
    json: bool = False
    """Print the report as JSON."""

    def run(self) -> None:
        import json
        from dataclasses import replace
        from functools import partial

        import torch
        from rich.console import Console

        from psog.cli.sources import load_source
        from psog.cli.training_bar import training_bar
        from psog.cli.unseen import with_measured_error
        from psog.headset import load_headset
        from psog.net.adapt import Adaptation, adapt, adaptation_config, unfinished
        from psog.net.adapt_fleet import adapt_fleet, unit_name, units_of
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
        is_fleet = self.stage == "fleet"
        others = self._others()
        units = units_of(sources, headset, others) if is_fleet else []
        users = self.simulated_users if self.simulated_share > 0 else 0
        checkpoint = unfinished(
            self.out,
            parent,
            sources,
            headset,
            config,
            how=how,
            simulated_users=users,
            units=[unit_name(source) for source in sources] if is_fleet else (),
        )
        if checkpoint.load() is not None:
            console.print(f"going on from {checkpoint.path.name}", soft_wrap=True)
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        simulated = make_episodes(headset, users=users, seed=self.seed) if users > 0 else None
        with training_bar(console) as show:
            further = partial(adapt_fleet, parent, units) if is_fleet else partial(adapt, parent, sources)
            net, report = further(
                headset, config, how, simulated=simulated, progress=show, checkpoint=checkpoint
            )
        net = with_measured_error(net, headset, self.seed)
        save_model(self.out, net, report, self.force)
        checkpoint.remove()
        if self.json:
            print(json.dumps(report))
        console.print(f"{self.out}: {self._made(report['data'])}", soft_wrap=True)

    def _others(self) -> list[Headset]:
        from psog.errors import ModelError
        from psog.headset import load_headset

        if self.designs and self.stage != "fleet":
            raise ModelError("--designs say something of --stage fleet; leave them out, or give that stage")
        return [load_headset(design) for design in self.designs]

    def _made(self, data: Mapping[str, Any]) -> str:
        """What was adapted to, and what comes next."""
        people = f"{data['users']} users in {data['poses']} poses"
        if self.stage == "headset":
            return (
                f"adapted to {people}; judge it on others: "
                f"psog evaluate {self.out} RECORDING --calibration-s 15"
            )
        of_each = ", ".join(f"{name} ({of['users']})" for name, of in data["headsets"].items())
        return (
            f"adapted to {people} of {len(data['headsets'])} headsets, {of_each}; for a new one: "
            f"psog adapt {self.out} RECORDING …"
        )
