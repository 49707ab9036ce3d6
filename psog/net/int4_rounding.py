"""A trained network with weights of four bits in its large layers, without training it further.

Each weight's rounding is made up for by those not yet rounded and by the bias, as far as the inputs that a
layer sees go together: what it gives on them changes least.

Source: GPTQ (Frantar et al., ICLR 2023), after optimal brain surgeon (Hassibi and Stork 1993). The choice of
factors and the bias as a last weight that stays are this project's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from psog.net.arithmetic import to_bias
from psog.net.int4 import MOST, candidate_factors
from psog.net.integer import IntegerNet, Layer

WORTH = 0.25
"""Share of a network's weights from which on a layer is rounded. Half of its bytes go, an eighth of all
weights'; smaller layers cost about as much accuracy for less (docs/precision.md)."""

_DAMPING = 1e-3
"""Of the mean square input, added to each: a weak value; GPTQ takes 1e-2."""

Float = NDArray[np.float64]


def large_layers(net: IntegerNet) -> list[int]:
    """Indices of the dense layers that hold a quarter of the weights or more."""
    total = sum(layer.weight.size for layer in net.layers)
    return [
        index
        for index, layer in enumerate(net.layers)
        if layer.kind == "dense" and layer.weight.size >= WORTH * total
    ]


def to_nearest(net: IntegerNet, layers: Collection[int]) -> IntegerNet:
    """The network with each weight of some dense layers rounded by itself."""

    def nearest(layer: Layer) -> Layer:
        weight = layer.weight.astype(np.float64)
        tried = [_round(weight, factors) for factors in candidate_factors(layer.weight)]
        cost = np.stack([np.square(one - weight).sum(axis=1) for one in tried])
        return replace(layer, weight=_best(tried, cost).astype(np.int8))

    return replace(net, layers=tuple(nearest(x) if i in layers else x for i, x in enumerate(net.layers)))


def to_int4(net: IntegerNet, layers: Collection[int], wire: NDArray[np.uint16]) -> IntegerNet:
    """The network with the weights of some dense layers rounded together, and their biases set to it.

    Args:
        wire: (n, sensors) readings as in use, some thousand of many users.
    """
    x, made = net.input(wire), []
    for index, layer in enumerate(net.layers):
        made.append(_together(layer, x) if index in layers else layer)
        x = made[-1](x)
    return replace(net, layers=tuple(made))


def _together(layer: Layer, x: NDArray[np.int8]) -> Layer:
    """A dense layer that gives nearly the same on inputs (n, …)."""
    inputs = x.reshape(len(x), -1).astype(np.float64) - layer.input.zero_point
    one = np.sqrt(np.square(inputs).mean())  # what the bias is multiplied by: as large as an input
    order = np.argsort(-np.square(inputs).sum(axis=0), kind="stable")  # the largest are rounded first
    seen = np.concatenate([inputs[:, order], np.full((len(x), 1), one)], axis=1)
    moments = seen.T @ seen / len(seen)
    moments += _DAMPING * one**2 * np.eye(len(moments))
    carried = np.linalg.cholesky(np.linalg.inv(moments)).T
    weight = layer.weight[:, order].astype(np.float64)
    tried = [_carried_on(weight, factors, carried) for factors in candidate_factors(layer.weight)]
    whole = np.pad(weight, ((0, 0), (0, 1)))
    changes = np.stack(tried) - whole
    found = _best(tried, np.einsum("coi,ij,coj->co", changes, moments, changes, optimize=True))
    back = np.argsort(order)
    return replace(
        layer,
        weight=found[:, back].astype(np.int8),
        bias=to_bias(layer.bias + found[:, -1] * one),
    )


def _carried_on(weight: Float, factors: Float, carried: Float) -> Float:
    """(out, inputs + 1) weights rounded one input after the other, each error carried on to the rest; last
    what the bias changes by."""
    left = np.pad(weight, ((0, 0), (0, 1)))
    for column in range(weight.shape[1]):
        rounded = _round(left[:, column], factors)
        error = (left[:, column] - rounded) / carried[column, column]
        left[:, column] = rounded
        left[:, column + 1 :] -= error[:, None] * carried[column, column + 1 :]
    return left


def _round(weight: Float, factors: Float) -> Float:
    """(out, …) to whole multiples of each output's factor."""
    step = factors.reshape(-1, *[1] * (weight.ndim - 1))
    rounded: Float = np.clip(np.rint(weight / step), -MOST, MOST) * step
    return rounded


def _best(tried: list[Float], cost: Float) -> Float:
    """Of each output the one that costs least; cost: (candidates, out)."""
    found: Float = np.stack(tried)[cost.argmin(axis=0), np.arange(cost.shape[1])]
    return found
