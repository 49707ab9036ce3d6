"""`psog search`: the best network for a headset within a budget of instructions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tyro.conf import Positional

from psog.firmware_export.boards import BoardName

if TYPE_CHECKING:
    from rich.console import Console

    from psog.search.finalists import Finalist
    from psog.search.plan import Plan
    from psog.search.search import Found, Progress
    from psog.search.trials import Tried
    from psog.search.workers import Workers

_WIDTH = 110  # of the tables, also where they are piped


@dataclass(frozen=True)
class Command:
    """Search the network with the least gaze error within a budget of instructions on a board.

    Tries networks in short trainings, stops those that are behind, trains the best few again for longer,
    and prints them beside the headset's standard network at this budget, with the command that trains the
    best in full. A search that was stopped goes on when the same command is given again; so it does with
    more --trials.
    """

    headset: Positional[str]
    """Built-in headset (grid15, ring16) or the path of a TOML file."""
    instructions: int
    """Of one inference, at most."""
    out: Path
    """Folder of the search; result.json and front.png appear in it."""
    board: BoardName = "mps2-an386"
    """Emulated board whose instructions count."""
    trials: int = 40
    """Networks to try."""
    steps: int = 800
    """Training steps of a trial that nothing stops."""
    users: int = 1000
    """Simulated users to train on."""
    judges: int = 40
    """Other users, on whom trials are judged."""
    finalists: int = 5
    """Of the best trials, how many are trained again."""
    final_steps: int = 2000
    """Training steps of a finalist."""
    final_seeds: int = 2
    """Trainings of a finalist, each with other weights and batches."""
    sampler: Literal["tpe", "random"] = "tpe"
    """Who chooses: optuna's tree-structured Parzen estimator, or chance."""
    seed: int = 0
    """Of users, weights, batches and choices."""
    processes: int = 1
    """Processes on this computer. With more than one, what is tried depends on who is done first."""
    scheduler: str | None = None
    """Address of a dask scheduler (tcp://host:8786) whose workers share this disk."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.search.search import search
        from psog.sim.figures import new_figure

        new_figure((1, 1))  # before an hour's work: is there something to draw with?
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        plan, workers = self._plan(), self._workers()
        console = Console(stderr=True)
        with _bar(console) as progress:
            found = search(plan, self.out, workers, progress)
        from psog.search.picture import draw_search

        picture = self.out / "front.png"
        draw_search(found, picture)
        if self.json:
            print(json.dumps(found.to_json()))
        else:
            _print(Console(width=_WIDTH), found)
        console.print(f"the front as a picture: {picture}", soft_wrap=True, highlight=False)

    def _plan(self) -> Plan:
        from psog.search.plan import Plan

        return Plan(
            headset=self.headset,
            board=self.board,
            instructions=self.instructions,
            trials=self.trials,
            users=self.users,
            judges=self.judges,
            steps=self.steps,
            finalists=self.finalists,
            final_steps=self.final_steps,
            final_seeds=self.final_seeds,
            sampler=self.sampler,
            seed=self.seed,
        )

    def _workers(self) -> Workers:
        from psog.errors import SearchError
        from psog.search.workers import Here, Processes, Scheduler

        if self.scheduler is not None and self.processes != 1:
            raise SearchError("--processes and --scheduler both say who works; give one of them")
        if self.scheduler is not None:
            return Scheduler(self.scheduler)
        return Here() if self.processes == 1 else Processes(self.processes)


@contextmanager
def _bar(console: Console) -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[remark]}"),
    )
    with Bar(*columns, console=console) as bar:
        tasks = {}

        def show(what: str, done: int, of: int, remark: str) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of, remark="")
            bar.update(tasks[what], completed=done, remark=remark)

        yield show


def _print(console: Console, found: Found) -> None:
    plan, model = found.order.plan, found.order.model
    console.print(_front(found))
    console.print(_finalists(found))
    console.print(
        f"instructions of trials are estimated ({model.mean_error:.1%} off on average, "
        f"{model.largest_error:.1%} at most, of networks the estimate does not follow from); those of "
        f"finalists are counted on {plan.board}",
        highlight=False,
    )
    if found.rank_correlation is not None:
        told = (
            f"rank correlation of finalists' errors, as trials and as finalists: {found.rank_correlation:.2f}"
        )
        console.print(told, highlight=False)
    if found.command is None:
        console.print(f"no finalist has at most {plan.instructions:,} instructions", highlight=False)
    else:
        console.print(f"train the best in full:\n  {found.command}", highlight=False, soft_wrap=True)


def _front(found: Found) -> object:
    from rich.table import Table

    finished = sum(each.error_deg is not None for each in found.tried)
    table = Table(title=f"front of {len(found.tried)} trials, {finished} of them trained to their end")
    for name in ("trial", "network", "instructions, estimated", "error"):
        table.add_column(name, justify="left" if name == "network" else "right")
    for each in found.front():
        table.add_row(str(each.number), _name(each), f"{each.instructions:,}", f"{each.error_deg:.3f}°")
    return table


def _finalists(found: Found) -> object:
    from rich.table import Table

    plan = found.order.plan
    table = Table(title=f"finalists after {plan.final_steps} steps, {plan.final_judges} other users")
    for name in ("trial", "network", "instructions", "error", "each training"):
        table.add_column(name, justify="left" if name == "network" else "right")
    for each in found.finalists:
        trial = "standard" if each.trial in (None, 0) else str(each.trial)
        errors = " ".join(f"{error:.3f}" for error in each.error_deg)
        over = " (too many)" if each.instructions > plan.instructions else ""
        count = f"{each.instructions:,}{over}"
        table.add_row(trial, _name(each), count, f"{each.mean_deg:.3f}°", errors)
    return table


def _name(each: Tried | Finalist) -> str:
    pruned = "" if each.candidate.keep == 1 else f", {each.candidate.keep:g} of kernels"
    return f"{each.candidate.network}{pruned}"
