"""A run that can go on after a stop: its whole state in one file beside the place of the model.

The file is replaced as a whole, so whoever stops at any moment (kill -9) loses the steps since it was last
written, no others; a run that goes on from it ends in the same network, bit for bit. It is removed when the
model is in its place.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from psog import __version__
from psog.errors import ModelError
from psog.files import writing_file

FORMAT = "psog-training"
SUFFIX = ".unfinished.safetensors"
SAVE_EVERY_S = 20.0
"""A state is one or two megabytes and written in milliseconds; a stop costs 10 s on average."""

_LARGEST_BYTES = 1 << 28


class State(NamedTuple):
    """Of a run between two steps.

    Attributes:
        tensors: weights, buffers, the optimiser's memory, the random generator's state; by name.
        numbers: what else there is, for JSON.
    """

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


class Checkpoint:
    """The file for the state of one run."""

    def __init__(self, model: Path, made_from: Mapping[str, Any]) -> None:
        """
        Args:
            model: the folder that the trained model will be put in.
            made_from: what decides the run's result, as JSON; a state of another run is refused.
        """
        whole = model.resolve()
        self.path = whole.parent / (whole.name + SUFFIX)
        self._made_from = json.loads(
            json.dumps({**made_from, "psog": __version__, "torch": torch.__version__})
        )
        self._saved = time.monotonic()

    def load(self) -> State | None:
        """The state of a run that was stopped; None if there is none.

        Raises:
            ModelError: the file is damaged, or of another run.
        """
        from safetensors import SafetensorError, safe_open

        if not self.path.exists():
            return None
        try:
            if self.path.stat().st_size > _LARGEST_BYTES:
                raise ValueError("it is too large")
            with safe_open(self.path, "pt") as file:
                about = file.metadata() or {}
                if about.get("format") != FORMAT:
                    raise ValueError("it says nothing of a training")
                made_from, numbers = json.loads(about["made_from"]), json.loads(about["numbers"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            raise ModelError(
                f"{self.path} is not the state of an unfinished training: {error}; remove it to begin anew"
            ) from error
        self._check(made_from)
        return State(tensors, numbers)

    def _check(self, made_from: Any) -> None:
        if made_from == self._made_from:
            return
        found = made_from if isinstance(made_from, dict) else {}
        other = next(
            key for key in {**self._made_from, **found} if found.get(key) != self._made_from.get(key)
        )
        raise ModelError(
            f"{self.path} is an unfinished training with {other} = {found.get(other)!r}, expected "
            f"{self._made_from.get(other)!r}; repeat its command to finish it, or remove it to begin anew"
        )

    def is_due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self._saved > SAVE_EVERY_S

    def save(self, state: State) -> None:
        """Replace the file; its folder is made, as that of a model is.

        Raises:
            ModelError: it cannot be written; the old one is still there.
        """
        from safetensors.torch import save_file

        about = {
            "format": FORMAT,
            "made_from": json.dumps(self._made_from),
            "numbers": json.dumps(state.numbers, allow_nan=False),
        }
        # Tensors that share memory are refused by safetensors: each gets its own.
        tensors = {name: tensor.detach().clone().cpu().contiguous() for name, tensor in state.tensors.items()}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ModelError(
                f"cannot write {self.path}: {error.strerror or error}; choose another folder"
            ) from error
        with writing_file(self.path, ModelError) as partial:
            save_file(tensors, partial, about)
        self._saved = time.monotonic()

    def remove(self) -> None:
        """The run is finished."""
        self.path.unlink(missing_ok=True)
