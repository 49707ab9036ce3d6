"""A pretraining run, step by step: the network, what hangs on it, and all that decides how it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from psog.errors import ModelError
from psog.net.checkpoint import Checkpoint, State
from psog.net.pretraining.collapse import Health
from psog.net.pretraining.methods import Method
from psog.net.pretraining.moments import Batches
from psog.net.qat import GazeNet
from psog.net.soap import Soap

if TYPE_CHECKING:
    from psog.net.pretraining.loop import PretrainingConfig


class PretrainingRun:
    """A network, a method around it, and their optimiser.

    Attributes:
        step: how many are done.
        history: (step, loss, spread, effective rank) of every look at the features.
    """

    def __init__(
        self,
        net: GazeNet,
        method: Method,
        batches: Batches,
        generator: torch.Generator,
        config: PretrainingConfig,
    ) -> None:
        self._net, self._method, self._batches, self._generator = net, method, batches, generator
        self._shape = config.wearers_per_batch, config.moments_per_wearer
        trained = (p for p in method.parameters() if p.requires_grad)
        self._optimiser = Soap([*net.parameters(), *trained])
        self.step = 0
        self.history: list[tuple[int, float, float, float]] = []
        net.train()
        method.train()

    def advance(self, learning_rate: float, fraction: float) -> tuple[float, Tensor]:
        """One step: its loss, and the features that it began with. A loss of NaN changes nothing."""
        loss, features = self._method(self._net, *self._batches.draw(*self._shape, self._generator))
        if loss.isfinite():
            loss.backward()
            self._optimiser.step(learning_rate)
            self._method.follow(self._net, fraction)
        self.step += 1
        return float(loss.detach()), features

    def remember(self, loss: float, health: Health) -> None:
        """An entry of the history."""
        self.history.append((self.step, round(loss, 5), round(health.spread, 4), round(health.rank, 3)))

    def state(self) -> State:
        """Everything, between two steps."""
        parts = {
            "net": self._net.state_dict(),
            "method": self._method.state_dict(),
            "soap": self._optimiser.tensors(),
        }
        tensors = {f"{part}.{name}": t.clone() for part, named in parts.items() for name, t in named.items()}
        tensors["random"] = self._generator.get_state()
        return State(tensors, {"step": self.step, "history": list(self.history)})

    def go_on(self, checkpoint: Checkpoint) -> None:
        """Go on from the state that is kept of this run, if there is one.

        Raises:
            ModelError: it is of another run.
        """
        state = checkpoint.load()
        if state is None:
            return
        parts: dict[str, dict[str, Tensor]] = {"net": {}, "method": {}, "soap": {}}
        try:
            for name, tensor in state.tensors.items():
                part, _, rest = name.partition(".")
                parts.setdefault(part, {})[rest] = tensor
            self._net.load_state_dict(parts["net"])
            self._method.load_state_dict(parts["method"])
            self._optimiser.restore(parts["soap"])
            self._generator.set_state(state.tensors["random"])
            self.step = int(state.numbers["step"])
            self.history = [(int(s), float(a), float(b), float(c)) for s, a, b, c in state.numbers["history"]]
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"{checkpoint.path} does not hold the state of this pretraining: "
                f"{' '.join(str(error).split())}; remove it to begin anew"
            ) from error
