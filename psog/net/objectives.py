"""What training minimises: the error of fitted heads on episodes, or of the network itself on rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from psog.net.architecture import OPENNESS
from psog.net.embedding import moments
from psog.net.loop import TrainingConfig
from psog.net.processes import ALONE, Team
from psog.net.qat import GazeNet
from psog.net.ridge import GAZE_OUTPUTS, GAZE_UNIT_DEG, solve_heads, with_bias

OPEN_ENOUGH = 0.5
"""Openness from which a sample's gaze counts."""

# A calibration as it happens: from one point to 25 and more, mostly of many. Fixations are 0.3° beside their
# target (a weak value), of one person more and of another less; now and then somewhere else.
_FEW = 5
_MOST_SUPPORT = 40
_TARGET_NOISE_DEG = (0.15, 0.45)
_PRIOR_SHARE = 0.1  # of the loss by the population's head, so that it works without calibration too
# At 4,000 steps these find 98 % of lids a quarter to half open below an openness of 0.8, where equal weights
# and a share of 0.1 find 84 %, for 1 % of open eyes there instead of 0.2 %; the gaze is as good.
_OPENNESS_SHARE = 0.3
_BLINK_WEIGHT = 10.0
_STRANGERS = 0.15  # share of users without an embedding, so that uncalibrated ones are seen too
_SMOOTH = 1e-6  # keeps the gradient of a distance finite at zero


class _Batch(NamedTuple):
    """Users of one step: what they calibrate with, and what that is judged on.

    Attributes:
        steps: (users, samples, sensors) noisy readings in input steps; the calibration's come first.
        gaze: (users, samples, 2) in GAZE_UNIT_DEG.
        openness, counted: (users, samples); counted is 1 where the gaze counts, else 0.
        target: (users, support, 2) where the users were asked to look in the calibration.
        known: (users, 1) whether the network is told who a user is.
    """

    steps: Tensor
    gaze: Tensor
    openness: Tensor
    counted: Tensor
    target: Tensor
    known: Tensor

    def part(self, users: slice, device: torch.device) -> _Batch:
        """Some of the users, on a device."""
        return _Batch(*(tensor[users].to(device) for tensor in self))


@dataclass
class EpisodeObjective:
    """Loss through the ridge solve, with the headset moving between calibration and use.

    Episodes and random numbers stay on the CPU; a step's share of a batch goes where the network is.

    Attributes:
        steps: (users, poses, samples, sensors) readings in input steps, without noise.
        gaze_deg: (users, poses, samples, 2).
        openness: (users, poses, samples).
        noise_steps: (sensors,) SD of the noise of one reading.
        generator: in the same state in every process of the team, so that all draw the same batch.
        team: who share the users of a batch.
    """

    steps: Tensor
    gaze_deg: Tensor
    openness: Tensor
    noise_steps: Tensor
    config: TrainingConfig
    generator: torch.Generator
    team: Team = ALONE

    def __call__(self, net: GazeNet, fraction: float) -> tuple[Tensor, float]:
        whole = self._batch()
        steps, gaze, openness, counted, target, known = whole.part(
            self.team.slice(len(whole.steps)), net.head.device
        )
        support = target.shape[1]
        warm, numbers = fraction < self.config.warm_up, None
        if net.embedding is not None and not warm:
            seen = moments(net.real_inputs(steps[:, :support]), target, counted[:, :support])
            numbers = net.embedding.numbers(seen) * known
        features = net.features(steps, numbers)
        outputs = with_bias(features) @ net.head.T
        openness_loss = _OPENNESS_SHARE * _openness_loss(outputs[..., OPENNESS], openness)
        prior_error = outputs[..., :GAZE_OUTPUTS] - gaze
        if warm:
            loss, error_deg = _mean_distance(prior_error, counted, self._share(whole.counted))
            return loss + openness_loss, error_deg

        heads = solve_heads(
            features[:, :support],
            target,
            net.head[:GAZE_OUTPUTS],
            net.ridge(),
            counted[:, :support],
        )
        fitted = with_bias(features[:, support:]) @ heads.transpose(1, 2)
        share = self._share(whole.counted[:, support:])
        loss, error_deg = _mean_distance(fitted - gaze[:, support:], counted[:, support:], share)
        prior_loss = _PRIOR_SHARE * (prior_error.square().sum(-1) * counted).mean()
        return loss + prior_loss + openness_loss, error_deg

    def _share(self, counted: Tensor) -> float:
        """How many samples of the whole batch count, for each process."""
        return float(counted.sum()) / self.team.size

    def _batch(self) -> _Batch:
        """The next whole batch."""
        support, pose, sample = self._draw()
        users = torch.randint(len(self.steps), (len(pose), 1), generator=self.generator)
        steps = self.steps[users, pose, sample]
        noise = torch.randn(steps.shape, generator=self.generator) * self.noise_steps
        gaze = self.gaze_deg[users, pose, sample] / GAZE_UNIT_DEG
        openness = self.openness[users, pose, sample]
        target = self._targets(gaze[:, :support])
        known = torch.rand(len(users), 1, generator=self.generator) >= _STRANGERS
        return _Batch(steps + noise, gaze, openness, (openness >= OPEN_ENOUGH).float(), target, known)

    def _targets(self, gaze: Tensor) -> Tensor:
        """(users, support, 2) where the users were asked to look who looked at `gaze`, in GAZE_UNIT_DEG."""
        users, support = gaze.shape[:2]
        low, high = _TARGET_NOISE_DEG
        noise_deg = low + (high - low) * torch.rand(users, 1, 1, generator=self.generator)
        targets = gaze + torch.randn(gaze.shape, generator=self.generator) * (noise_deg / GAZE_UNIT_DEG)
        absent = torch.rand(users, generator=self.generator) < self.config.absent_minded
        elsewhere = torch.rand(users, 2, generator=self.generator) * 2 - 1
        which = torch.randint(support, (users,), generator=self.generator)
        row = torch.arange(users)
        targets[row, which] = torch.where(absent[:, None], elsewhere, targets[row, which])
        return targets

    def _draw(self) -> tuple[int, Tensor, Tensor]:
        """How many support samples, and pose and sample of each: support from pose 0, then queries."""
        users, poses, samples = self.config.users_per_batch, *self.steps.shape[1:3]
        few = float(torch.rand((), generator=self.generator)) < self.config.few_points
        fewest, most = (1, _FEW) if few else (_FEW + 1, min(_MOST_SUPPORT, samples))
        support = int(torch.randint(fewest, most + 1, (1,), generator=self.generator))
        shape = (users, support + self.config.queries)
        sample = torch.randint(samples, shape, generator=self.generator)
        pose = torch.randint(poses, shape, generator=self.generator)
        pose[:, :support] = 0
        return support, pose, sample


@dataclass
class RowObjective:
    """Mean gaze error of the whole network on single readings.

    Attributes:
        steps: (n, sensors) readings in input steps.
        gaze_deg: (n, 2).
        noise_steps: (sensors,) SD of the noise added to a reading.
    """

    steps: Tensor
    gaze_deg: Tensor
    noise_steps: Tensor
    rows_per_batch: int
    generator: torch.Generator
    team: Team = field(default=ALONE, init=False)

    def __call__(self, net: GazeNet, fraction: float) -> tuple[Tensor, float]:
        rows = torch.randint(len(self.steps), (self.rows_per_batch,), generator=self.generator)
        noise = torch.randn(len(rows), self.steps.shape[1], generator=self.generator) * self.noise_steps
        outputs = net(self.steps[rows] + noise)
        error = outputs[:, :GAZE_OUTPUTS] - self.gaze_deg[rows] / GAZE_UNIT_DEG
        loss, error_deg = _mean_distance(error, torch.ones(len(rows)), len(rows))
        openness_loss = _OPENNESS_SHARE * (outputs[:, OPENNESS] - 1).square().mean()  # open throughout
        return loss + openness_loss, error_deg


def _openness_loss(estimated: Tensor, openness: Tensor) -> Tensor:
    """Mean square error in which a moment of a blink counts as much as many of an open eye."""
    weight = 1 + (_BLINK_WEIGHT - 1) * (openness < 1)
    return (weight * (estimated - openness).square()).mean()


def _mean_distance(error: Tensor, counted: Tensor, count: float) -> tuple[Tensor, float]:
    """Mean length of (…, 2) errors, `count` of which count, as loss and in degrees."""
    distance = (error.square().sum(-1) + _SMOOTH).sqrt()
    mean = (distance * counted).sum() / max(count, 1.0)
    return mean, float(mean.detach()) * GAZE_UNIT_DEG
