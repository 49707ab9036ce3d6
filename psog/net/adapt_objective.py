"""What a stage after the population's minimises: recordings in some steps, simulated users in the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from psog.net.objectives import EpisodeObjective
from psog.net.processes import ALONE, Team
from psog.net.qat import GazeNet


@dataclass
class MixedObjective:
    """Recorded episodes in some steps, simulated ones in the others; both draw from one generator.

    Attributes:
        share: of steps on simulated episodes.
    """

    recorded: EpisodeObjective
    simulated: EpisodeObjective | None
    share: float
    generator: torch.Generator
    team: Team = field(default=ALONE, init=False)

    @classmethod
    def of(
        cls, recorded: EpisodeObjective, simulated: EpisodeObjective | None, share: float
    ) -> MixedObjective:
        """Of the two, drawing as the first does; of the first alone where there is no second."""
        generator = recorded.generator
        if simulated is not None:
            simulated = replace(simulated, generator=generator)
        return cls(recorded, simulated, share, generator)

    def __call__(self, net: GazeNet, fraction: float) -> tuple[Tensor, float]:
        chosen = self.recorded
        if self.simulated is not None and float(torch.rand((), generator=self.generator)) < self.share:
            chosen = self.simulated
        return chosen(net, fraction)


def merged(parts: Sequence[EpisodeObjective]) -> EpisodeObjective:
    """One objective on the episodes of all, at least one, in equal shapes: a batch mixes them.

    The noise is the mean: what recordings were recorded with stays in them, and what is added is the rounding
    of their counts alone.
    """
    return replace(
        parts[0],
        steps=torch.cat([part.steps for part in parts]),
        gaze_deg=torch.cat([part.gaze_deg for part in parts]),
        openness=torch.cat([part.openness for part in parts]),
        noise_steps=torch.stack([part.noise_steps for part in parts]).mean(dim=0),
    )
