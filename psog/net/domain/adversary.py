"""DANN: a discriminator learns to tell the domains apart, and the features learn that it cannot."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

WIDTH = 64
"""Of the discriminator's hidden layer; a weak value."""
LEARNING_RATE = 1e-3
"""Of the discriminator (Adam's usual value)."""
STEEPNESS = 10.0
"""With which the features' part sets in over a run: Ganin et al. 2016, section 5.2.2."""


class Adversary:
    """The domains' discriminator, trained along the way.

    Each call takes one step of its own with the features as they are, and returns what the features get: the
    discriminator's loss with its sign reversed, which is what a gradient-reversal layer hands down, weighted
    from 0 to 1 along the run. Adding the constant ln 2 makes 0 mean that it can only guess.

    Source: Ganin et al., Domain-adversarial training of neural networks, JMLR 17 (2016).
    """

    def __init__(self, features: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        first, last = nn.Linear(features, WIDTH), nn.Linear(WIDTH, 1)
        with torch.no_grad():
            for layer in (first, last):
                bound = 1 / math.sqrt(layer.in_features)
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.zero_()
        self._tell = nn.Sequential(first, nn.ReLU(), last)
        self._optimiser = torch.optim.Adam(self._tell.parameters(), lr=LEARNING_RATE)

    def __call__(self, source: Tensor, target: Tensor, fraction: float) -> Tensor:
        """() to be minimised by the features (n, D) and (m, D), at this fraction 0 … 1 of a run."""
        self._optimiser.zero_grad()
        self._loss(source.detach(), target.detach()).backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._tell.requires_grad_(False)
        strength = 2 / (1 + math.exp(-STEEPNESS * fraction)) - 1
        loss = strength * (math.log(2) - self._loss(source, target))
        self._tell.requires_grad_(True)
        return loss

    def _loss(self, source: Tensor, target: Tensor) -> Tensor:
        """Mean cross entropy in nats; each domain counts half."""
        entropy = nn.functional.binary_cross_entropy_with_logits
        of_source, of_target = self._tell(source), self._tell(target)
        loss = entropy(of_source, torch.ones_like(of_source))
        return (loss + entropy(of_target, torch.zeros_like(of_target))) / 2
