"""Pools of 4-entry patterns: which four of the nine weights a pruned 3×3 kernel may keep.

A pattern is four tap indices, row by row from the upper left (so 4 is the centre). Pools are made by a rule:

- "12": every set of four taps that hangs together by edges, includes the centre, and equals its own mirror
  image about a line through the centre. Those are squares, and T shapes with the centre as hub or as foot.
- "8": the squares and those with the centre as hub, in which the centre touches at least two other taps.
- "4": the squares, the four 2×2 corners: two loads of two neighbours each for a microcontroller.
- "data": the eight patterns that are most often the best ones for the kernels at hand.

Source of the pool of 4 and of pools of 4, 8 or 12: ClickTrain, Zhang et al., ICS 2021. The rule for 8 and 12
is this project's.
"""

from __future__ import annotations

from itertools import combinations
from typing import Literal, get_args

import torch
from torch import Tensor

from psog.net.architecture import KERNEL

Pattern = tuple[int, ...]
PoolName = Literal["4", "8", "12", "data"]
POOL_NAMES: tuple[PoolName, ...] = get_args(PoolName)

TAPS = KERNEL * KERNEL
ENTRIES = 4
"""Weights that a kernel keeps."""

DATA_POOL = 8
"""Size of a pool made from data: a weak value, between the fixed ones."""

_SQUARES: tuple[Pattern, ...] = ((0, 1, 3, 4), (1, 2, 4, 5), (3, 4, 6, 7), (4, 5, 7, 8))
_HUBS: tuple[Pattern, ...] = ((1, 3, 4, 5), (1, 3, 4, 7), (1, 4, 5, 7), (3, 4, 5, 7))
_FEET: tuple[Pattern, ...] = ((0, 1, 2, 4), (0, 3, 4, 6), (2, 4, 5, 8), (4, 6, 7, 8))
_EVERY: tuple[Pattern, ...] = tuple(combinations(range(TAPS), ENTRIES))


def pool_named(name: PoolName, importance: Tensor) -> tuple[Pattern, ...]:
    """The patterns of a pool.

    Args:
        importance: (kernels, 9) of the weights that patterns are chosen for; only "data" looks at it.
    """
    return fixed_pool(name) or most_frequent(importance)


def fixed_pool(name: PoolName) -> tuple[Pattern, ...]:
    """The patterns of a pool that does not depend on data; none for "data"."""
    fixed = {"4": _SQUARES, "8": _SQUARES + _HUBS, "12": _SQUARES + _HUBS + _FEET}
    return fixed.get(name, ())


def most_frequent(importance: Tensor) -> tuple[Pattern, ...]:
    """The DATA_POOL patterns that are the best of their kernel most often.

    Of patterns as frequent, those come first that keep more importance in all kernels together.

    Args:
        importance: (kernels, 9), not negative.
    """
    kept = kept_importance(importance, _EVERY)
    count = torch.bincount(kept.argmax(dim=1), minlength=len(_EVERY)).tolist()
    total = kept.sum(dim=0).tolist()
    order = sorted(range(len(_EVERY)), key=lambda i: (-count[i], -total[i]))
    return tuple(sorted(_EVERY[i] for i in order[:DATA_POOL]))


def best_masks(importance: Tensor, pool: tuple[Pattern, ...]) -> Tensor:
    """(kernels, 9) ones on the pattern of `pool` that keeps most of each kernel's (9,) importance."""
    return _matrix(pool, importance.device)[kept_importance(importance, pool).argmax(dim=1)]


def kept_importance(importance: Tensor, pool: tuple[Pattern, ...]) -> Tensor:
    """(kernels, patterns) importance that each pattern keeps of (kernels, 9)."""
    return importance @ _matrix(pool, importance.device).T


def _matrix(pool: tuple[Pattern, ...], device: torch.device) -> Tensor:
    """(patterns, 9) ones where a pattern keeps a weight."""
    matrix = torch.zeros(len(pool), TAPS)
    for row, pattern in zip(matrix, pool, strict=True):
        row[list(pattern)] = 1
    return matrix.to(device)
