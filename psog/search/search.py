"""A search from beginning to end: users, trials, finalists, and the network that is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from psog.errors import SearchError
from psog.search.finalists import Finalist, Length, chosen, keep_result, kept_results
from psog.search.folder import Order, ordered, working_on, write_json
from psog.search.instructions import InstructionModel
from psog.search.plan import Plan
from psog.search.space import Candidate
from psog.search.trials import Tried, forget_unfinished, optuna, tried
from psog.search.users import make_users
from psog.search.workers import Here, Workers, job

RESULT = "result.json"

Progress = Callable[[str, int, int, str], None]
"""Called with what is being done, how much of it is done, of how much, and a remark."""


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        tried: every trial.
        finalists: from the best on; None is of the headset's standard network.
        best: the best finalist within the budget; None if each of them exceeds it.
        rank_correlation: Spearman's, of the finalists' errors as trials and as finalists; None of fewer than
            three.
    """

    order: Order
    tried: tuple[Tried, ...]
    finalists: tuple[Finalist, ...]
    best: Finalist | None
    rank_correlation: float | None

    @property
    def command(self) -> str | None:
        """That trains the best in full."""
        if self.best is None:
            return None
        return f"psog train {self.order.plan.headset} {self.best.candidate.flags} --out model"

    def front(self) -> list[Tried]:
        """Finished trials that no other beats in both instructions and error, from the cheapest on."""
        return pareto_front(self.tried)

    def to_json(self) -> dict[str, Any]:
        return {
            "plan": self.order.plan.to_json(),
            "instruction_model": self.order.model.to_json(),
            "trials": [each.to_json() for each in self.tried],
            "front": [each.number for each in self.front()],
            "finalists": [each.to_json() for each in self.finalists],
            "rank_correlation": self.rank_correlation,
            "found": None if self.best is None else self.best.to_json(),
            "command": self.command,
        }


def search(
    plan: Plan,
    folder: Path,
    workers: Workers | None = None,
    progress: Progress | None = None,
    model: InstructionModel | None = None,
) -> Found:
    """Search, or go on with the search of this plan that is in the folder.

    Args:
        model: of the plan's board and headset, where there is one already.
    Raises:
        SearchError: the folder is of another search, nothing was found, or a worker failed.
        MissingExtraError: optuna is not installed.
        ToolchainError: instructions cannot be counted on the board here.
    """
    optuna()
    told = progress or (lambda what, done, of, remark: None)
    with working_on(folder):
        order = ordered(plan, folder, lambda done, of: told("count instructions", done, of, ""), model)
        make_users(plan, order.headset, folder, lambda done, of: told("simulate users", done, of, ""))
        workers = workers or Here()
        _run_trials(plan, folder, workers, told)
        found = _finals(order, folder, workers, told)
        write_json(folder / RESULT, found.to_json())
    return found


def _run_trials(plan: Plan, folder: Path, workers: Workers, told: Progress) -> None:
    forget_unfinished(plan, folder)
    there = len(tried(plan, folder))
    jobs = [job("trial", index=index) for index in range(there, plan.trials)]
    for _, result in workers.do(folder, jobs):
        _checked(result)
        so_far = tried(plan, folder)
        best = min((one.error_deg for one in so_far if one.error_deg is not None), default=None)
        told("try networks", len(so_far), plan.trials, "" if best is None else f"best {best:.2f}°")


def _finals(order: Order, folder: Path, workers: Workers, told: Progress) -> Found:
    plan = order.plan
    all_tried = tried(plan, folder)
    entrants = chosen(all_tried, order)
    lengths = [
        Length(number, plan.final_steps, plan.final_users_per_batch, plan.final_judges)
        for number in range(plan.final_seeds)
    ]
    jobs = {
        candidate: [
            job("final", network=candidate.network, keep=candidate.keep, length=asdict(length))
            for length in lengths
        ]
        for candidate, _ in entrants
    }
    wanted = [each for ones in jobs.values() for each in ones]
    results = {each: result for each, result in kept_results(folder).items() if each in wanted}
    left = [each for each in wanted if each not in results]
    for each, result in workers.do(folder, left):
        _checked(result)
        keep_result(folder, each, result)
        results[each] = result
        told("train finalists", len(results), len(wanted), "")
    finalists = [
        _finalist(candidate, trial, [json.loads(results[each]) for each in jobs[candidate]])
        for candidate, trial in entrants
    ]
    finalists.sort(key=lambda one: one.mean_deg)
    within = [one for one in finalists if one.instructions <= plan.instructions]
    best = within[0] if within else None
    return Found(order, tuple(all_tried), tuple(finalists), best, _rank_correlation(finalists))


def _finalist(candidate: Candidate, trial: Tried | None, results: Sequence[dict[str, Any]]) -> Finalist:
    return Finalist(
        trial=None if trial is None else trial.number,
        candidate=candidate,
        instructions=int(results[0]["instructions"]),
        proxy_deg=None if trial is None else trial.error_deg,
        error_deg=tuple(float(result["error_deg"]) for result in results),
    )


def _rank_correlation(finalists: Sequence[Finalist]) -> float | None:
    pairs = [(one.proxy_deg, one.mean_deg) for one in finalists if one.proxy_deg is not None]
    if len(pairs) < 3:
        return None
    proxies, errors = np.array(pairs).T
    return round(float(spearmanr(proxies, errors).statistic), 3)


def _checked(result: str) -> None:
    error = json.loads(result).get("error")
    if error is not None:
        raise SearchError(error)


def pareto_front(tried: Sequence[Tried]) -> list[Tried]:
    """Finished trials that no other beats in both instructions and error, from the cheapest on."""
    finished = [each for each in tried if each.error_deg is not None]
    front: list[Tried] = []
    for each in sorted(finished, key=lambda one: (one.instructions, one.error_deg)):
        assert each.error_deg is not None
        if not front or each.error_deg < (front[-1].error_deg or 0):
            front.append(each)
    return front
