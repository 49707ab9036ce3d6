"""Packings: in which order, and as what, a device image holds the weights of a layer. docs/SPEC.md.

"plain" is one output after the other, for portable C and for Cortex-M55. The paired packings are made for
the DSP instructions of Cortex-M4, M7 and M33, which multiply two pairs of 16 bits at once: "int16" is the
fastest, "int8" half as large. "plain4" and "int4" hold dense layers with two weights in a byte, where a
network's weights allow it. Every packing of a model gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from psog.errors import ModelError
from psog.firmware_export import int4, sparse
from psog.firmware_export.limits import MIN_SHIFT
from psog.firmware_export.packings import INT4, PLAIN, LayerPacking, Packing
from psog.net.architecture import KERNEL
from psog.net.arithmetic import DeviceLayer, Int8, Int32

Shape = tuple[int, int, int]
"""(rows, columns, channels) of activations."""

GROUP = 8
"""A paired dense layer reads its input in groups of so many words."""

PAIRED_RANGE = (-128, -128, 127)
"""Zero point, smallest and largest output of a layer that can be paired: those of a ReLU."""

_SMALLEST_MULTIPLIER = (1 << 30, MIN_SHIFT)
"""Does for paired kernels what multiplier 0 does for others: every sum that an image may have becomes 0."""

_Order = NDArray[np.int32]


@dataclass(frozen=True)
class Place:
    """A layer's packing and the shapes before and after it."""

    packing: LayerPacking
    source: Shape
    output: Shape

    @property
    def same(self) -> bool:
        """Whether a convolution has same padding."""
        return self.source[:2] == self.output[:2]


def layer_packings(layers: Sequence[DeviceLayer], packing: Packing) -> list[LayerPacking]:
    """The packing of each layer in an image: pruned convolutions are sparse, those of few channels int16.

    Raises:
        ModelError: a layer that cannot be paired.
    """
    if packing in PLAIN:
        return [packing if packing == "plain4" and int4.pays(layer) else "plain" for layer in layers]
    for index, layer in enumerate(layers):
        if not can_be_paired(layer):
            raise ModelError(
                f"cannot pack layer {index} in pairs: that takes a ReLU with zero point -128, sums that are "
                "scaled by less than a half, and two channels or more of a convolution; pack it plain"
            )
    return [_paired_packing(layer, packing) for layer in layers]


def _paired_packing(layer: DeviceLayer, packing: Packing) -> LayerPacking:
    if layer.kind == "conv" and sparse.pays(layer.weight):
        return "sparse"
    if packing == "int4" and not int4.pays(layer):
        packing = "int8"
    whole = layer.kind == "dense" or packs_as_int8(layer.weight.shape[3])
    return packing if whole else "int16"


def can_be_paired(layer: DeviceLayer) -> bool:
    """Whether the paired kernels compute such a layer, once `for_pairs` has seen to a multiplier of 0."""
    shifts = layer.shift[layer.multiplier != 0]
    return (
        (layer.output_zero, layer.low, layer.high) == PAIRED_RANGE
        and int(shifts.max(initial=-1)) < 0
        and (layer.kind == "dense" or layer.out_channels > 1)
    )


def packs_as_int8(channels: int) -> bool:
    """Whether a convolution of so many input channels does: its weights come six pairs at a time."""
    return _pairs(channels) % 2 == 0


def for_pairs(layer: DeviceLayer) -> DeviceLayer:
    """The layer without a multiplier of 0, which paired kernels do not know; it gives the same outputs."""
    dead = layer.multiplier == 0
    multiplier, shift = _SMALLEST_MULTIPLIER
    return replace(
        layer,
        multiplier=np.where(dead, multiplier, layer.multiplier).astype(np.int32),
        shift=np.where(dead, shift, layer.shift).astype(np.int32),
    )


def paired_requantization(layer: DeviceLayer) -> NDArray[np.int64]:
    """(out, 2) what SMMLAR and a shift take: twice the multiplier less 2^32, and the right shift less 1."""
    return np.stack([2 * layer.multiplier.astype(np.int64) - (1 << 32), -layer.shift - 1], axis=1)


def from_paired_requantization(pairs: NDArray[np.int64]) -> tuple[Int32, Int32] | None:
    """Multipliers and shifts; None if no such pairs are made of any."""
    rest, shift = pairs[:, 0], pairs[:, 1]
    if np.any((rest >= 0) | (rest % 2 != 0) | (shift < 0) | (shift > -MIN_SHIFT - 1)):
        return None
    return ((rest + (1 << 32)) // 2).astype(np.int32), (-shift - 1).astype(np.int32)


def corrections(layer: DeviceLayer) -> NDArray[np.int64]:
    """(out,) what plain kernels, which multiply inputs with their zero point in them, add to each sum."""
    weights = layer.weight.astype(np.int64).reshape(layer.out_channels, -1)
    total: NDArray[np.int64] = -layer.input_zero * weights.sum(axis=1)
    return total


def pack(weight: Int8, place: Place) -> bytes:
    """The weights of a layer as its image has them."""
    if place.packing == "plain":
        return weight.tobytes()
    if place.packing == "sparse":
        return sparse.pack_sparse(weight, place.source[:2], same=place.same)
    order = _order(weight, place)
    if place.packing in INT4:
        return int4.pack_int4(weight, order)
    packed = np.where(order < 0, 0, weight.ravel()[order])
    return packed.astype("<i2" if place.packing == "int16" else "i1").tobytes()


def packed_bytes(weight_shape: tuple[int, ...], place: Place) -> int:
    """How many bytes `pack` gives, if not sparse ones."""
    out = weight_shape[0]
    if place.packing == "plain":
        return math.prod(weight_shape)
    if place.packing == "plain4":
        return int4.factor_bytes(out) + out * int4.plain_row_bytes(weight_shape[1])
    conv = len(weight_shape) == 4
    words = KERNEL**2 * _pairs(weight_shape[3]) if conv else input_words(place, "dense")
    if place.packing == "int4":
        return int4.factor_bytes(out) + out * words
    return out * words * (4 if place.packing == "int16" else 2)


def unpack(data: bytes, weight_shape: tuple[int, ...], place: Place) -> Int8 | None:
    """The weights from `packed_bytes` bytes of an image; None if they are no int8, or padding is not 0."""
    if place.packing == "plain":
        return np.frombuffer(data, "i1").reshape(weight_shape).astype(np.int8)
    if place.packing == "sparse":
        return sparse.unpack_sparse(data, weight_shape, place.source[:2], same=place.same)
    order = _order(np.empty(weight_shape, np.int8), place)
    if place.packing in INT4:
        return int4.unpack_int4(data, weight_shape, order)
    values = np.frombuffer(data, "<i2" if place.packing == "int16" else "i1").astype(np.int32)
    weight = np.zeros(math.prod(weight_shape), np.int32)
    used = order >= 0
    weight[order[used]] = values[used]
    if np.any(values[~used]) or np.any(np.abs(weight + 0.5) > 128):
        return None
    return weight.reshape(weight_shape).astype(np.int8)


def _order(weight: Int8, place: Place) -> _Order:
    """For each value of a paired or int4 layer, which of its weights that is; -1 is a zero."""
    index = np.arange(weight.size, dtype=np.int32).reshape(weight.shape)
    if place.packing == "plain4":
        rows = _padded(index, int4.STRETCH).reshape(len(index), -1, 2, int4.STRETCH // 2)
        return rows.swapaxes(-1, -2).ravel()
    if weight.ndim == 4:
        return _conv_order(index, place.packing)
    return _dense_order(index, place)


def _conv_order(index: _Order, packing: LayerPacking) -> _Order:
    """(out, kernel row, pair of channels, kernel column); int8 takes two such pairs' columns together."""
    out, rows, columns, _ = index.shape
    pairs = _padded(index, 2).reshape(out, rows, columns, -1, 2).swapaxes(2, 3)
    if packing == "int8":
        pairs = _two_by_two(pairs.reshape(out, rows, -1, 2))
    return pairs.ravel()


def _dense_order(index: _Order, place: Place) -> _Order:
    """Four outputs' words in turn, then the outputs that are left, each alone."""
    out = len(index)
    rows, columns, channels = place.source
    if channels > 1:  # as a convolution leaves them: by row, pair of channels, column
        cells = _padded(index.reshape(out, rows, columns, channels), 2)
        index = cells.reshape(out, rows, columns, -1, 2).swapaxes(2, 3).reshape(out, -1)
    words = _padded(index, 2 * GROUP).reshape(out, -1, 2)
    if place.packing != "int16":
        words = _two_by_two(words)
    if place.packing == "int4":  # two such words in one: the lower halves of its bytes, then the upper ones
        words = words.reshape(out, -1, 2, 4).swapaxes(-1, -2).reshape(out, -1, 8)
    whole = out // 4 * 4
    blocks = words[:whole].reshape(whole // 4, 4, *words.shape[1:]).swapaxes(1, 2)
    return np.concatenate([blocks.ravel(), words[whole:].ravel()])


def _two_by_two(pairs: _Order) -> _Order:
    """(…, n, 2) pairs to (…, n/2, 4): both first halves, then both second ones."""
    return pairs.reshape(*pairs.shape[:-2], -1, 2, 2).swapaxes(-1, -2).reshape(*pairs.shape[:-2], -1, 4)


def _padded(index: _Order, multiple: int) -> _Order:
    """With -1 at the end of the last axis."""
    missing = -index.shape[-1] % multiple
    return np.pad(index, [(0, 0)] * (index.ndim - 1) + [(0, missing)], constant_values=-1)


def _pairs(channels: int) -> int:
    return (channels + 1) // 2


def _groups(words: int) -> int:
    return -(-words // GROUP) * GROUP


def input_words(place: Place, kind: str) -> int:
    """32-bit words that are kept for a paired layer's input."""
    rows, columns, channels = place.source
    paired_cells = kind == "dense" and channels == 1
    return _groups(_pairs(rows * columns) if paired_cells else rows * columns * _pairs(channels))


def activation_bytes(kinds: Sequence[str], shapes: Sequence[Shape], packing: Packing) -> int:
    """Working memory of an inference; `shapes` are those before the first layer and after each."""
    return max(
        _layer_bytes(kind, Place(packing, *pair)) for kind, pair in zip(kinds, pairwise(shapes), strict=True)
    )


def _layer_bytes(kind: str, place: Place) -> int:
    if place.packing in PLAIN:
        return math.prod(place.source) + math.prod(place.output)
    return 4 * (input_words(place, kind) + _lead(kind, place))


def _lead(kind: str, place: Place) -> int:
    """By how many words a paired layer's output must be ahead of its input (runtime/layer.c)."""
    rows, columns, channels = place.output
    out_row = columns * _pairs(channels)
    outputs = rows * out_row
    kept = _groups(outputs)
    if kind == "dense":
        return kept
    in_row = place.source[1] * _pairs(place.source[2])
    first = min(int(place.same), rows - 1)
    passed = (rows - 1 - first) * in_row
    return max((first + 1) * out_row, outputs - passed) + kept - outputs
