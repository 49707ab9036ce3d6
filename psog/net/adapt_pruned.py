"""A pruned network stays pruned in the stages that follow: its masks come from what its model says of it."""

from __future__ import annotations

from typing import Any

import torch

from psog.errors import ModelError
from psog.net.patterns import POOL_NAMES, TAPS, Pattern
from psog.net.pruned import NO_PATTERN, patterns_of
from psog.net.pruning import from_kernels, hold, prunable_layers
from psog.net.qat import GazeNet
from psog.net.store import PRUNING, Model


def pruning_of(parent: Model) -> dict[str, Any]:
    """What reports of networks made from `parent` say of pruning: the same; nothing if it is dense."""
    return {key: parent.report[key] for key in (PRUNING,) if key in parent.report}


def hold_pruned(net: GazeNet, parent: Model) -> None:
    """Hold at zero, in `net`, what pruning had removed from its parent; nothing if that is dense.

    A kernel keeps the pattern that covers it, so a weight that was kept and rounded to 0 may come back.

    Raises:
        ModelError: what the parent says of its pruning does not describe it.
    """
    if PRUNING not in parent.report:
        return
    pool = _pool(parent.report[PRUNING])
    covers = torch.zeros(len(pool), TAPS)
    for row, pattern in zip(covers, pool, strict=True):
        row[list(pattern)] = 1
    for module in prunable_layers(net):
        index = next(k for k, layer in enumerate(net.layers) if layer is module)
        found = torch.from_numpy(patterns_of(parent.net.layers[index].weight, pool))
        hold(module, from_kernels(covers[found] * (found != NO_PATTERN)[..., None]))


def _pool(told: Any) -> tuple[Pattern, ...]:
    """The patterns that "pruning" names, checked."""
    refused = "what the model says of its pruning is no pool of patterns; copy the model again"
    try:
        name, pool = told["patterns"], tuple(tuple(int(tap) for tap in pattern) for pattern in told["pool"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(refused) from error
    if name not in POOL_NAMES or not pool or not all(0 <= tap < TAPS for pattern in pool for tap in pattern):
        raise ModelError(refused)
    return pool
