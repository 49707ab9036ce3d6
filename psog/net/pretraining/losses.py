"""The losses of self-supervised pretraining: each takes embeddings of two views of the same moments.

Rows i of both are views of one moment; b is the batch, d the width of an embedding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

REDUNDANCY = 5e-3
"""λ of Barlow Twins, as in the paper."""
TEMPERATURE = 0.1
"""Of NNCLR, as in the paper."""
_LEAST_SD = 1e-4


def barlow_twins(first: Tensor, second: Tensor, redundancy: float = REDUNDANCY) -> Tensor:
    """Each dimension agrees between views and says something of its own.

    Σ (1 - C_ii)² + λ Σ_(i≠j) C_ij², C the (d, d) correlation of dimensions of the two views over the batch.

    Args:
        first, second: (b, d) embeddings.
    Source: Zbontar et al., Barlow Twins, ICML 2021, equation 1.
    """
    correlation = _standardised(first).T @ _standardised(second) / len(first)
    diagonal = correlation.diagonal()
    others = correlation.square().sum() - diagonal.square().sum()
    return (1 - diagonal).square().sum() + redundancy * others


def byol(predicted: Tensor, target: Tensor) -> Tensor:
    """One view's prediction points where the target network puts the other view: 2 - 2 cos, mean over rows.

    Args:
        predicted: (b, d); target: (b, d), through which no gradient goes.
    Source: Grill et al., Bootstrap your own latent, NeurIPS 2020, equation 2.
    """
    cosine = nn.functional.cosine_similarity(predicted, target.detach(), dim=1)
    return (2 - 2 * cosine).mean()


def nnclr(embedded: Tensor, predicted: Tensor, queue: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """The prediction from one view tells, among all rows, which row's neighbour it was.

    The neighbour is the embedding in `queue` that is nearest to the row's other view; the other rows of the
    batch are the negatives.

    Args:
        embedded: (b, d) of one view; predicted: (b, d) from the other; queue: (q, d) of earlier batches.
    Source: Dwibedi et al., With a little help from my friends, ICCV 2021, equations 2 and 4.
    """
    embedded, predicted = (nn.functional.normalize(x, dim=1) for x in (embedded, predicted))
    nearest = (embedded.detach() @ queue.T).argmax(dim=1)
    similarity = queue[nearest] @ predicted.T / temperature
    return nn.functional.cross_entropy(similarity, torch.arange(len(similarity), device=similarity.device))


def _standardised(x: Tensor) -> Tensor:
    return (x - x.mean(0)) / x.std(0, correction=0).clamp(min=_LEAST_SD)
