"""Pruning inside training: whole 3×3 kernels go, and those that stay keep four of their nine weights.

One run has three phases. It begins dense. At one step, the gradients that step has anyway tell how much each
weight matters, (w · g)²: kernels with the smallest sum are to be removed, and each other kernel gets the
pattern of four entries that keeps most of its sum. Until the removal a group lasso draws what is to go
towards zero, one group for each kernel to be removed and one for the five other weights of each that stays.
Then hard masks hold it at zero in every step, through quantization too, so that a removed weight is int8 0 in
every file made from the network.

A kernel is the nine weights between one input and one output channel. Convolutions of a single input channel
stay whole: to remove a kernel there is to remove a channel.

Source: ClickTrain, Zhang et al., ICS 2021. There the lasso is a term of the loss. Here it is its proximal
step (Yuan & Lin 2006) after each step of the optimiser, because that one (psog.net.soap) scales gradients
until a penalty among them would lose its strength.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from psog.errors import ModelError
from psog.net.patterns import POOL_NAMES, TAPS, PoolName, best_masks, pool_named
from psog.net.qat import GazeNet
from psog.net.quantized_layer import QuantizedLayer


@dataclass(frozen=True)
class Pruning:
    """What to prune, and when.

    Attributes:
        keep: share of the kernels that stay in each convolution of more than one input channel, above 0 and
            at most 1; with 1 only patterns are applied.
        patterns: the pool of psog.net.patterns that kernels keep one pattern of.
        select_at: share of the run after which it is decided what goes.
        remove_at: share of the run after which that is gone.
        lasso: strength of the group lasso, in steps of the optimiser: without a gradient against it, a
            weight to be removed comes this much of a step closer to zero with every step. 0 switches it off.
    """

    keep: float = 0.25
    patterns: PoolName = "4"
    select_at: float = 0.1
    remove_at: float = 0.3
    lasso: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise ModelError(
                f"pruning keeps a share of {self.keep:g} of the kernels; expected above 0 and at most 1, "
                "such as 0.25"
            )
        if self.patterns not in POOL_NAMES:
            raise ModelError(
                f"no pool of patterns {self.patterns!r}; expected one of {', '.join(POOL_NAMES)}"
            )
        if not 0 <= self.select_at <= self.remove_at < 1:
            raise ModelError(
                f"pruning selects at {self.select_at:g} and removes at {self.remove_at:g} of the run; "
                "expected shares in rising order, below 1"
            )
        if not 0 <= self.lasso < math.inf:
            raise ModelError(f"strength of the group lasso is {self.lasso:g}; expected 0 or more")


class Pruner:
    """Keeps a network's masks during a run, and makes them when the time has come.

    All it knows lies in the network's buffers (`mask`, `hard`), so a run that goes on from those goes on
    with the same masks.

    Args:
        plan: None for a run that only holds the masks the network already has.
    """

    def __init__(self, net: GazeNet, plan: Pruning | None) -> None:
        self._layers = prunable_layers(net)
        self._plan = plan

    def before_update(self, fraction: float) -> None:
        """With this step's gradients at hand: select if it is time, and stop gradients of what is gone."""
        plan = self._plan
        if plan is not None and fraction >= plan.select_at and not self._selected():
            self._select(plan)
        if plan is not None and fraction >= plan.remove_at:
            for layer in self._layers:
                layer.hard.fill_(True)
        for layer in self._layers:
            if layer.hard and layer.weight.grad is not None:
                layer.weight.grad.mul_(layer.mask)

    @torch.no_grad()
    def after_update(self, rate: float) -> None:
        """After the optimiser moved the weights with this learning rate: shrink what is to go, or zero it."""
        for layer in self._layers:
            if layer.hard:
                layer.weight.mul_(layer.mask)
            elif self._plan is not None and self._selected():
                shrink(layer, rate * self._plan.lasso)

    def _selected(self) -> bool:
        return any(bool((layer.mask == 0).any()) for layer in self._layers)

    def _select(self, plan: Pruning) -> None:
        importance = [_importance(layer) for layer in self._layers]
        kept = [most_important(each, plan.keep) for each in importance]
        pool = pool_named(plan.patterns, torch.cat([e[k] for e, k in zip(importance, kept, strict=True)]))
        for layer, each, of_layer in zip(self._layers, importance, kept, strict=True):
            masks = best_masks(each.flatten(0, 1), pool).reshape(each.shape) * of_layer[..., None]
            layer.mask.copy_(from_kernels(masks))


def prunable_layers(net: GazeNet) -> list[QuantizedLayer]:
    """The convolutions behind another one: the first sees nothing but the input planes."""
    layers = [layer for layer in net.layers if isinstance(layer, QuantizedLayer)]
    return [layer for layer in layers[1:] if layer.kind == "conv"]


def most_important(importance: Tensor, keep: float) -> Tensor:
    """(out, in) whether a kernel of (out, in, 9) stays: the largest sums, at least one kernel."""
    score = importance.sum(dim=-1)
    count = max(1, round(keep * score.numel()))
    stays = torch.zeros(score.numel(), dtype=torch.bool, device=score.device)
    stays[score.flatten().topk(count).indices] = True
    return stays.reshape(score.shape)


def shrink(layer: QuantizedLayer, threshold: float) -> None:
    """One proximal step of the group lasso on the weights that the mask leaves out.

    The norm of each group falls by `threshold` · √(its size), to zero at least.
    """
    outside = 1 - to_kernels(layer.mask)
    weight = to_kernels(layer.weight)
    norm = (weight * outside).norm(dim=-1, keepdim=True)
    fall = threshold * outside.sum(dim=-1, keepdim=True).sqrt()
    left = (1 - fall / norm.clamp(min=torch.finfo(norm.dtype).tiny)).clamp(min=0)
    layer.weight.copy_(from_kernels(weight * torch.where(outside > 0, left, 1.0)))


def hold(layer: QuantizedLayer, mask: Tensor) -> None:
    """Zero the weights where the (out, inputs) mask is zero, now and in every run from now on."""
    layer.mask.copy_(mask)
    layer.hard.fill_(True)
    with torch.no_grad():
        layer.weight.mul_(layer.mask)


def to_kernels(weight: Tensor) -> Tensor:
    """(out, 9 · in) as a convolution stores them to (out, in, 9)."""
    return weight.reshape(len(weight), TAPS, -1).transpose(1, 2)


def from_kernels(kernels: Tensor) -> Tensor:
    """(out, in, 9) to (out, 9 · in)."""
    return kernels.transpose(1, 2).flatten(1)


def _importance(layer: QuantizedLayer) -> Tensor:
    """(out, in, 9) (w · g)² of each weight: the change of the loss without it, to first order, squared."""
    assert layer.weight.grad is not None
    return to_kernels((layer.weight.detach() * layer.weight.grad).square())
