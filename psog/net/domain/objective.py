"""Training with a loss on the features of both domains beside what is minimised on the labelled one."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from psog.net.domain.methods import FeatureLoss
from psog.net.loop import Objective
from psog.net.processes import ALONE, Team
from psog.net.qat import GazeNet

ROWS = 256
"""Readings of each domain per step: a covariance of 32 features needs some times as many; a weak value."""


@dataclass
class AlignedObjective:
    """The labelled domain's objective, and the features' loss on readings of both.

    Attributes:
        labelled: what is minimised besides; it draws from the same generator.
        source, target: (n, sensors) and (m, sensors) readings in input steps, without labels.
        noise_steps: (sensors,) SD of the noise added to the source's; the target's come with theirs.
        weight: of the features' loss.
    """

    labelled: Objective
    source: Tensor
    target: Tensor
    noise_steps: Tensor
    loss: FeatureLoss
    weight: float
    generator: torch.Generator
    team: Team = field(default=ALONE, init=False)

    def __call__(self, net: GazeNet, fraction: float) -> tuple[Tensor, float]:
        loss, error_deg = self.labelled(net, fraction)
        source, target = (net.features(self._some(readings)) for readings in (self.source, self.target))
        return loss + self.weight * self.loss(source, target, fraction), error_deg

    def _some(self, readings: Tensor) -> Tensor:
        rows = torch.randint(len(readings), (ROWS,), generator=self.generator)
        if readings is self.target:
            return readings[rows]
        noise = torch.randn(ROWS, readings.shape[1], generator=self.generator) * self.noise_steps
        return readings[rows] + noise
