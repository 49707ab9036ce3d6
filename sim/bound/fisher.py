"""From derivatives to bounds: joint information, with what does not matter integrated out.

All derivatives are of readings in units of their noise, so the noise's covariance is 1. Nuisances enter as
coloured noise, which is the Schur complement of the joint information matrix (Woodbury's identity), stays
finite for nuisances that are known exactly, and inverts matrices of the size of the headset only.
"""

from __future__ import annotations

import torch
from torch import Tensor


def coloured(nuisance: Tensor, covariance: Tensor) -> Tensor:
    """(..., s, s) covariance of readings: noise plus nuisances.

    Args:
        nuisance: (..., s, k) derivatives.
        covariance: (k, k) or (..., k, k).
    """
    noise = torch.eye(nuisance.shape[-2], dtype=nuisance.dtype, device=nuisance.device)
    result: Tensor = noise + nuisance @ covariance @ nuisance.mT
    return result


def information(wanted: Tensor, noise: Tensor) -> Tensor:
    """(..., k, k) of parameters with derivatives (..., s, k) in readings with covariance (..., s, s)."""
    gained: Tensor = wanted.mT @ torch.linalg.solve(noise, wanted)
    return gained


def gaze_covariance(gaze: Tensor, nuisance: Tensor, covariance: Tensor, prior: Tensor) -> Tensor:
    """(..., 2, 2) bound on the covariance of a gaze estimate from one reading of all sensors (°²).

    Args:
        gaze: (..., s, 2) derivatives by gaze.
        nuisance: (..., s, k) derivatives by everything else.
        covariance: (..., k, k) of everything else.
        prior: (2, 2) of gaze.
    """
    known = information(gaze, coloured(nuisance, covariance)) + torch.linalg.inv(prior)
    bound: Tensor = torch.linalg.inv(known)
    return bound


def after_calibration(
    lasting: Tensor, own: Tensor, prior: Tensor, own_prior: Tensor, samples_per_point: int
) -> Tensor:
    """(..., K, K) covariance of what lasts, after samples at known targets.

    Args:
        lasting: (..., points, s, K) derivatives by what stays through the calibration.
        own: (..., points, s, k) derivatives by what each sample has for itself.
        prior, own_prior: (K, K) and (k, k).
        samples_per_point: independent samples at each point.
    """
    gained = samples_per_point * information(lasting, coloured(own, own_prior)).sum(-3)
    unit = torch.eye(len(prior), dtype=prior.dtype, device=prior.device)
    posterior: Tensor = torch.linalg.solve(unit + prior @ gained, prior.expand_as(gained))
    return posterior


def block_diagonal(*blocks: Tensor) -> Tensor:
    """The covariance of independent groups of parameters."""
    joined: Tensor = torch.block_diag(*blocks)  # type: ignore[no-untyped-call]
    return joined
