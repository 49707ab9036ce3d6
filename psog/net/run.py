"""One training run: a network on its way, and all that decides how it goes on."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from psog.errors import ModelError
from psog.net.checkpoint import Checkpoint, State
from psog.net.pruning import Pruner
from psog.net.qat import GazeNet
from psog.net.soap import Soap

if TYPE_CHECKING:
    from psog.net.loop import Objective, TrainingConfig

REPORT_EVERY = 50
"""Steps between two entries of a run's history."""
ERROR_MOMENTUM = 0.02
"""Share that a step's error has in the running mean, which begins with the first step's."""

_RANGE_STEPS = 100  # two time constants of the running activation ranges
_RISE = 100  # steps over which the learning rate rises from zero


class Run:
    """A network, its optimiser and its masks, step by step.

    Attributes:
        clock: counts the steps and the time.
        error_deg: running mean of the training error.
        history: (step, error_deg), every REPORT_EVERY steps.
    """

    def __init__(self, net: GazeNet, objective: Objective, config: TrainingConfig) -> None:
        self._net, self._objective, self._config = net, objective, config
        self._parameters = list(net.parameters())
        self._optimiser, self._pruner = Soap(self._parameters), Pruner(net, config.pruning)
        self.clock = _Budget(config)
        self.error_deg = math.nan
        self.history: list[tuple[int, float]] = []

    def fraction(self) -> float:
        """How much of the budget is spent, 0 … 1; the same in every process."""
        fraction = self.clock.fraction()
        return fraction if self._config.seconds is None else self._objective.team.of_first(fraction)

    def step(self, fraction: float) -> None:
        """One step down.

        Raises:
            FloatingPointError, LinAlgError: the weights are no longer usable.
            LostProcessError: another process has ended.
        """
        if fraction >= self._config.quantize_from:
            self._net.quantize()
        if fraction >= self._config.freeze_from and self.clock.quantized_steps > _RANGE_STEPS:
            self._net.freeze_ranges()
        rate = _learning_rate(self._config, fraction, self.clock.step)
        batch_error_deg = self._gradients(fraction)
        self._pruner.before_update(fraction)
        self._optimiser.step(rate)
        self._pruner.after_update(rate)
        self.error_deg = _running(self.error_deg, batch_error_deg)
        if self.clock.step % REPORT_EVERY == 0:
            self.history.append((self.clock.step, round(self.error_deg, 4)))
        self.clock.tick(quantized=self._net.quantized)

    def _gradients(self, fraction: float) -> float:
        """Leave the gradients of the whole batch in the parameters; returns its mean error in degrees.

        Raises:
            FloatingPointError: they are of no use, in whichever process.
        """
        try:
            loss, error_deg = self._objective(self._net, fraction)
            loss.backward()  # type: ignore[no-untyped-call]
            loss = loss.detach()
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
            loss, error_deg = self._net.head.new_tensor(math.nan), math.nan  # the others are to know as well
        if self._objective.team.size > 1:
            loss, error_deg = self._shared(loss, error_deg)
        if not math.isfinite(float(loss)):
            raise FloatingPointError("the loss is not a number")
        return error_deg

    def _shared(self, loss: Tensor, error_deg: float) -> tuple[Tensor, float]:
        """Loss and error of all slices, after everything else that they differ in has become one, too.

        The activation ranges are such a thing: each process saw its own slice.
        """
        figures = torch.stack([loss, loss.new_tensor(error_deg)])
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._parameters]
        low, high = self._net.ranges()
        self._objective.team.agree_on(mean=[figures, *gradients], least=low, most=high)
        return figures[0], float(figures[1])

    def state(self) -> State:
        """Everything, between two steps. It is the same in every process."""
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

    def go_on(self, checkpoint: Checkpoint) -> None:
        """Go on from the state that is kept of this run, if there is one.

        Raises:
            ModelError: it is of a run of another network, objective or configuration, or not every process
                has found the same.
        """
        state = checkpoint.load()
        if state is not None:
            self._restore(state, checkpoint)
        if not self._objective.team.agrees(self.clock.step):
            raise ModelError(
                f"the processes of this training found different states in {checkpoint.path}; "
                "give the command again"
            )

    def _restore(self, state: State, checkpoint: Checkpoint) -> None:
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


def _running(mean: float, value: float) -> float:
    return value if math.isnan(mean) else mean + ERROR_MOMENTUM * (value - mean)
