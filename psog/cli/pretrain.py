"""`psog pretrain`: a network learns from readings without gaze; the next stage begins with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from psog.headset import Headset
    from psog.net.pretraining.loop import PretrainingConfig, Progress
    from psog.net.sources import Source
    from psog.positives import Positives


@dataclass(frozen=True)
class Command:
    """Pretrain a network without labels, on recordings whose gaze nobody knows, a simulated headset, or both.

    Of recordings it takes fixations, found in the readings alone; of a headset's file it renders moments of
    simulated users again and again. The model has no gaze of its own: psog adapt trains it on, with labels.
    A run that was stopped goes on where it was when the same command is given again.
    """

    sources: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Recording folders, or tab-separated files of psog_nn; and a built-in headset (grid15, ring16) or the
    path of a TOML file, to simulate."""
    out: Path
    """Folder for the model."""
    method: Literal["barlow-twins", "byol", "nnclr"] = "barlow-twins"
    """How to learn without labels."""
    headset: str | None = None
    """The headset's TOML file, for recordings of one that is not built in; nothing is simulated."""
    steps: int = 2000
    """Training steps."""
    users: int = 500
    """To simulate, where a headset is among the sources."""
    network: Literal["cnn", "mlp", "deep"] = "cnn"
    """As of psog train."""
    embedding: int | None = None
    """As of psog train; it is not pretrained."""
    learning_rate: float | None = None
    """At the start; lower it if a run collapses."""
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

        from psog.cli.sources import load_source
        from psog.net.pretraining.loop import pretrain, unfinished
        from psog.net.store import FOLDER, save_model

        console = Console(stderr=True)
        FOLDER.check_free(self.out, force=self.force)
        recorded = [load_source(path) for path in self.sources if _is_recording(path)]
        headset = self._headset(recorded)
        config = self._config(headset)
        data = {
            "files": [source.told() for source in recorded],
            "simulated_users": self.users if self._simulated else 0,
        }
        checkpoint = unfinished(self.out, headset, config, data)
        if checkpoint.load() is not None:
            console.print(f"going on from {checkpoint.path.name}", soft_wrap=True)
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        positives = self._positives(recorded, headset)
        with _bar(console) as show:
            net, report = pretrain(positives, headset, config, show, checkpoint, data=data)
        save_model(self.out, net, report, self.force)
        checkpoint.remove()
        if self.json:
            print(json.dumps(report))
        found, (_, _, spread, rank) = report["data"], report["history"][-1]
        console.print(
            f"{self.out}: pretrained on {found['moments']:,} moments of {found['wearers']} wearers (spread "
            f"{spread:.2f}, effective rank {rank:.1f}); next: psog adapt {self.out} RECORDINGS --out HEADSET",
            soft_wrap=True,
        )

    @property
    def _simulated(self) -> list[Path]:
        """The sources that are headsets."""
        return [path for path in self.sources if not _is_recording(path)]

    def _headset(self, recorded: list[Source]) -> Headset:
        """Whose readings these are.

        Raises:
                PsogError: no headset of that name, more than one, or nothing at all.
        """
        from psog.errors import HeadsetError
        from psog.headset import load_headset

        named = [str(path) for path in self._simulated] + ([] if self.headset is None else [self.headset])
        if len(named) != 1 and not (recorded and not named):
            found = " and ".join(named) or "nothing"
            raise HeadsetError(f"cannot pretrain on {found}; expected recordings, or one headset")
        return load_headset(named[0] if named else recorded[0].recording.headset)

    def _config(self, headset: Headset) -> PretrainingConfig:
        from dataclasses import replace

        from psog.net.architecture import USER_NUMBERS, named
        from psog.net.pretraining.loop import PretrainingConfig

        numbers = USER_NUMBERS if self.embedding is None else self.embedding
        config = PretrainingConfig(
            method=self.method,
            steps=self.steps,
            seed=self.seed,
            architecture=replace(named(self.network, headset), embedding=numbers),
        )
        return config if self.learning_rate is None else replace(config, learning_rate=self.learning_rate)

    def _positives(self, recorded: list[Source], headset: Headset) -> Positives:
        """Of all sources.

        Raises:
            PsogError: too little in them, or of another headset.
        """
        from psog.net.pretraining.moments import fixations_of, joined_positives
        from psog.sim.views import make_views

        parts = [fixations_of(recorded, headset)] if recorded else []
        if self._simulated:
            parts.append(make_views(headset, users=self.users, seed=self.seed))
        return joined_positives(parts)


def _is_recording(path: Path) -> bool:
    """A folder or a file that is no headset's; a built-in headset's name wins over a folder called so."""
    from psog.headset import built_in_headsets

    return str(path) not in built_in_headsets() and path.suffix != ".toml" and path.exists()


@contextmanager
def _bar(console: Console) -> Iterator[Callable[[Progress], None]]:
    """A progress bar that shows whether features still tell moments apart."""
    from rich import progress as rich_progress

    columns: tuple[Any, ...] = (
        rich_progress.TextColumn("pretrain"),
        rich_progress.BarColumn(),
        rich_progress.TaskProgressColumn(),
        rich_progress.TextColumn("{task.description}"),
        rich_progress.TimeElapsedColumn(),
    )
    with rich_progress.Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=1.0)

        def show(now: Progress) -> None:
            text = f"step {now.step}, loss {now.loss:.3f}, {now.health}"
            bar.update(task, completed=now.fraction, description=text)

        yield show
