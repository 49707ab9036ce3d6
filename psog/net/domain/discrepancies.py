"""How far apart the features of two domains are: what training pulls together besides lowering the error.

Each is a function of source features (n, D) and target features (m, D) to () a number that is 0 for equal
domains and has a gradient in both. They look at the distribution of features alone. That is right as far as
both domains look at the same things: whatever differs in *what is seen* is pulled together as well, and a
regression has no gap between classes in which that would go unnoticed (docs/domains.md).
"""

from __future__ import annotations

import torch
from torch import Tensor

from psog.net.ridge import with_bias

MMD_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Of the Gaussian kernels, as factors of the mean squared distance: Long et al. 2015 use 2^-8 to 2^8 of the
median; so many, nearer to it, are a weak value."""
GRAM_ENERGY = 0.99
"""Share of the Gram matrix's trace that the subspace keeps; Nejjar et al. 2023 use 0.9 to 0.999."""
GRAM_SCALE = 0.02
"""Weight of the scale beside the angle: 0.001 to 0.05 in Nejjar et al. 2023."""


def coral(source: Tensor, target: Tensor) -> Tensor:
    """Squared distance of the covariances, over 4 D².

    Source: Sun & Saenko, Deep CORAL, ECCV workshops 2016, equations 1 to 3.
    """
    return (_covariance(source) - _covariance(target)).square().sum() / (4 * source.shape[1] ** 2)


def mmd(source: Tensor, target: Tensor) -> Tensor:
    """Squared maximum mean discrepancy with a sum of Gaussian kernels, the biased estimate.

    Source: Gretton et al., JMLR 13 (2012), equation 5; several kernels as in Long et al., Learning
    transferable features with deep adaptation networks, ICML 2015.
    """
    both = torch.cat([source, target])
    norms = both.square().sum(1)
    squared = (norms[:, None] + norms - 2 * both @ both.T).clamp(min=0)
    width = squared.detach().mean().clamp(min=_TINY)
    kernel = torch.stack([(-squared / (factor * width)).exp() for factor in MMD_WIDTHS]).mean(0)
    n = len(source)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


def dare_gram(source: Tensor, target: Tensor) -> Tensor:
    """Angles between the columns of the inverse Gram matrices, and distance of the Gram matrices' scales.

    The least-squares head of features F is (FᵀF)⁻¹FᵀT: if both domains have the same (FᵀF)⁻¹, one head can
    serve both, whatever their features' distributions. Inverted is the subspace of the largest eigenvalues
    that holds GRAM_ENERGY of the source's or the target's trace, whichever takes more of them. Gram matrices
    are means over samples, so that batches may differ in size.

    Source: Nejjar, Wang, Fink: DARE-GRAM, CVPR 2023, section 3.
    """
    grams = [with_bias(features).T @ with_bias(features) / len(features) for features in (source, target)]
    scales = [torch.linalg.eigvalsh(gram).flip(0) for gram in grams]
    kept = max(_rank(scale.detach()) for scale in scales)
    inverses = [
        torch.linalg.pinv(gram, rtol=_between(scale.detach(), kept), hermitian=True)
        for gram, scale in zip(grams, scales, strict=True)
    ]
    cosine = torch.cosine_similarity(inverses[0], inverses[1], dim=0)
    scale: Tensor = torch.linalg.vector_norm(scales[0][:kept] - scales[1][:kept]) / kept
    return (1 - cosine).abs().mean() + GRAM_SCALE * scale


def _covariance(features: Tensor) -> Tensor:
    centred = features - features.mean(0)
    return centred.T @ centred / max(len(features) - 1, 1)


def _rank(eigenvalues: Tensor) -> int:
    """How many of the (D,) descending eigenvalues hold GRAM_ENERGY of their sum."""
    energy = eigenvalues.clamp(min=0).cumsum(0)
    return min(int((energy < GRAM_ENERGY * energy[-1]).sum()) + 1, len(eigenvalues))


def _between(eigenvalues: Tensor, kept: int) -> float:
    """A bound, relative to the largest eigenvalue, that `kept` of them exceed."""
    last = eigenvalues[kept - 1]
    following = eigenvalues[kept] if kept < len(eigenvalues) else torch.zeros_like(last)
    bound = (last.clamp(min=0) * following.clamp(min=0)).sqrt() if following > 0 else last / 2
    return max(float(bound / eigenvalues[0].clamp(min=_TINY)), _TINY)


_TINY = 1e-7
