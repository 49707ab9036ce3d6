"""The figures of the ETRA 2019 benchmark, summed up over users and repetitions, beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from psog.benchmarks.etra2019.protocol import POPULATION, SCRATCH, SOLVED, TUNED, Outcome, Run
from psog.benchmarks.etra2019.psog import FORMS, PSOG_NETS
from psog.benchmarks.etra2019.splits import SPLITS

if TYPE_CHECKING:
    from rich.console import Console

PAPER: dict[str, dict[str, tuple[float, float]]] = {
    "low-power MLP": {TUNED: (0.870, 0.243), SCRATCH: (1.018, 0.280)},
    "low-power CNN": {TUNED: (0.703, 0.147), SCRATCH: (0.668, 0.130)},
    "high-power MLP": {TUNED: (0.732, 0.200), SCRATCH: (0.825, 0.230)},
    "high-power CNN": {TUNED: (0.591, 0.124), SCRATCH: (0.569, 0.118)},
}
"""Degrees, mean and SD over users and repetitions, with the random split (from the authors' result files)."""

_ORDER = [*PAPER, *(f"{name} {form}" for name in PSOG_NETS for form in FORMS)]
OURS, THEIRS = "psog CNN int8", "low-power CNN"
"""What is compared user by user: the two cost about the same."""


def summed_up(runs: Sequence[Run]) -> dict[str, Any]:
    """{network: {"macs", "parameters", "pretraining_cpu_s", "splits": {split: {start: figures}}, "paper"}}.

    Figures are "mean_deg" and "sd_deg" over users and repetitions, "epochs" and "cpu_s" on average, and
    "subjects_deg", the mean of each user. Pretraining is the average over folds. "paper" is there where the
    paper has the network.
    """
    found: dict[str, Any] = {}
    for name in dict.fromkeys(one.network for run in runs for one in run.outcomes):
        of_it = [run for run in runs if any(one.network == name for one in run.outcomes)]
        outcomes = [one for run in of_it for one in run.outcomes if one.network == name]
        found[name] = {
            "macs": of_it[0].macs,
            "parameters": of_it[0].parameters,
            "pretraining_cpu_s": round(float(np.mean([run.pretraining_cpu_s for run in of_it])), 2),
            "splits": {split: _by_start([one for one in outcomes if one.split == split]) for split in SPLITS},
        }
        if name in PAPER:
            paper = {start: {"mean_deg": mean, "sd_deg": sd} for start, (mean, sd) in PAPER[name].items()}
            found[name]["paper"] = paper
    return dict(sorted(found.items(), key=lambda item: _ORDER.index(item[0])))


def _by_start(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    starts = dict.fromkeys(one.start for one in outcomes)
    return {start: _figures([one for one in outcomes if one.start == start]) for start in starts}


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    errors_deg = [one.error_deg for one in outcomes]
    of_subject: dict[str, list[float]] = {}
    for one in outcomes:
        of_subject.setdefault(one.subject, []).append(one.error_deg)
    return {
        "mean_deg": round(float(np.mean(errors_deg)), 4),
        "sd_deg": round(float(np.std(errors_deg)), 4),
        "epochs": round(float(np.mean([one.epochs for one in outcomes])), 1),
        "cpu_s": round(float(np.mean([one.cpu_s for one in outcomes])), 2),
        "subjects_deg": {name: round(float(np.mean(errors)), 4) for name, errors in of_subject.items()},
    }


def print_table(console: Console, networks: dict[str, Any]) -> None:
    """A table per split."""
    from rich.table import Table

    columns = ("network", "MACs / parameters", POPULATION, SOLVED, TUNED, SCRATCH, "CPU s")
    for split, title in _TITLES.items():
        paper = split == "random"
        table = Table(*columns, *(["paper"] if paper else []), title=f"gaze error, degrees; {title}")
        for name, network in networks.items():
            starts = network["splits"][split]
            cells = [_error(starts.get(start)) for start in (POPULATION, SOLVED, TUNED, SCRATCH)]
            cells.append(" / ".join(f"{starts[start]['cpu_s']:.1f}" for start in (TUNED, SCRATCH)))
            if paper and "paper" in network:
                cells.append(" / ".join(f"{network['paper'][s]['mean_deg']:.3f}" for s in (TUNED, SCRATCH)))
            table.add_row(name, f"{network['macs']:,} / {network['parameters']:,}", *cells)
        console.print(table)
    console.print(f"CPU s, paper: {TUNED} / {SCRATCH}")
    if {OURS, THEIRS} <= networks.keys():
        console.print(_against(networks, OURS, THEIRS))


def _against(networks: dict[str, Any], ours: str, theirs: str) -> str:
    """How the errors of two networks compare, user by user."""
    parts = []
    for split, title in _TITLES.items():
        mine, other = (networks[name]["splits"][split][TUNED]["subjects_deg"] for name in (ours, theirs))
        better = sum(mine[name] < other[name] for name in mine)
        ratio = np.mean(list(mine.values())) / np.mean(list(other.values()))
        parts.append(f"{ratio:.2f} of its error, less for {better} of {len(mine)} users ({title})")
    return f"{ours} against {theirs}, both {TUNED}: {'; '.join(parts)}"


_TITLES = {
    "random": "rows split at random, as in the paper",
    "blocks": "split by blocks of time",
}


def _error(figures: dict[str, Any] | None) -> str:
    return "–" if figures is None else f"{figures['mean_deg']:.2f} ± {figures['sd_deg']:.2f}"
