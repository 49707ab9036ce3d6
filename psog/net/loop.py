"""The training loop that every kind of training shares: schedule, quantization, divergence, progress."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from psog.errors import ModelError
from psog.net.architecture import Architecture
from psog.net.checkpoint import Checkpoint, State
from psog.net.pruning import Pruner, Pruning
from psog.net.qat import GazeNet
from psog.net.soap import Soap

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
    """

    generator: torch.Generator

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
        checkpoint: where the run's state is kept, and from where it goes on after a stop.
    Returns:
        What happened: "steps_done", "seconds_taken" and the "history" of (step, error in degrees).
    Raises:
        ModelError: the loss stopped being a number; the state of a while before is kept in the checkpoint.
    """
    run = _Run(net, objective, config)
    if checkpoint is not None and (state := checkpoint.load()) is not None:
        run.restore(state, checkpoint)
    net.train()
    while (fraction := run.clock.fraction()) < 1 or not net.quantized:
        if checkpoint is not None and checkpoint.is_due():
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
        if step % _REPORT_EVERY == 0 and progress is not None:
            progress(Progress(fraction, step, _phase(config, fraction), run.error_deg))
    net.eval()
    if progress is not None:
        progress(Progress(1.0, run.clock.step, "settle", run.error_deg))
    taken = round(run.clock.seconds(), 2)
    return {"steps_done": run.clock.step, "seconds_taken": taken, "history": run.history}


_KEPT = "; {} keeps the last good state, from which the same command goes on at the lower rate"


class _Run:
    """A network on its way, and all that decides how it goes on."""

    def __init__(self, net: GazeNet, objective: Objective, config: TrainingConfig) -> None:
        self._net, self._objective, self._config = net, objective, config
        self._optimiser, self._pruner = Soap(net.parameters()), Pruner(net, config.pruning)
        self.clock = _Budget(config)
        self.error_deg = math.nan
        self.history: list[tuple[int, float]] = []

    def step(self, fraction: float) -> None:
        """One step down.

        Raises:
            FloatingPointError, LinAlgError: the weights are no longer usable.
        """
        if fraction >= self._config.quantize_from:
            self._net.quantize()
        if fraction >= self._config.freeze_from and self.clock.quantized_steps > _RANGE_STEPS:
            self._net.freeze_ranges()
        rate = _learning_rate(self._config, fraction, self.clock.step)
        loss, batch_error_deg = self._objective(self._net, fraction)
        if not math.isfinite(float(loss.detach())):
            raise FloatingPointError("the loss is not a number")
        loss.backward()  # type: ignore[no-untyped-call]
        self._pruner.before_update(fraction)
        self._optimiser.step(rate)
        self._pruner.after_update(rate)
        self.error_deg = _running(self.error_deg, batch_error_deg)
        if self.clock.step % _REPORT_EVERY == 0:
            self.history.append((self.clock.step, round(self.error_deg, 4)))
        self.clock.tick(quantized=self._net.quantized)

    def state(self) -> State:
        """Everything, between two steps."""
        tensors = {f"net.{name}": tensor for name, tensor in self._net.state_dict().items()}
        tensors |= {f"soap.{name}": tensor for name, tensor in self._optimiser.tensors().items()}
        tensors["random"] = self._objective.generator.get_state()
        clock = self.clock
        return State(
            tensors,
            {
                "step": clock.step,
                "quantized_steps": clock.quantized_steps,
                "seconds": clock.seconds(),
                "error_deg": None if math.isnan(self.error_deg) else self.error_deg,
                "history": self.history,
            },
        )

    def restore(self, state: State, checkpoint: Checkpoint) -> None:
        """Go on from a state of a run of the same network, objective and configuration.

        Raises:
            ModelError: it is of another one.
        """
        parts: dict[str, dict[str, Tensor]] = {"net": {}, "soap": {}}
        try:
            for name, tensor in state.tensors.items():
                kind, _, rest = name.partition(".")
                parts.setdefault(kind, {})[rest] = tensor
            self._net.load_state_dict(parts["net"])
            self._optimiser.restore(parts["soap"])
            self._objective.generator.set_state(state.tensors["random"])
            numbers = state.numbers
            self.clock.go_on(numbers["step"], numbers["quantized_steps"], numbers["seconds"])
            self.error_deg = math.nan if numbers["error_deg"] is None else float(numbers["error_deg"])
            self.history = [(int(step), float(error)) for step, error in numbers["history"]]
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"{checkpoint.path} does not hold the state of this training: "
                f"{' '.join(str(error).split())}; remove it to begin anew"
            ) from error


_REPORT_EVERY = 50
_RANGE_STEPS = 100  # two time constants of the running activation ranges
_RISE = 100  # steps over which the learning rate rises from zero
_ERROR_MOMENTUM = 0.02


class _Budget:
    """Counts a run in steps or seconds."""

    def __init__(self, config: TrainingConfig) -> None:
        self._config = config
        self._start = time.monotonic()
        self.step = 0
        self.quantized_steps = 0

    def seconds(self) -> float:
        return time.monotonic() - self._start

    def go_on(self, step: int, quantized_steps: int, seconds: float) -> None:
        """From where a run was stopped that had taken so long."""
        self.step, self.quantized_steps = int(step), int(quantized_steps)
        self._start = time.monotonic() - float(seconds)

    def fraction(self) -> float:
        if self._config.steps is not None:
            return self.step / self._config.steps
        assert self._config.seconds is not None
        return min(self.seconds() / self._config.seconds, 1.0)

    def tick(self, *, quantized: bool) -> None:
        self.step += 1
        self.quantized_steps += quantized


def _learning_rate(config: TrainingConfig, fraction: float, step: int) -> float:
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * fraction)) * min(1.0, (step + 1) / _RISE)


def _phase(config: TrainingConfig, fraction: float) -> Phase:
    if config.pruning is not None and config.pruning.select_at <= fraction < config.pruning.remove_at:
        return "prune"
    if fraction < config.quantize_from:
        return "float"
    return "int8" if fraction < config.freeze_from else "settle"


def _running(mean: float, value: float) -> float:
    return value if math.isnan(mean) else mean + _ERROR_MOMENTUM * (value - mean)


def seeded(seed: int) -> torch.Generator:
    """A torch generator for this seed alone."""
    return torch.Generator().manual_seed(seed)
