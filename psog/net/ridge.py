"""The closed form that fits the head to a user, as the device solves it.

With F the real features of n calibration samples and a column of ones, T their targets and W₀ the
population's head, the user's head is the ridge solution around the prior:

    W = W₀ + (FᵀF/n + λI)⁻¹ Fᵀ(T − F W₀)/n

Only the two gaze rows of the head are fitted; openness and expected error stay with the
population. Heads are stored with one row per output, so W here is (2, features + 1).
Source: R2-D2, Bertinetto et al., ICLR 2019, with a prior mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError

if TYPE_CHECKING:
    import torch

GAZE_OUTPUTS = 2

GAZE_UNIT_DEG = 20.0
"""Gaze is trained in these units, so that all weights are of order one."""


def solve_head(
    features: NDArray[np.floating],
    target_deg: NDArray[np.floating],
    prior: NDArray[np.floating],
    ridge: float,
) -> NDArray[np.float64]:
    """The user's gaze rows from calibration samples.

    Args:
        features: (n, D) real features, n >= 1.
        target_deg: (n, 2) where the user was asked to look.
        prior: (2 or more, D + 1) head of the population; the first two rows are used.
        ridge: λ > 0.
    Returns:
        (2, D + 1).
    Raises:
        ShapeError: the arrays do not belong together, or there is no sample.
    """
    n, width = features.shape
    if n < 1 or target_deg.shape != (n, GAZE_OUTPUTS) or prior.shape[1:] != (width + 1,):
        raise ShapeError(
            f"cannot fit a head: features {features.shape}, targets {target_deg.shape}, "
            f"prior {prior.shape}; expected (n, D), (n, 2), (2, D + 1) with n at least 1"
        )
    F = np.concatenate([np.asarray(features, np.float64), np.ones((n, 1))], axis=1)
    W0 = np.asarray(prior[:GAZE_OUTPUTS], np.float64)
    A = F.T @ F / n + ridge * np.eye(width + 1)
    residual = np.asarray(target_deg, np.float64) - F @ W0.T
    return np.asarray(W0 + np.linalg.solve(A, F.T @ residual / n).T)


def solve_heads(
    features: torch.Tensor,
    target: torch.Tensor,
    prior: torch.Tensor,
    ridge: torch.Tensor,
    counted: torch.Tensor,
) -> torch.Tensor:
    """`solve_head` for a batch of users, differentiable in everything.

    Args:
        features: (users, n, D) real features.
        target: (users, n, 2).
        prior: (2, D + 1).
        ridge: () λ.
        counted: (users, n) 1 for a sample that counts, 0 for one that is passed over (a blink).
    Returns:
        (users, 2, D + 1).
    """
    import torch

    F = with_bias(features)
    weighted = F * (counted / counted.sum(1, keepdim=True).clamp(min=1.0))[..., None]
    A = weighted.transpose(1, 2) @ F + ridge * torch.eye(F.shape[-1], dtype=F.dtype, device=F.device)
    step = torch.cholesky_solve(weighted.transpose(1, 2) @ (target - F @ prior.T), torch.linalg.cholesky(A))
    return prior + step.transpose(1, 2)


def with_bias(features: torch.Tensor) -> torch.Tensor:
    """(…, D) to (…, D + 1), the last column ones."""
    import torch

    return torch.cat([features, torch.ones_like(features[..., :1])], dim=-1)
