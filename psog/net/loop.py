"""The training loop that every kind of training shares: schedule, quantization, divergence, progress."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from psog.errors import ModelError
from psog.net.architecture import Architecture
from psog.net.checkpoint import Checkpoint
from psog.net.processes import Team
from psog.net.pruning import Pruning
from psog.net.qat import GazeNet
from psog.net.run import REPORT_EVERY, Run

Phase = Literal["float", "prune", "int8", "settle"]


@dataclass(frozen=True)
class TrainingConfig:
    """How long and how to train. Exactly one of `steps` and `seconds` limits the run.

    With `steps` the result depends on data, configuration and seed alone; with `seconds` also on the
    machine.
    """

    steps: int | None = None
    seconds: float | None = None
    seed: int = 0
    architecture: Architecture | None = None
    """The headset's standard network when None."""
    learning_rate: float = 6e-3
    """Of Soap at the start; it falls to zero along half a cosine."""
    warm_up: float = 0.02
    """Share of the run before the loss goes through the ridge solve."""
    quantize_from: float = 0.6
    """Share of the run after which the network rounds as the device does."""
    freeze_from: float = 0.9
    """Share of the run after which activation ranges stay as they are."""
    users_per_batch: int = 16
    queries: int = 64
    """Samples per user and step on which a fitted head is judged."""
    few_points: float = 0.25
    """Share of the steps in which users calibrate with one to five samples; in the others with up to 40."""
    absent_minded: float = 0.05
    """Share of users who look elsewhere at one of their targets."""
    rows_per_batch: int = 512
    """Batch of recordings without episodes."""
    pruning: Pruning | None = None
    """Remove kernels along the way; None leaves the network dense."""

    def __post_init__(self) -> None:
        budget = [limit for limit in (self.steps, self.seconds) if limit is not None]
        if len(budget) != 1 or not 0 < budget[0] < math.inf:
            raise ModelError(
                f"training budget is steps={self.steps}, seconds={self.seconds}; "
                "give one of them, greater than 0"
            )
        if not 0 < self.learning_rate < math.inf:
            raise ModelError(f"learning rate is {self.learning_rate}; expected a number above 0")
        if not 0 <= self.seed < 1 << 63:
            raise ModelError(f"seed is {self.seed}; expected 0 or more, below 2^63")
        for name in ("few_points", "absent_minded"):
            if not 0 <= getattr(self, name) <= 1:
                raise ModelError(f"{name} is {getattr(self, name)}; expected a share from 0 to 1")
        if self.users_per_batch < 1:
            raise ModelError(f"a batch has {self.users_per_batch} users; at least 1 expected")
        if not 0 <= self.warm_up <= self.quantize_from < self.freeze_from < 1:
            raise ModelError(
                f"training phases begin at {self.warm_up}, {self.quantize_from}, {self.freeze_from}; "
                "expected shares of the run in rising order, below 1"
            )
        if self.pruning is not None:
            self._check_pruning(self.pruning)

    def _check_pruning(self, pruning: Pruning) -> None:
        if not self.warm_up <= pruning.select_at <= pruning.remove_at <= self.quantize_from:
            raise ModelError(
                f"pruning selects at {pruning.select_at} and removes at {pruning.remove_at} of the run; "
                f"expected between {self.warm_up} (warm-up) and {self.quantize_from} (quantization)"
            )
        if self.architecture is not None and len(self.architecture.convolutions) < 2:
            raise ModelError(
                "cannot prune a network with no convolution of more than one input channel; take "
                "a deeper one (--network deep), or do not prune"
            )

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        fraction: 0 … 1 of the budget.
        error_deg: running mean of the training error.
    """

    fraction: float
    step: int
    phase: Phase
    error_deg: float


ProgressCallback = Callable[[Progress], None]


class Objective(Protocol):
    """What a run minimises, on a batch of its own choice.

    Attributes:
        generator: where it draws from.
        team: the processes that share the batch; the loss's mean over them is that of the whole batch.
    """

    generator: torch.Generator
    team: Team

    def __call__(self, net: GazeNet, fraction: float) -> tuple[Tensor, float]:
        """The loss, and the batch's mean gaze error in degrees, at this fraction of the run."""
        ...


def fit(
    net: GazeNet,
    objective: Objective,
    config: TrainingConfig,
    progress: ProgressCallback | None = None,
    checkpoint: Checkpoint | None = None,
) -> dict[str, Any]:
    """Train `net` in place; afterwards it is quantized and ready for `to_integer`.

    Args:
        checkpoint: where the run's state is kept, and from where it goes on after a stop. The first process
            writes it, all read it.
    Returns:
        What happened: "steps_done", "seconds_taken", "processes", "device" and the "history" of (step, error
        in degrees).
    Raises:
        ModelError: the loss stopped being a number; the state of a while before is kept in the checkpoint.
        LostProcessError: another process has ended.
    """
    run, first = Run(net, objective, config), objective.team.first
    if checkpoint is not None:
        run.go_on(checkpoint)
    net.train()
    while (fraction := run.fraction()) < 1 or not net.quantized:
        if checkpoint is not None and first and checkpoint.is_due():
            checkpoint.save(run.state())
        step = run.clock.step
        try:
            run.step(fraction)
        except (torch.linalg.LinAlgError, FloatingPointError) as error:  # type: ignore[attr-defined]
            kept = "" if checkpoint is None or not checkpoint.path.exists() else _KEPT.format(checkpoint.path)
            raise ModelError(
                f"training diverged at step {step}; lower the learning rate ({config.learning_rate}) "
                f"or take another seed{kept}"
            ) from error
        if step % REPORT_EVERY == 0 and progress is not None:
            progress(Progress(fraction, step, _phase(config, fraction), run.error_deg))
    net.eval()
    if progress is not None:
        progress(Progress(1.0, run.clock.step, "settle", run.error_deg))
    return {
        "steps_done": run.clock.step,
        "seconds_taken": round(run.clock.seconds(), 2),
        "processes": objective.team.size,
        "device": net.head.device.type,
        "history": run.history,
    }


_KEPT = "; {} keeps the last good state, from which the same command goes on at the lower rate"


def _phase(config: TrainingConfig, fraction: float) -> Phase:
    if config.pruning is not None and config.pruning.select_at <= fraction < config.pruning.remove_at:
        return "prune"
    if fraction < config.quantize_from:
        return "float"
    return "int8" if fraction < config.freeze_from else "settle"


def seeded(seed: int) -> torch.Generator:
    """A torch generator for this seed alone."""
    return torch.Generator().manual_seed(seed)
