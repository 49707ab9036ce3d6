"""Trials: what optuna has been told of each, in a file of the search's folder, and how one is run.

Whoever runs a trial reads and writes that file, so that any number of processes, on any machines that share
its disk, work on one search; and a search that was stopped goes on from what is in it.
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from psog.errors import MissingExtraError, ModelError
from psog.headset import Headset
from psog.net.architecture import standard
from psog.net.loop import Progress
from psog.net.run import ERROR_MOMENTUM
from psog.search.instructions import InstructionModel
from psog.search.plan import Plan
from psog.search.space import Candidate, choose, fitted, like
from psog.search.training import errors_deg, trained
from psog.search.users import users
from psog.sim.streams import derived_seed

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial

_FILE = "trials.journal"
_STUDY = "psog"
_FAILED = "failed"
_AT_RANDOM = 6
"""Trials before the sampler learns from them; optuna's own 10 would be most of a short search."""
_ASKS = 200
"""Choices of knobs that no network within the budget has, in turn, before a search gives up."""


@dataclass(frozen=True)
class Tried:
    """What became of a trial.

    Attributes:
        instructions: estimated.
        steps: that it was trained for.
        error_deg: of its judges; None for a trial that was stopped, or diverged.
        running_deg: the training's error where it was last compared; None if it was nowhere.
    """

    number: int
    candidate: Candidate
    instructions: int
    steps: int
    error_deg: float | None
    running_deg: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "network": self.candidate.network,
            "keep": self.candidate.keep,
            "instructions": self.instructions,
            "steps": self.steps,
            "error_deg": None if self.error_deg is None else round(self.error_deg, 4),
            "running_deg": None if self.running_deg is None else round(self.running_deg, 4),
        }


def optuna() -> Any:
    """The package, silent but for what goes wrong.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        found = importlib.import_module("optuna")
    except ImportError as error:
        raise MissingExtraError("optuna", "search", "a search over networks") from error
    found.logging.set_verbosity(found.logging.WARNING)
    return found


def run_trial(plan: Plan, folder: Path, headset: Headset, model: InstructionModel, index: int) -> None:
    """Choose a network, train it until it is behind, and tell the study.

    Args:
        index: of this trial among all that are run; it decides what the sampler draws. The first is the
            headset's standard network, as the budget allows.
    """
    torch.set_num_threads(1)  # batches are small; and one thread adds in one order
    study = _study(plan, folder, index)
    if index == 0:
        study.enqueue_trial(asdict(like(standard(headset))))
    trial, candidate = _asked(study, plan, headset, model)
    trial.set_user_attr("network", candidate.network)
    trial.set_user_attr("keep", candidate.keep)
    trial.set_user_attr("instructions", round(model(candidate)))
    states = optuna().trial.TrialState
    try:
        error_deg = _proxy(trial, candidate, plan, folder, headset)
    except optuna().TrialPruned:
        study.tell(trial, state=states.PRUNED)
    except ModelError as error:  # diverged: the next one
        trial.set_user_attr(_FAILED, str(error))
        study.tell(trial, state=states.FAIL)
    else:
        study.tell(trial, error_deg)


def _asked(study: Study, plan: Plan, headset: Headset, model: InstructionModel) -> tuple[Trial, Candidate]:
    """The next trial with knobs that a network within the budget has."""
    for _ in range(_ASKS):
        trial = study.ask()
        try:
            return trial, fitted(choose(trial), headset, model, model.limit(plan.instructions))
        except ModelError:
            study.tell(trial, state=optuna().trial.TrialState.FAIL)
    raise ModelError(
        f"no network of at most {plan.instructions:,} instructions found for {headset.name} on {plan.board}; "
        "allow more"
    )


def _proxy(trial: Trial, candidate: Candidate, plan: Plan, folder: Path, headset: Headset) -> float:
    """Mean error of the judges after a short training, degrees.

    Raises:
        TrialPruned: it is behind.
        ModelError: it diverged.
    """

    first_deg = 0.0

    def show(progress: Progress) -> None:
        nonlocal first_deg
        if progress.step == 0:
            first_deg = progress.error_deg
        if plan.first_comparison <= progress.step < plan.steps:
            trial.report(without_first(progress, first_deg), progress.step)
            if trial.should_prune():
                raise optuna().TrialPruned

    to_train_on, judges = users(folder, headset.name)
    net = trained(
        candidate,
        to_train_on,
        headset,
        steps=plan.steps,
        seed=plan.seed,
        users_per_batch=plan.users_per_batch,
        progress=show,
    )
    return float(errors_deg(net, judges, headset).mean())


def without_first(progress: Progress, first_deg: float) -> float:
    """The running error without what is left in it of the first step's.

    That says how a network was drawn, not how it learns, and weighs 36 % after 50 steps.
    """
    left = (1 - ERROR_MOMENTUM) ** progress.step
    return (progress.error_deg - left * first_deg) / (1 - left)


def tried(plan: Plan, folder: Path) -> list[Tried]:
    """Every trial that ended, in the order of their numbers."""
    states = optuna().trial.TrialState
    ended = (states.COMPLETE, states.PRUNED, states.FAIL)
    found = []
    for trial in _study(plan, folder, 0).get_trials(deepcopy=False, states=ended):
        if trial.state != states.FAIL or _FAILED in trial.user_attrs:
            found.append(_tried(trial, plan))
    return found


def forget_unfinished(plan: Plan, folder: Path) -> None:
    """Trials that nobody runs any more count as failed; nobody may be running any."""
    states = optuna().trial.TrialState
    study = _study(plan, folder, 0)
    for trial in study.get_trials(deepcopy=False, states=(states.RUNNING,)):
        study.tell(trial.number, state=states.FAIL)


def _tried(trial: FrozenTrial, plan: Plan) -> Tried:
    told = trial.user_attrs
    complete = trial.state == optuna().trial.TrialState.COMPLETE
    at = max(trial.intermediate_values, default=None)
    return Tried(
        number=trial.number,
        candidate=Candidate.read(told["network"], told["keep"]),
        instructions=int(told["instructions"]),
        steps=plan.steps if complete else at or 0,
        error_deg=trial.value if complete else None,
        running_deg=None if at is None else trial.intermediate_values[at],
    )


def _study(plan: Plan, folder: Path, index: int) -> Study:
    package = optuna()
    seed = derived_seed(plan.seed, f"search sampler {index}") % (1 << 32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", package.exceptions.ExperimentalWarning)
        file = package.storages.journal.JournalFileBackend(str(folder / _FILE))
        storage = package.storages.JournalStorage(file)
        if plan.sampler == "random":
            sampler = package.samplers.RandomSampler(seed=seed)
        else:
            sampler = package.samplers.TPESampler(
                n_startup_trials=_AT_RANDOM, multivariate=True, group=True, constant_liar=True, seed=seed
            )
    pruner = package.pruners.SuccessiveHalvingPruner(min_resource=plan.first_comparison, reduction_factor=2)
    study: Study = package.create_study(
        study_name=_STUDY, storage=storage, sampler=sampler, pruner=pruner, load_if_exists=True
    )
    return study
