"""Sparse packing of a pruned convolution for paired kernels: only the weights that are left. docs/SPEC.md.

A step is one kernel row and pair of input channels: two or three pairs of int16 weights, and how far its
inputs lie behind those of the step before. An image has a list of steps for each set of kernel rows that can
lie inside the input, so that kernels need not ask.
"""

from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from psog.net.architecture import KERNEL
from psog.net.arithmetic import Int8

_KERNEL_ROWS = ((0, 1, 2), (1, 2), (0, 1), (1,))
"""By reach: inside the grid, at its top, at its bottom, of a grid of a single row."""

_HEADER = struct.Struct("<5I")
SPARSE_HEADER_BYTES = _HEADER.size
_ADVANCE = 12
_MOST_STEPS = 255
_TWO, _THREE = 15, 19
"""Instructions of a step in a row of five outputs; a dense step costs _DENSE, a list _LIST."""
_DENSE, _LIST = 17, 10

_KINDS = ((0, 1), (1, 2), (0, 1, 2))
"""Kernel columns of a step, by its kind."""


def pays(weight: Int8) -> bool:
    """Whether a convolution is faster sparse than dense.

    Args:
        weight: (out, 3, 3, in).
    """
    kinds = _kinds(_pairs(weight))
    steps = [(kinds == kind).sum() for kind in range(len(_KINDS))]
    cost = _TWO * (steps[0] + steps[1]) + _THREE * steps[2] + _LIST * len(weight)
    most = max(int((kinds == kind).sum(axis=(1, 2)).max()) for kind in range(len(_KINDS)))
    return bool(cost < _DENSE * kinds.size) and most <= _MOST_STEPS


def pack_sparse(weight: Int8, grid: tuple[int, int], *, same: bool) -> bytes:
    """The lists of a convolution.

    Args:
        weight: (out, 3, 3, in).
        grid: rows and columns of its input.
        same: whether its padding is.
    """
    content, begins = bytearray(), [0] * len(_KERNEL_ROWS)
    for reach in _reaches(grid[0], same=same):
        begins[reach] = _HEADER.size + len(content)
        content += _list(_pairs(weight)[:, list(_KERNEL_ROWS[reach])], grid[1])
    return _HEADER.pack(_HEADER.size + len(content), *begins) + bytes(content)


def sparse_bytes(data: bytes) -> int:
    """How long lists are that begin here."""
    return int(_HEADER.unpack_from(data)[0])


def unpack_sparse(data: bytes, shape: tuple[int, ...], grid: tuple[int, int], *, same: bool) -> Int8 | None:
    """The (out, 3, 3, in) weights; None if `pack_sparse` would not make these bytes of any.

    Of a grid of a single row, only the middle kernel row is known; the others meet nothing.
    """
    out, _, _, channels = shape
    pairs = np.zeros((out, KERNEL, (channels + 1) // 2, KERNEL, 2), np.int64)
    begins = _HEADER.unpack_from(data)[1:]
    for reach in _reaches(grid[0], same=same):
        rows = _KERNEL_ROWS[reach]
        try:
            pairs[:, list(rows)] = _from_list(data[begins[reach] :], pairs[:, list(rows)].shape, grid[1])
        except (struct.error, IndexError, ValueError):
            return None
    weight = pairs.swapaxes(2, 3).reshape(out, KERNEL, KERNEL, -1)[..., :channels]
    if np.any(np.abs(weight + 0.5) > 128):
        return None
    found = weight.astype(np.int8)
    return found if pack_sparse(found, grid, same=same) == data else None


def _reaches(rows: int, *, same: bool) -> tuple[int, ...]:
    """Those that occur, as _KERNEL_ROWS numbers them, in the order of an image."""
    if not same:
        return (0,)
    return {1: (3,), 2: (1, 2)}.get(rows, (0, 1, 2))


def _pairs(weight: Int8) -> NDArray[np.int64]:
    """(out, kernel row, pair of channels, kernel column, 2)."""
    out, rows, columns, channels = weight.shape
    even = np.pad(weight.astype(np.int64), ((0, 0), (0, 0), (0, 0), (0, channels % 2)))
    return even.reshape(out, rows, columns, -1, 2).swapaxes(2, 3)


def _kinds(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """(…) the kind of each step of (…, kernel column, 2); -1 where there is none."""
    used = np.asarray((pairs != 0).any(axis=-1))
    kinds = np.where(~used[..., 2], 0, np.where(~used[..., 0], 1, 2))
    return np.where(used.any(axis=-1), kinds, -1)


def _list(pairs: NDArray[np.int64], columns: int) -> bytes:
    """For each output: how many steps there are of each kind, and the steps."""
    content = bytearray()
    every_step = pairs.reshape(len(pairs), -1, KERNEL, 2)
    for steps, kinds in zip(every_step, _kinds(every_step), strict=True):
        order = np.concatenate([np.flatnonzero(kinds == kind) for kind in range(len(_KINDS))])
        content += bytes(int((kinds == kind).sum()) for kind in range(len(_KINDS))) + b"\0"
        places = np.concatenate([[0], 4 * columns * order])
        ways = [after - before - _ADVANCE * (k > 0) for k, (before, after) in enumerate(pairwise(places))]
        for step, way in zip(order, ways, strict=True):
            weights = steps[step][list(_KINDS[kinds[step]])]
            content += weights.astype("<i2").tobytes() + struct.pack("<i", way)
    return bytes(content)


def _from_list(data: bytes, shape: tuple[int, ...], columns: int) -> NDArray[np.int64]:
    """(out, kernel rows, pairs of channels, kernel column, 2) from the list that begins here.

    Raises:
        struct.error, IndexError, ValueError: it is none.
    """
    found = np.zeros((shape[0], shape[1] * shape[2], KERNEL, 2), np.int64)
    at = 0
    for steps in found:
        place = 0
        counts = struct.unpack_from("<3B", data, at)
        at += 4
        for kind, count in zip(_KINDS, counts, strict=True):
            for _ in range(count):
                *weights, way = struct.unpack_from(f"<{2 * len(kind)}hi", data, at)
                at += 4 * len(kind) + 4
                place += way
                steps[place // (4 * columns), list(kind)] = np.reshape(weights, (-1, 2))
                place += _ADVANCE
    return found.reshape(shape)
