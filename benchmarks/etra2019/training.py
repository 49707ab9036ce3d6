"""Training as in the ETRA 2019 paper (Nadam, MSE, L2, early stopping), of many networks side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from psog.benchmarks.etra2019.nets import PaperNet, padded

LEARNING_RATE = 1e-3
L2 = 1e-4
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8
_DECAY = 0.004  # of the momentum's schedule, 0.96^(t · decay), as in Keras


@dataclass(frozen=True)
class Schedule:
    """How long a training lasts.

    Attributes:
        batch: rows a step.
        patience: epochs without a better validation loss after which it ends.
        most_epochs: after which it ends in any case.
    """

    batch: int
    patience: int
    most_epochs: int


@dataclass(frozen=True)
class Rows:
    """Inputs and targets of m networks.

    Attributes:
        x: (m, n, 15); y: (m, n, 2); what is beyond `count` (m,) rows is padding.
    """

    x: Tensor
    y: Tensor
    count: Tensor

    @staticmethod
    def of(x: Sequence[NDArray[np.float32]], y: Sequence[NDArray[np.float32]]) -> Rows:
        """Of m arrays each."""
        return Rows(padded(x), padded(y), torch.tensor([len(one) for one in x]))


@dataclass(frozen=True)
class Trained:
    """What training made.

    Attributes:
        weights: (m, parameters), those of the best validation loss.
        epochs: (m,) until each network stopped.
        cpu_s: (m,) processor time of each: its epochs' share of the time that all of them took.
    """

    weights: Tensor
    epochs: NDArray[np.int64]
    cpu_s: NDArray[np.float64]


@contextmanager
def _subnormals_as_zero() -> Iterator[None]:
    """What torch computes in this thread has no subnormal numbers, where the processor can do without.

    L2 takes the weights of units that are never active down to 1e-38 and below, where they change no result
    any more but slow a matrix product down several times.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


class Nadam:
    """Adam with Nesterov momentum (Dozat 2016) with the schedule of Keras, on (m, parameters)."""

    def __init__(self, weights: Tensor) -> None:
        self._mean = torch.zeros_like(weights)
        self._square = torch.zeros_like(weights)
        self._product, self._steps = 1.0, 0

    def step(self, weights: Tensor, gradient: Tensor) -> None:
        """Move `weights` in place."""
        self._steps += 1
        now, following = (self._momentum(self._steps + k) for k in (0, 1))
        self._product *= now
        self._mean.lerp_(gradient, 1 - _BETA1)
        self._square.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
        root = (self._square / (1 - _BETA2**self._steps)).sqrt_().add_(_EPSILON)
        weights.addcdiv_(gradient, root, value=-LEARNING_RATE * (1 - now) / (1 - self._product))
        ahead = following / (1 - self._product * following)
        weights.addcdiv_(self._mean, root, value=-LEARNING_RATE * ahead)

    def keep(self, rows: Tensor) -> None:
        """Go on with these networks only."""
        self._mean, self._square = self._mean[rows], self._square[rows]

    @staticmethod
    def _momentum(step: int) -> float:
        return float(_BETA1 * (1 - 0.5 * 0.96 ** (step * _DECAY)))


@_subnormals_as_zero()
def train(
    net: PaperNet,
    weights: Tensor,
    trained: Tensor,
    rows: tuple[Rows, Rows],
    *,
    schedule: Schedule,
    random: np.random.Generator,
) -> Trained:
    """Train m networks until each has stopped.

    An epoch has as many steps as the network with most rows needs; one with fewer sees some of its own
    twice.

    Args:
        weights: (m, parameters) to begin with.
        trained: (m, parameters) 1 where weights may change.
        rows: to train on, and to tell when to stop.
    """
    began = time.process_time()
    fit, check = rows
    penalty = L2 * net.mask(dense=False)
    current, optimiser = weights.clone(), Nadam(weights)
    best, best_loss = weights.clone(), torch.full((len(weights),), torch.inf)
    epochs, best_epoch = torch.zeros(len(weights)), torch.zeros(len(weights))
    alive = torch.arange(len(weights))
    for epoch in range(1, schedule.most_epochs + 1):
        for chosen in torch.split(_order(fit.count[alive], random), schedule.batch, dim=1):
            x, y = fit.x[alive[:, None], chosen], fit.y[alive[:, None], chosen]
            gradient = _gradient(net, current, x, y) + 2 * penalty * current
            optimiser.step(current, gradient * trained[alive])
        loss = _loss(net, current, check, alive) + (penalty * current.square()).sum(dim=1)
        better = loss < best_loss[alive]
        best[alive[better]], best_loss[alive[better]] = current[better], loss[better]
        best_epoch[alive[better]] = epoch
        epochs[alive] = epoch
        going = epoch - best_epoch[alive] < schedule.patience
        if not bool(going.all()):
            alive, current = alive[going], current[going]
            optimiser.keep(going)
        if len(alive) == 0:
            break
    taken_s = time.process_time() - began
    return Trained(best, epochs.numpy().astype(np.int64), (epochs / epochs.sum() * taken_s).numpy())


def _gradient(net: PaperNet, weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(m, parameters) of each network's own mean square error."""
    weights = weights.detach().requires_grad_()
    loss = (net(weights, x) - y).square().mean(dim=(1, 2)).sum()
    return torch.autograd.grad(loss, weights)[0]


def _loss(net: PaperNet, weights: Tensor, rows: Rows, alive: Tensor) -> Tensor:
    """(m,) mean square errors."""
    with torch.no_grad():
        square = (net(weights, rows.x[alive]) - rows.y[alive]).square().mean(dim=2)
    counted = torch.arange(square.shape[1]) < rows.count[alive, None]
    return (square * counted).sum(dim=1) / rows.count[alive]


def _order(count: Tensor, random: np.random.Generator) -> Tensor:
    """(m, most rows) every row of each network in random order, some of them again where there are fewer."""
    most = int(count.max())
    keys = torch.from_numpy(random.random((len(count), most), dtype=np.float32))
    place = torch.arange(most)
    keys[place >= count[:, None]] = 2.0
    return keys.argsort(dim=1).gather(1, place % count[:, None])
