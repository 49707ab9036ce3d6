"""A progress bar for training that shows the running error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from psog.net.loop import Progress as TrainingProgress
    from psog.net.loop import ProgressCallback


@contextmanager
def training_bar(console: Console) -> Iterator[ProgressCallback]:
    """A callback for psog.net.training that draws on `console` while the context lasts."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("train"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:

        def show(progress: TrainingProgress) -> None:
            if not bar.tasks:  # none before an error that comes before the first step
                bar.add_task("", total=1.0)
            text = f"{progress.phase}, step {progress.step}, error {progress.error_deg:.2f}°"
            bar.update(bar.task_ids[0], completed=progress.fraction, description=text)

        yield show
