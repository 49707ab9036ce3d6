"""A progress bar for simulations: shards done, samples a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from psog.sim.config import SimulationConfig
    from psog.sim.production import Progress


@contextmanager
def production_bar(console: Console, config: SimulationConfig) -> Iterator[Callable[[Progress], None]]:
    """A callback for psog.sim.production that draws on `console` while the context lasts."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        TextColumn("simulate"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting (the first time the simulator is compiled)", total=config.samples)

        def show(progress: Progress) -> None:
            if progress.shards > 0:
                shards = f"{progress.shards:,} of {config.shards:,} shards"
                text = f"{shards}, {progress.samples_per_s:,.0f} samples/s"
                bar.update(task, completed=progress.samples, description=text)

        yield show
