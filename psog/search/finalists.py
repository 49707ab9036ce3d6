"""Finalists: the best trials, trained longer with other weights and batches and judged by other users."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from psog.errors import ModelError, SearchError
from psog.net.architecture import standard
from psog.search.folder import Order
from psog.search.instructions import instructions_of
from psog.search.space import Candidate, fitted, like
from psog.search.training import errors_deg, trained
from psog.search.trials import Tried
from psog.search.users import final_judges, users

_FILE = "finalists.jsonl"


@dataclass(frozen=True)
class Finalist:
    """A network that was trained again.

    Attributes:
        trial: the number of its trial; None of the standard network at this budget, if its trial was stopped.
        instructions: counted in QEMU.
        proxy_deg: error of its trial; None where that is None.
        error_deg: mean error of the final judges after each training, degrees.
    """

    trial: int | None
    candidate: Candidate
    instructions: int
    proxy_deg: float | None
    error_deg: tuple[float, ...]

    @property
    def mean_deg(self) -> float:
        return float(np.mean(self.error_deg))

    def to_json(self) -> dict[str, Any]:
        return {
            "trial": self.trial,
            "network": self.candidate.network,
            "keep": self.candidate.keep,
            "instructions": self.instructions,
            "proxy_deg": None if self.proxy_deg is None else round(self.proxy_deg, 4),
            "error_deg": [round(error, 4) for error in self.error_deg],
            "mean_deg": round(self.mean_deg, 4),
        }


@dataclass(frozen=True)
class Length:
    """Of a finalist's training number 0, 1, …, and how many judge it."""

    number: int
    steps: int
    users_per_batch: int
    judges: int


def chosen(tried: Sequence[Tried], order: Order) -> list[tuple[Candidate, Tried | None]]:
    """The best trials, each network once, and what one would take without a search.

    That is the headset's standard network, wider or narrower as the budget allows.

    Raises:
        SearchError: no trial came to its end.
    """
    best: dict[Candidate, Tried | None] = {}
    finished = [each for each in tried if each.error_deg is not None]
    for each in sorted(finished, key=lambda one: (one.error_deg, one.number)):
        if len(best) < order.plan.finalists:
            best.setdefault(each.candidate, each)
    if not best:
        raise SearchError("every trial diverged or was stopped; try more of them, or another seed")
    usual = _standard(order)
    if usual is not None:
        best.setdefault(usual, next((each for each in finished if each.candidate == usual), None))
    return list(best.items())


def _standard(order: Order) -> Candidate | None:
    """The standard network at this budget; None if it cannot be so small."""
    knobs, limit = like(standard(order.headset)), order.model.limit(order.plan.instructions)
    try:
        return fitted(knobs, order.headset, order.model, limit)
    except ModelError:
        return None


def train_finalist(order: Order, folder: Path, candidate: Candidate, length: Length) -> dict[str, Any]:
    """Train a finalist once more.

    Returns:
        JSON types: "error_deg", mean of the final judges, and "instructions", counted after the first
        training and None after others: they only differ by which kernels pruning keeps.
    Raises:
        ModelError: it diverged, or the board has no room for it.
    """
    plan, headset = order.plan, order.headset
    episodes, _ = users(folder, headset.name)
    net = trained(
        candidate,
        episodes,
        headset,
        steps=length.steps,
        seed=plan.seed + 1 + length.number,
        users_per_batch=length.users_per_batch,
    )
    error = float(errors_deg(net, final_judges(plan, headset, length.judges), headset).mean())
    counted = instructions_of(candidate, net, headset, plan.board) if length.number == 0 else None
    return {"error_deg": error, "instructions": counted}


def keep_result(folder: Path, job: str, result: str) -> None:
    """Write down what came of a job, so that it is not done again."""
    with (folder / _FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"job": job, "result": result}) + "\n")


def kept_results(folder: Path) -> dict[str, str]:
    """What came of the jobs that are done."""
    path = folder / _FILE
    found = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
            found[str(entry["job"])] = str(entry["result"])
        except (ValueError, KeyError, TypeError):
            continue  # a line that a stop tore
    return found
