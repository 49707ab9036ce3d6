"""Dense layers with two weights in a byte: what the int4 packings of a device image hold. docs/SPEC.md.

First a factor for each output, u8, filled up to whole words; then the multiples, −8 … 7, of the weights in
the order of the packing, the first of two in the lower half of its byte.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.net.arithmetic import DeviceLayer, Int8
from psog.net.int4 import int4_factors

STRETCH = 32
"""Inputs whose weights a plain4 layer holds in 16 bytes: those of the first half below those of the other."""

_MOST_FACTOR = 127


def pays(layer: DeviceLayer) -> bool:
    """Whether four bits hold a dense layer's weights, and in fewer bytes than eight do, in either packing."""
    if layer.kind != "dense" or plain_row_bytes(layer.weight.shape[1]) >= layer.weight.shape[1] - 4:
        return False
    return int4_factors(layer.weight) is not None


def factor_bytes(outputs: int) -> int:
    """Of the factors, in front of the weights."""
    return outputs + -outputs % 4


def plain_row_bytes(inputs: int) -> int:
    """Of an output's weights in a plain4 layer."""
    return STRETCH // 2 * -(-inputs // STRETCH)


def pack_int4(weight: Int8, order: NDArray[np.int32]) -> bytes:
    """The bytes of a layer.

    Args:
        weight: (out, inputs) of which `int4_factors` knows factors.
        order: which weight each half of a byte holds, −1 for none, its lower half first.
    """
    factors = int4_factors(weight)
    assert factors is not None
    multiples = (weight // factors[:, None]).astype(np.int64)
    halves = np.where(order < 0, 0, multiples.ravel()[order]) & 0xF
    packed = (halves[0::2] | halves[1::2] << 4).astype("u1")
    return factors.astype("u1").tobytes().ljust(factor_bytes(len(weight)), b"\0") + packed.tobytes()


def unpack_int4(data: bytes, shape: tuple[int, ...], order: NDArray[np.int32]) -> Int8 | None:
    """The (out, inputs) weights; None if they are no int8, or a half that belongs to none is not 0."""
    begin = factor_bytes(shape[0])
    factors = np.frombuffer(data[: shape[0]], "u1").astype(np.int32)
    packed = np.frombuffer(data[begin:], "u1").astype(np.int32)
    halves = np.stack([packed & 0xF, packed >> 4], axis=1).ravel()
    multiples = (halves ^ 8) - 8
    used = order >= 0
    found = np.zeros(shape, np.int32)
    found.ravel()[order[used]] = multiples[used]
    weight = found * factors[:, None]
    if multiples[~used].any() or any(data[shape[0] : begin]) or np.any(np.abs(weight + 0.5) > 128):
        return None
    return weight.astype(np.int8)
