"""The networks that are searched: a few knobs give a network its shape, and a budget gives it its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np

from psog.errors import ModelError
from psog.headset import Headset
from psog.net.architecture import KERNEL, USER_NUMBERS, Architecture, Convolution
from psog.net.architecture_text import read_architecture, written
from psog.net.pruning import Pruning


@dataclass(frozen=True)
class Candidate:
    """A network of the space.

    Attributes:
        keep: share of the kernels that pruning leaves in convolutions behind another one; 1 is no pruning.
    """

    architecture: Architecture
    keep: float = 1.0

    @classmethod
    def read(cls, network: str, keep: float) -> Candidate:
        """The candidate whose architecture is written so (psog.net.architecture_text)."""
        return cls(replace(read_architecture(network), embedding=USER_NUMBERS), keep)

    @property
    def network(self) -> str:
        """Its architecture in one word."""
        return written(self.architecture)

    @property
    def pruning(self) -> Pruning | None:
        return None if self.keep == 1 else Pruning(keep=self.keep)

    @property
    def flags(self) -> str:
        """For `psog train`."""
        pruned = "" if self.keep == 1 else f" --keep {self.keep:g}"
        return f"--network {self.network}{pruned}"


class Chooser(Protocol):
    """Whoever sets the knobs: a trial of optuna, or `RandomChooser`."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int: ...
    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...
    def suggest_categorical(self, name: str, choices: Any) -> Any: ...


@dataclass(frozen=True)
class Knobs:
    """A network but for its size.

    Attributes:
        share: of the budget that it may use up.
        convolutions: 0, 1 or 2; the second keeps its input's rows and columns.
        channels: of each convolution, for one output of the first dense layer.
        keep: share of the second convolution's kernels.
        dense: hidden dense layers.
        taper: outputs of a dense layer for one of the layer before.
        features, planes: as in Architecture.
    """

    share: float
    convolutions: int
    channels: float
    keep: float
    dense: int
    taper: float
    features: int
    planes: int


def like(architecture: Architecture) -> Knobs:
    """The knobs of a network of at most one convolution and two hidden dense layers, as the standard ones."""
    first, second = architecture.dense
    convolutions = architecture.convolutions
    return Knobs(
        share=1.0,
        convolutions=len(convolutions),
        channels=convolutions[0].channels / first if convolutions else 0.0,
        keep=1.0,
        dense=2,
        taper=second / first,
        features=architecture.features,
        planes=architecture.planes,
    )


KEEPS = (0.15, 0.25, 0.5, 1.0)
_WIDTHS = range(4, 513, 4)
"""Of the first dense layer. Both fast kernels compute four outputs at a time."""


def choose(chooser: Chooser) -> Knobs:
    """Knobs within ranges around those of networks that were of use here (docs/training.md)."""
    convolutions = chooser.suggest_int("convolutions", 0, 2)
    dense = chooser.suggest_int("dense", 1, 3)
    return Knobs(
        share=chooser.suggest_float("share", 0.4, 1.0),
        convolutions=convolutions,
        channels=chooser.suggest_float("channels", 0.05, 0.6, log=True) if convolutions else 0.0,
        keep=chooser.suggest_categorical("keep", KEEPS) if convolutions == 2 else 1.0,
        dense=dense,
        taper=chooser.suggest_float("taper", 0.35, 1.0) if dense > 1 else 1.0,
        features=chooser.suggest_int("features", 12, 48, step=4),
        planes=chooser.suggest_int("planes", 1, 2),
    )


def fitted(knobs: Knobs, headset: Headset, cost: Callable[[Candidate], float], budget: float) -> Candidate:
    """The widest network of these knobs that costs no more than their share of a budget.

    Args:
        cost: instructions of a candidate.
    Raises:
        ModelError: the narrowest costs more.
    """
    low, high = 0, len(_WIDTHS)  # the answer's number is at least `low`, and below `high`
    if cost(sized(knobs, headset, _WIDTHS[0])) > knobs.share * budget:
        raise ModelError(f"no such network has at most {knobs.share * budget:,.0f} instructions")
    while high - low > 1:
        middle = (low + high) // 2
        if cost(sized(knobs, headset, _WIDTHS[middle])) <= knobs.share * budget:
            low = middle
        else:
            high = middle
    return sized(knobs, headset, _WIDTHS[low])


def sized(knobs: Knobs, headset: Headset, width: int) -> Candidate:
    """The network of these knobs whose first dense layer has so many outputs."""
    channels = max(2, 2 * round(knobs.channels * width / 2))
    first: Literal["same", "valid"] = "valid" if _loses_a_border(knobs.convolutions, headset) else "same"
    convolutions = [Convolution(channels, first), Convolution(channels, "same")][: knobs.convolutions]
    dense = (max(4, 4 * round(width * knobs.taper**k / 4)) for k in range(knobs.dense))
    architecture = Architecture(
        tuple(convolutions), tuple(dense), knobs.features, embedding=USER_NUMBERS, planes=knobs.planes
    )
    return Candidate(architecture, knobs.keep)


def _loses_a_border(convolutions: int, headset: Headset) -> bool:
    """A first convolution is valid where that leaves enough: so a ring's repeated columns are gone."""
    return bool(min(headset.grid.shape) >= KERNEL + (convolutions > 1))


@dataclass(frozen=True)
class RandomChooser:
    """Sets knobs at random, evenly over their ranges."""

    random: np.random.Generator

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        return low + step * int(self.random.integers((high - low) // step + 1))

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        if log:
            return float(np.exp(self.random.uniform(np.log(low), np.log(high))))
        return float(self.random.uniform(low, high))

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return choices[int(self.random.integers(len(choices)))]
