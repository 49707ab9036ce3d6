"""The ways to adapt that `psog align` knows: a map of the inputs, or one loss on features of both domains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor

from psog.net.domain.adversary import Adversary
from psog.net.domain.discrepancies import coral, dare_gram, mmd

Method = Literal["standardise", "gain", "dare-gram", "coral", "mmd", "dann"]
METHODS: tuple[Method, ...] = get_args(Method)

MAPS: tuple[Method, ...] = ("standardise", "gain")
"""What maps inputs and trains nothing."""

FeatureLoss = Callable[[Tensor, Tensor, float], Tensor]
"""Source features (n, D), target features (m, D) and the fraction 0 … 1 of the run to () a number."""

WEIGHT: dict[Method, float] = {"dare-gram": 0.1, "coral": 1.0, "mmd": 1.0, "dann": 0.1}
"""Of the loss beside the gaze's (in units of 20°); weak values, hardly tuned (docs/domains.md)."""


def feature_loss(method: Method, features: int, seed: int) -> FeatureLoss | None:
    """The loss of a method for networks with so many features; None for one that maps inputs only."""
    if method in MAPS:
        return None
    if method == "dann":
        return Adversary(features, seed)
    discrepancy = {"dare-gram": dare_gram, "coral": coral, "mmd": mmd}[method]
    return lambda source, target, _fraction: discrepancy(source, target)
