"""How far off each target of a calibration would be, had it not been used: an honest accuracy, for no more
targets.

The head's fit is linear in the targets, so nothing is fitted anew. With F the real features of all n samples
and a column of ones, H = F (FᵀF + nλI)⁻¹ Fᵀ and e = T − F W the errors of the fit, those of the samples g of
one target by a head fitted without them are exactly

    (I − H_gg)⁻¹ e_g

where the prior weighs as much as in the whole fit, nλ (the fit of the others alone would give it (n − n_g)λ;
on simulated wearers that changes nothing, docs/calibration.md). A user's numbers are not found anew without
the target: the features are those of the network that all targets have told.
Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, 7.10, for one sample and
linear smoothers; here by blocks. With the prior's mean subtracted a ridge regression is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.net.ridge import solve_head


@dataclass(frozen=True)
class LeftOut:
    """Errors of a fit.

    Attributes:
        after_deg: rms over the samples it was fitted to.
        targets_deg: (targets,) rms over the samples of each target, by the fit without it.
    """

    after_deg: float
    targets_deg: NDArray[np.float64]

    @property
    def rms_deg(self) -> float:
        """Over the targets."""
        return float(np.sqrt((self.targets_deg**2).mean()))

    @property
    def worst_deg(self) -> float:
        """Of the worst target."""
        return float(self.targets_deg.max())


def leave_targets_out(
    features: NDArray[np.floating],
    target_deg: NDArray[np.floating],
    target: NDArray[np.integer],
    prior: NDArray[np.floating],
    ridge: float,
) -> LeftOut:
    """What a calibration of these samples is worth, as the device finds it.

    Args:
        features, target_deg, prior, ridge: as `psog.net.ridge.solve_head` takes them.
        target: (n,) which target a sample belongs to, from 0 and each at least once.
    Raises:
        ShapeError: the arrays do not belong together, or there is no sample.
    """
    weight = solve_head(features, target_deg, prior, ridge)
    n = len(features)
    F = np.concatenate([np.asarray(features, np.float64), np.ones((n, 1))], axis=1)
    A = F.T @ F + n * ridge * np.eye(F.shape[1])
    error = np.asarray(target_deg, np.float64) - F @ weight.T
    found = []
    for index in range(int(target.max()) + 1):
        own = target == index
        leverage = F[own] @ np.linalg.solve(A, F[own].T)
        found.append(_rms(np.linalg.solve(np.eye(len(leverage)) - leverage, error[own])))
    return LeftOut(_rms(error), np.array(found))


def _rms(error_deg: NDArray[np.float64]) -> float:
    """Of (n, 2) errors: of their lengths."""
    return float(np.sqrt((error_deg**2).sum(axis=1).mean()))
