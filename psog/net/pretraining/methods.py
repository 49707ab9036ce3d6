"""Barlow Twins, BYOL and NNCLR around a gaze network: what hangs on its features while it is pretrained."""

from __future__ import annotations

import copy
import math
from typing import Literal, cast

import torch
from torch import Tensor, nn

from psog.net.pretraining import losses
from psog.net.qat import GazeNet

MethodName = Literal["barlow-twins", "byol", "nnclr"]
HIDDEN, WIDTH = 64, 32
"""Of projectors, and of embeddings: a few times the 32 features, as the papers take a few times theirs; weak
values. Barlow Twins' embeddings are as wide as the hidden layer: it gains from width (its figure 4)."""
TARGET_DECAY = 0.99
"""Of BYOL's target network at the start; it rises to 1 along half a cosine. The paper takes 0.996 in runs a
hundred times as long."""
QUEUE = 2048
"""Embeddings that NNCLR looks for neighbours in: some batches, of which the paper has about twenty."""


class Method(nn.Module):
    """What is trained beside the network, and the loss of both."""

    def forward(self, net: GazeNet, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, and the features of the first view.

        Args:
            first, second: (wearers, moments, sensors) views in input steps.
        """
        features = net.features(torch.cat([first, second]))
        seen = features.detach()[: len(first)]
        one, other = differences(features).chunk(2)
        return self.loss(one, other, net, first, second), seen

    def loss(self, one: Tensor, other: Tensor, net: GazeNet, first: Tensor, second: Tensor) -> Tensor:
        """The loss from differences (rows, features) of both views."""
        raise NotImplementedError

    def follow(self, net: GazeNet, fraction: float) -> None:
        """After a step, at this fraction of the run."""


def differences(features: Tensor) -> Tensor:
    """(wearers, moments, D) features to rows: how each differs from the mean of its wearer in the batch.

    A calibration gives every wearer a bias of their own, so who looks is nothing that features need to tell;
    and it is what differs most, so a loss that may use it would learn to know people.
    """
    return (features - features.mean(dim=1, keepdim=True)).flatten(0, 1)


class BarlowTwins(Method):
    """psog.net.pretraining.losses.barlow_twins behind a projector."""

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.projector = _two_layers(width, HIDDEN, HIDDEN, generator)

    def loss(self, one: Tensor, other: Tensor, net: GazeNet, first: Tensor, second: Tensor) -> Tensor:
        return losses.barlow_twins(self.projector(one), self.projector(other))


class Byol(Method):
    """psog.net.pretraining.losses.byol, both views predicting each other's target.

    Attributes:
        target: the network and its projector as a running mean of what is trained.
    """

    def __init__(self, net: GazeNet, generator: torch.Generator) -> None:
        super().__init__()
        width = net.head.shape[1] - 1
        self.projector = _two_layers(width, HIDDEN, WIDTH, generator)
        self.predictor = _two_layers(WIDTH, HIDDEN, WIDTH, generator)
        self.target = nn.ModuleList([copy.deepcopy(net), copy.deepcopy(self.projector)])
        self.target.requires_grad_(False)

    def loss(self, one: Tensor, other: Tensor, net: GazeNet, first: Tensor, second: Tensor) -> Tensor:
        backbone, projector = self.target
        with torch.no_grad():
            seen = differences(cast(GazeNet, backbone).features(torch.cat([second, first])))
            targets = [projector(part) for part in seen.chunk(2)]
        predicted = [self.predictor(self.projector(part)) for part in (one, other)]
        return (losses.byol(predicted[0], targets[0]) + losses.byol(predicted[1], targets[1])) / 2

    @torch.no_grad()
    def follow(self, net: GazeNet, fraction: float) -> None:
        decay = 1 - (1 - TARGET_DECAY) * (math.cos(math.pi * fraction) + 1) / 2
        trained = [*net.parameters(), *self.projector.parameters()]
        for slow, fast in zip(self.target.parameters(), trained, strict=True):
            slow.lerp_(fast, 1 - decay)


class Nnclr(Method):
    """psog.net.pretraining.losses.nnclr, both ways.

    Attributes:
        queue: (QUEUE, WIDTH) embeddings of length 1, the oldest replaced first.
        place: () of the oldest.
    """

    queue: Tensor
    place: Tensor

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.projector = _two_layers(width, HIDDEN, WIDTH, generator)
        self.predictor = _two_layers(WIDTH, HIDDEN, WIDTH, generator)
        random = torch.randn(QUEUE, WIDTH, generator=generator)
        self.register_buffer("queue", nn.functional.normalize(random, dim=1))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def loss(self, one: Tensor, other: Tensor, net: GazeNet, first: Tensor, second: Tensor) -> Tensor:
        embedded = [self.projector(part) for part in (one, other)]
        predicted = [self.predictor(part) for part in embedded]
        both = [losses.nnclr(embedded[k], predicted[1 - k], self.queue) for k in (0, 1)]
        self._remember(nn.functional.normalize(embedded[0].detach(), dim=1))
        return (both[0] + both[1]) / 2

    def _remember(self, embedded: Tensor) -> None:
        places = (int(self.place) + torch.arange(len(embedded))) % len(self.queue)
        self.queue[places[-len(self.queue) :]] = embedded[-len(self.queue) :]
        self.place.fill_((int(self.place) + len(embedded)) % len(self.queue))


def method_named(name: MethodName, net: GazeNet, generator: torch.Generator) -> Method:
    """What is trained beside `net` by this method, with weights from `generator`."""
    width = net.head.shape[1] - 1
    if name == "byol":
        return Byol(net, generator)
    return {"barlow-twins": BarlowTwins, "nnclr": Nnclr}[name](width, generator)


def _two_layers(inputs: int, hidden: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    """A hidden layer with batch normalisation and ReLU, and a linear one, as all three papers have."""
    layers = nn.Sequential(
        nn.Linear(inputs, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, outputs)
    )
    with torch.no_grad():
        for layer in layers:
            if isinstance(layer, nn.Linear):
                fan_in = layer.weight.shape[1]
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * (2 / fan_in) ** 0.5)
                if layer.bias is not None:
                    layer.bias.zero_()
    return layers
