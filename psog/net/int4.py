"""Weights of four bits: int8 weights that are whole multiples, up to seven, of a factor of each output.

An int4 layer is an int8 layer whose integers happen to allow a shorter way to write them, as a pruned one is
a layer with zeros. So scales, arithmetic, model folders and gaze.tflite stay what they are, every runtime
gives the same bits, and only who packs a device image needs to look (psog.firmware_export.int4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

MOST = 7
"""Largest multiple that is rounded to. Four bits hold −8 too; without it rounding is symmetric."""

LARGEST_FACTOR = 127 // MOST
CANDIDATES = 8
"""Factors that are tried below the one that clips nothing: of normal weights the best is about half of it."""


def int4_factors(weight: NDArray[np.int8]) -> NDArray[np.int64] | None:
    """(out,) factors of weights (out, …) that int4 holds; None if it does not hold them.

    Weights w of an output are its factor times −8 … 7; the factor is as large as it can be, and 1 without
    weights.
    """
    rows = weight.reshape(len(weight), -1).astype(np.int64)
    factors = np.maximum(np.gcd.reduce(rows, axis=1), 1)
    multiples = rows // factors[:, None]
    return factors if np.all((multiples >= -MOST - 1) & (multiples <= MOST)) else None


def candidate_factors(weight: NDArray[np.int8]) -> list[NDArray[np.float64]]:
    """(out,) factors to try for weights (out, …): the one that clips nothing, and smaller ones."""
    largest = np.abs(weight.reshape(len(weight), -1).astype(np.float64)).max(axis=1)
    highest = np.clip(np.ceil(largest / MOST), 1, LARGEST_FACTOR)
    return [np.maximum(highest - less, 1) for less in range(CANDIDATES)]


def nearest_int4(steps: Tensor) -> Tensor:
    """Weights (out, inputs) in steps of int8, rounded to multiples of the factor of each output.

    The factor is the one with the smallest sum of squared changes. Weights that four bits hold stay as they
    are, also where the largest is a smaller multiple than it might be.
    """
    import torch

    largest = steps.abs().amax(dim=1)
    highest = torch.ceil(largest / MOST).clamp(1, LARGEST_FACTOR)
    clipping = highest - torch.arange(CANDIDATES)[:, None]
    coarser = torch.round(largest / torch.arange(1, MOST)[:, None])
    factors = torch.cat([clipping, coarser]).clamp(min=1)[..., None]  # (candidates, out, 1)
    rounded = torch.round(steps / factors).clamp(-MOST, MOST) * factors
    best = (rounded - steps).square().sum(dim=2).argmin(dim=0)
    return rounded[best, torch.arange(len(steps))]
