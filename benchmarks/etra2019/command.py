"""`psog bench etra2019`: the protocol of the ETRA 2019 paper, its four networks, and psog's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from rich.console import Console

    from psog.benchmarks.etra2019.protocol import Protocol

NetworkName = Literal[
    "low-power MLP", "low-power CNN", "high-power MLP", "high-power CNN", "psog CNN", "psog MLP"
]
"""Those of the paper, and psog's (psog.benchmarks.etra2019.jobs.NETWORKS)."""


@dataclass(frozen=True)
class Command:
    """Pretrain on other users and fine-tune on one, or train from scratch: the paper's networks and psog's.

    22 users, 6 folds, 10 repetitions, split at random as in the paper and by blocks of time. Takes hours; see
    --short.
    """

    short: bool = False
    """Fewer users, rows, repetitions and steps: some minutes. What is reduced is said in the result."""
    data: Path | None = None
    """The paper's own data set (ROOT of ROOT/SUBJECT/SUBJECT_grid15.csv) instead of simulated users."""
    networks: tuple[NetworkName, ...] = get_args(NetworkName)
    """Which of them; all unless told otherwise."""
    repetitions: int | None = None
    """Splits and first weights per user; what the form says if not given."""
    workers: int | None = None
    """Processes; one per core if not given. The figures do not depend on it, but for the times."""
    keep: Path | None = None
    """A file that keeps what is done: the same command goes on there after a stop."""
    seed: int = 0
    """Of users, splits, weights and batches."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from dataclasses import replace

        from rich.console import Console

        from psog.benchmarks.etra2019.protocol import FULL, SHORT
        from psog.benchmarks.etra2019.table import print_table
        from psog.errors import PsogError

        if not self.networks:
            raise PsogError("--networks names none; expected at least one")
        protocol = SHORT if self.short else FULL
        if self.repetitions is not None:
            if self.repetitions < 1:
                raise PsogError(f"--repetitions is {self.repetitions}; expected at least 1")
            protocol = replace(protocol, repetitions=self.repetitions)
        console = Console(stderr=True)
        result = measure(
            protocol, self.data, self.seed, self.workers, console, networks=self.networks, keep=self.keep
        )
        if self.json:
            import json

            print(json.dumps(result))
        else:
            console = Console()
            print_table(console, result["networks"])
            console.print(_said(result))


def measure(
    protocol: Protocol,
    data: Path | None,
    seed: int,
    workers: int | None,
    progress: Console,
    *,
    networks: Sequence[NetworkName] = get_args(NetworkName),
    keep: Path | None = None,
) -> dict[str, Any]:
    """Run `networks`, one on a group of users after the other; `keep` holds what is done.

    Returns:
        "data", "seed", "reduced", "protocol", "rows" (of each user), "tested" (users) and "networks" (as
        `table.summed_up` gives them).
    Raises:
        PsogError: files that cannot be read, `keep` of another protocol, or a worker that died.
    """
    from dataclasses import asdict

    from psog.benchmarks.etra2019.data import FOLDS, simulated_subjects
    from psog.benchmarks.etra2019.jobs import NETWORKS, Job, run_jobs
    from psog.benchmarks.etra2019.protocol import Fold, Run
    from psog.benchmarks.etra2019.reader import read_subjects
    from psog.benchmarks.etra2019.table import summed_up
    from psog.benchmarks.pieces import Pieces
    from psog.errors import RecordingError
    from psog.headset import load_headset
    from psog.sim.cores import available_cores

    headset = load_headset("grid15")
    with progress.status("reading" if data else "simulating 22 users"):
        subjects = (
            read_subjects(data, headset) if data else simulated_subjects(headset, protocol.samples, seed)
        )
    folds = [Fold.of(subjects, number, seed) for number in protocol.folds]
    folds = [fold for fold in folds if fold.tested]
    if not folds:
        groups = [f"{FOLDS[number][0]} to {FOLDS[number][-1]}" for number in protocol.folds]
        raise RecordingError(f"{data} has none of the subjects {', '.join(groups)} that are tested")
    for fold in folds:
        fold.cases(repetitions=1)  # tells a subject that cannot be split now, not after hours
    made_from = {
        "data": "files" if data else "simulated",
        "seed": seed,
        "protocol": asdict(protocol),
        "rows": {one.name: len(one) for one in subjects},
    }
    pieces = Pieces(keep, made_from)
    jobs = [Job(name, fold, protocol, headset) for name in NETWORKS if name in networks for fold in folds]
    left = [job for job in jobs if job.name not in pieces]
    done = len(jobs) - len(left)
    if done:
        progress.print(f"{done} of {len(jobs)} were done before")
    for job, run in run_jobs(left, available_cores() if workers is None else workers):
        pieces.keep(job.name, asdict(run))
        done += 1
        tested = ", ".join(one.name for one in job.fold.tested)
        progress.print(f"{done} of {len(jobs)} done: {job.network}, subjects {tested}")
    runs = [Run.of(pieces[job.name]) for job in jobs]
    return {
        **pieces.made_from,
        "reduced": _reduced(protocol, len(set(networks))),
        "tested": [one.name for fold in folds for one in fold.tested],
        "networks": summed_up(runs),
    }


def _reduced(protocol: Protocol, networks: int) -> list[str]:
    """What is less than in the full form."""
    from psog.benchmarks.etra2019.protocol import FULL

    pairs = [
        (networks, len(get_args(NetworkName)), "networks"),
        (len(protocol.folds), len(FULL.folds), "folds"),
        (protocol.samples, FULL.samples, "rows of a simulated user"),
        (protocol.repetitions, FULL.repetitions, "repetitions"),
        (protocol.pretraining.most_epochs, FULL.pretraining.most_epochs, "epochs of pretraining at most"),
        (protocol.user.most_epochs, FULL.user.most_epochs, "epochs on a user at most"),
        (protocol.psog_pretraining.steps, FULL.psog_pretraining.steps, "steps of psog's pretraining"),
        (protocol.psog_tuning[-1].steps, FULL.psog_tuning[-1].steps, "steps of psog's network on a user"),
    ]
    return [f"{little:,} of {full:,} {what}" for little, full, what in pairs if little < full]


def _said(result: dict[str, Any]) -> str:
    """What the tables do not say."""
    rows = list(result["rows"].values())
    lines = [
        f"{result['data']} users, {min(rows):,} to {max(rows):,} rows of each at 120 a second; seed "
        f"{result['seed']}; mean ± SD over {len(result['tested'])} users and the repetitions"
    ]
    pretraining = [f"{name} {one['pretraining_cpu_s']:.0f}" for name, one in result["networks"].items()]
    lines.append(f"pretraining, CPU s per fold: {', '.join(pretraining)}")
    if result["reduced"]:
        lines.append(f"reduced: {'; '.join(result['reduced'])}")
    return "\n".join(lines)
