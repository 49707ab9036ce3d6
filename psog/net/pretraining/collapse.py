"""Whether features still tell moments apart: the way self-supervision fails is that they no longer do."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from psog.errors import ModelError
from psog.net.pretraining.methods import differences

LEAST_SPREAD = 0.02
"""Healthy runs stay above 0.15, one whose loss only asks views to agree comes to 0 (docs/pretraining.md); a
weak value."""
FEWEST_DIMENSIONS = 1.5
"""A gaze has two. Healthy runs have 3 and more (docs/pretraining.md); a weak value."""


class CollapsedError(ModelError):
    """Pretraining ended in features that are the same for all moments."""


@dataclass(frozen=True)
class Health:
    """Of features over a batch, each wearer's mean taken away.

    Attributes:
        spread: standard deviation, all dimensions together, over the root mean square of the features.
        rank: effective rank, the exponential of the entropy of the singular values as shares. Source: Roy and
            Vetterli, The effective rank, EUSIPCO 2007; Garrido et al., RankMe, ICML 2023, for this use.
    """

    spread: float
    rank: float

    @property
    def collapsed(self) -> bool:
        return not (self.spread >= LEAST_SPREAD and self.rank >= FEWEST_DIMENSIONS)

    def __str__(self) -> str:
        return f"spread {self.spread:.3f}, effective rank {self.rank:.1f}"


def health_of(features: Tensor) -> Health:
    """Of features (wearers, moments, D)."""
    rows = differences(features.detach()).double()
    scale = float(features.double().square().mean().sqrt())
    singular = torch.linalg.svdvals(rows) if bool(rows.isfinite().all()) else torch.zeros(1)
    total = float(singular.sum())
    if total == 0 or scale == 0:
        return Health(0.0, 0.0)
    share = singular / total
    entropy = -float((share * share.clamp(min=torch.finfo(share.dtype).tiny).log()).sum())
    return Health(float(rows.square().mean().sqrt()) / scale, float(torch.tensor(entropy).exp()))
