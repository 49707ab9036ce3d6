"""The searches of `psog bench search`, and the trainings that judge what they found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

from psog.headset import load_headset
from psog.net.architecture import USER_NUMBERS, standard
from psog.search.finalists import Finalist, keep_result, kept_results
from psog.search.folder import write_json
from psog.search.instructions import InstructionModel, instruction_model, instructions_of
from psog.search.plan import Plan, Sampler
from psog.search.search import Found, pareto_front, search
from psog.search.space import Candidate
from psog.search.training import errors_deg, trained
from psog.search.trials import Tried
from psog.search.users import SLIPS_MM
from psog.sim.episodes import make_episodes, make_test_episodes

if TYPE_CHECKING:
    from psog.episodes import Episodes
    from psog.headset import Headset

SAMPLERS: tuple[Sampler, ...] = ("tpe", "random")
DATA_SEED, TEST_SEED, TRAINING_SEED = 7000, 8000, 9000
"""Of users to train on, of users to judge, and the first of weights and batches: of no search."""


@dataclass(frozen=True)
class Protocol:
    """How much is searched and trained.

    Attributes:
        searches: of each sampler, with seeds from 0 on.
        plan: trials and finalists of each.
        nets: random ones that the cost of instructions follows from, and others.
        test_steps, test_seeds: of trainings of what was found, and of the shipped architecture.
        longer_steps: the same two seeds, of the shipped architecture and the best that was found.
        checked: trials of seed 0 that are trained as long as finds are, to see what a trial's rank is worth.
    """

    plan: Plan
    searches: int
    nets: tuple[int, int]
    users: int
    test_users: int
    test_steps: int
    test_seeds: int
    longer_steps: int
    checked: int


FULL = Protocol(
    Plan(
        headset="ring16",
        board="mps2-an386",
        instructions=34_234,
        trials=12,
        users=1000,
        judges=40,
        steps=200,
        finalists=2,
        final_steps=150,
        final_seeds=1,
        final_judges=40,
    ),
    searches=3,
    nets=(28, 12),
    users=1000,
    test_users=60,
    test_steps=200,
    test_seeds=2,
    longer_steps=800,
    checked=6,
)
SHORT = Protocol(
    replace(
        FULL.plan,
        trials=1,
        users=20,
        judges=2,
        steps=100,
        users_per_batch=2,
        finalists=1,
        final_steps=20,
        final_users_per_batch=2,
        final_seeds=1,
        final_judges=2,
    ),
    searches=1,
    nets=(12, 3),
    users=20,
    test_users=2,
    test_steps=20,
    test_seeds=1,
    longer_steps=30,
    checked=2,
)


def measure(protocol: Protocol, folder: Path, told: Callable[[str], None]) -> dict[str, Any]:
    """Search with each sampler, then train what was found and the shipped architecture alike.

    What is done is kept in the folder, so that the same call goes on where it was stopped.

    Returns:
        "protocol"; "instruction_model"; "searches", each with "sampler", "seed", "front" and the "found"
        network; "test" and "longer" by network: "instructions", "mean_deg", "each_deg" by training, and
        "above_shipped_deg" [mean, SD over users]; "proxy": pairs of errors and their "rank_correlation".
    """
    folder.mkdir(parents=True, exist_ok=True)
    headset = load_headset(protocol.plan.headset)
    model = _model(protocol, headset, folder)
    told(f"instructions: {model.mean_error:.2%} off on average, {model.largest_error:.2%} at most")
    searches = []
    for seed in range(protocol.searches):
        for sampler in SAMPLERS:
            plan = replace(protocol.plan, seed=seed, sampler=sampler)
            found = search(plan, folder / f"{sampler}-{seed}", model=model)
            searches.append(found)
            best = _best(found)
            told(f"{sampler}, seed {seed}: " + ("nothing" if best is None else best.candidate.flags))
    judge = _Judge(protocol, headset, folder, told)
    shipped = Candidate(replace(standard(headset), embedding=USER_NUMBERS))
    winners = {best.candidate for best in map(_best, searches) if best is not None} - {shipped}
    in_turn = sorted(winners, key=lambda one: one.flags)
    test = judge.against(shipped, in_turn, protocol.test_steps)
    of_tpe = [best for best in (_best(one, "tpe") for one in searches) if best is not None]
    best = min(of_tpe, key=lambda one: one.mean_deg, default=None)
    longer = judge.against(shipped, [best.candidate] if best else [], protocol.longer_steps)
    return {
        "protocol": asdict(protocol),
        "slips_mm": SLIPS_MM,
        "data_seed": DATA_SEED,
        "test_seed": TEST_SEED,
        "training_seeds": [TRAINING_SEED + k for k in range(protocol.test_seeds)],
        "instruction_model": model.to_json(),
        "searches": [_searched(one) for one in searches],
        "front": [each.to_json() for each in pareto_front([t for one in searches for t in one.tried])],
        "test": test,
        "longer": longer,
        "proxy": _proxy(protocol, searches, judge),
    }


def _best(found: Found, sampler: str | None = None) -> Finalist | None:
    """The best finalist within the budget that is not the standard network."""
    plan = found.order.plan
    if sampler not in (None, plan.sampler):
        return None
    within = (one for one in found.finalists if one.instructions <= plan.instructions)
    return next((one for one in within if one.trial is not None), None)


def _searched(found: Found) -> dict[str, Any]:
    plan, best = found.order.plan, _best(found)
    return {
        "sampler": plan.sampler,
        "seed": plan.seed,
        "finished": sum(each.error_deg is not None for each in found.tried),
        "steps": sum(each.steps for each in found.tried),
        "best_proxy_deg": min(each.error_deg for each in found.tried if each.error_deg is not None),
        "found": None if best is None else best.to_json(),
        "finalists": [each.to_json() for each in found.finalists],
    }


def _model(protocol: Protocol, headset: Headset, folder: Path) -> InstructionModel:
    path = folder / "instructions.json"
    if path.exists():
        return InstructionModel.from_json(json.loads(path.read_text("utf-8")), headset)
    model = instruction_model(protocol.plan.board, headset, protocol.nets)
    write_json(path, model.to_json())
    return model


class _Judge:
    """Trains networks alike, on users of its own, and has them judged by users that nothing was chosen on."""

    def __init__(
        self, protocol: Protocol, headset: Headset, folder: Path, told: Callable[[str], None]
    ) -> None:
        self._protocol, self._headset, self._folder, self._told = protocol, headset, folder, told
        self._episodes: Episodes = make_episodes(headset, users=protocol.users, seed=DATA_SEED)
        self._users: Episodes = make_test_episodes(
            headset, users=protocol.test_users, seed=TEST_SEED, slips_mm=SLIPS_MM
        )
        self._kept = {key: json.loads(value) for key, value in kept_results(folder).items()}

    def against(self, shipped: Candidate, others: list[Candidate], steps: int) -> dict[str, Any]:
        """The shipped architecture and others after so many steps, by the flags that train them."""
        found = {}
        reference: Any = None
        for candidate in [shipped, *others]:
            runs = [self.trained(candidate, steps, seed) for seed in range(self._protocol.test_seeds)]
            errors = np.array([run["error_deg"] for run in runs])  # (seeds, users, slips)
            reference = errors if reference is None else reference
            above = (errors - reference).mean(axis=(0, 2))
            found[candidate.flags] = {
                "instructions": runs[0]["instructions"],
                "mean_deg": _rounded(errors.mean()),
                "by_slip_deg": [_rounded(each) for each in errors.mean(axis=(0, 1))],
                "median_deg": [_rounded(each) for each in np.median(errors.mean(axis=0), axis=0)],
                "each_deg": [_rounded(each) for each in errors.mean(axis=(1, 2))],
                "above_shipped_deg": [_rounded(above.mean()), _rounded(above.std(ddof=1))],
                "above_shipped_each_deg": [_rounded(x) for x in (errors - reference).mean(axis=(1, 2))],
                "better_for": int((above < 0).sum()),
            }
        return found

    def trained(self, candidate: Candidate, steps: int, seed: int) -> dict[str, Any]:
        """(users, slips) errors and instructions after a training; kept for the next time."""
        key = f"{candidate.flags} steps {steps} seed {seed}"
        if key not in self._kept:
            plan = self._protocol.plan
            net = trained(
                candidate,
                self._episodes,
                self._headset,
                steps=steps,
                seed=TRAINING_SEED + seed,
                users_per_batch=plan.final_users_per_batch,
            )
            errors = errors_deg(net, self._users, self._headset)
            found = {
                "error_deg": errors.round(4).tolist(),
                "instructions": instructions_of(candidate, net, self._headset, plan.board),
            }
            keep_result(self._folder, key, json.dumps(found))
            self._kept[key] = found
            self._told(f"{key}: {errors.mean():.3f}°")
        result: dict[str, Any] = self._kept[key]
        return result


def _proxy(protocol: Protocol, searches: list[Found], judge: _Judge) -> dict[str, Any]:
    """Trials of seed 0, evenly over their ranks, as trials and after a longer training."""
    finished: dict[Candidate, Tried] = {}
    for one in searches:
        if one.order.plan.seed == 0:
            finished |= {each.candidate: each for each in one.tried if each.error_deg is not None}
    ranked = sorted(finished.values(), key=lambda each: (each.error_deg, each.candidate.flags))
    places = np.unique(
        np.linspace(0, len(ranked) - 1, min(protocol.checked, len(ranked))).round().astype(int)
    )
    pairs = []
    for place in places:
        run = judge.trained(ranked[place].candidate, protocol.test_steps, 0)
        pairs.append(
            {
                "network": ranked[place].candidate.flags,
                "instructions": run["instructions"],
                "trial_deg": _rounded(ranked[place].error_deg or 0.0),
                "trained_deg": _rounded(np.mean(run["error_deg"])),
            }
        )
    errors = np.array([[pair["trial_deg"], pair["trained_deg"]] for pair in pairs])
    correlation = None if len(pairs) < 3 else round(float(spearmanr(errors[:, 0], errors[:, 1]).statistic), 3)
    return {"of": len(ranked), "pairs": pairs, "rank_correlation": correlation}


def _rounded(value: Any) -> float:
    return round(float(value), 4)
