"""How often each loop of the runtime turns for a network: what its instructions are made of.

Follows kernels_paired.c and its neighbour for dense layers, kernels_armv7em.S, kernels_plain.c and
kernels_mve.c below firmware_export/firmware.
What one turn costs is not written here; psog.search.instructions finds it out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from psog.firmware_export.packing import GROUP
from psog.firmware_export.toolchain import board_target
from psog.headset import Headset
from psog.net.architecture import KERNEL
from psog.search.space import Candidate

Core = Literal["paired", "plain", "vectors"]
"""Kernels of cores with DSP instructions (M4, M33), in plain C (M3), and with MVE (M55)."""

Loops = Mapping[str, float]
"""Turns, by loop; not whole where they are expected ones of a pruned convolution."""

_Turns = Iterator[tuple[str, float]]
_TILE, _WHOLE_ROW = 4, 5
_TILES = {(5, 1, 5, 5), (3, 0, 5, 5), (4, 1, 5, 0), (4, 0, 6, 0), (4, 0, 5, 0)}
"""(outputs, left, inputs, columns) that kernels_armv7em.S has a loop for; 0 is any number of columns."""
_LANES, _VECTOR = 4, 16


@dataclass(frozen=True)
class Place:
    """A layer between the shapes of what goes in and out, (rows, columns, channels)."""

    kind: Literal["conv", "dense"]
    source: tuple[int, int, int]
    output: tuple[int, int, int]
    keep: float

    @property
    def same(self) -> bool:
        return self.source[:2] == self.output[:2]


def core_of(board: str) -> Core:
    """Which kernels run on an emulated board in its fastest packing."""
    target = board_target(board).target
    if target.packings[0] != "plain":
        return "paired"
    return "vectors" if target.has_own_kernels else "plain"


def loops_of(candidate: Candidate, headset: Headset, core: Core) -> Loops:
    """The loops of one inference, normalisation and head included."""
    found: dict[str, float] = defaultdict(float)
    for name, turns in _all(candidate, headset, core):
        found[name] += turns
    return dict(found)


def _all(candidate: Candidate, headset: Headset, core: Core) -> _Turns:
    architecture = candidate.architecture
    yield "once", 1
    yield f"readings, {architecture.planes} planes", headset.sensor_count
    yield f"cells, {architecture.planes} planes", headset.grid.size
    yield "features", architecture.features
    for place in places(candidate, headset):
        yield place.kind, 1
        yield from {"paired": _paired, "plain": _plain, "vectors": _vectors}[core](place)


def places(candidate: Candidate, headset: Headset) -> Iterator[Place]:
    """The layers from the first to that of the features."""
    architecture = candidate.architecture
    shape = (headset.grid.shape[0], headset.grid.shape[1], architecture.planes)
    for number, convolution in enumerate(architecture.convolutions):
        lost = 0 if convolution.padding == "same" else KERNEL - 1
        after = (shape[0] - lost, shape[1] - lost, convolution.channels)
        yield Place("conv", shape, after, candidate.keep if number else 1.0)
        shape = after
    for width in (*architecture.dense, architecture.features):
        yield Place("dense", shape, (1, 1, width), 1.0)
        shape = (1, 1, width)


def weights_and_products(candidate: Candidate, headset: Headset) -> tuple[int, int]:
    """Weights of the layers, and multiply-accumulates of one inference without the head; pruning apart."""
    weights = products = 0
    for place in places(candidate, headset):
        rows, columns, channels = place.source
        inputs = KERNEL**2 * channels if place.kind == "conv" else rows * columns * channels
        weights += inputs * place.output[2]
        products += inputs * place.output[2] * place.output[0] * place.output[1]
    return weights, products


def _paired(place: Place) -> _Turns:
    rows, columns, channels = place.source
    out = place.output[2]
    if place.kind == "dense":
        cells = rows * columns
        flat = cells == 1 or channels == 1
        words = _up(cells * channels, 2) if flat else cells * _up(channels, 2)
        blocks, singles = divmod(out, _LANES)
        yield "blocks", blocks
        yield "singles", singles
        yield "block words", blocks * _up(words, GROUP)
        yield "single words", singles * _up(words, GROUP)
        return
    steps = sparse_steps(place)
    for kernel_rows in _kernel_rows(place):
        yield "rows", 1
        for tile in _tiles(place):
            yield f"tiles {tile}", 1
            yield f"tile channels {tile}", out
            if steps is None:
                yield f"tile turns {tile}", out * kernel_rows * _up(channels, 2)
            else:
                yield f"sparse channels {tile}", out
                yield f"sparse turns {tile}", sum(steps[:kernel_rows])  # above and below cost the same


def sparse_steps(place: Place) -> tuple[float, float, float] | None:
    """Expected steps of a pruned convolution: of the middle kernel row and each other; None if dense.

    Of `keep` kernels, each has its four weights in a 2×2 square about the centre: in the middle row always,
    above or below with even chance. A step is a kernel row and pair of input channels that has a weight.
    """
    if place.keep >= _PAYS_BELOW:
        return None
    lists = place.output[2] * _up(place.source[2], 2)
    middle, outer = (lists * (1 - (1 - share) ** 2) for share in (place.keep, place.keep / 2))
    return middle, outer, outer


_PAYS_BELOW = 0.8
"""Share of kernels above which lists of weights are no faster (psog.firmware_export.sparse.pays)."""


def _tiles(place: Place) -> Iterator[str]:
    """The tiles of a row of outputs by what they cost: a loop's name, or "c" and the outputs it has."""
    border = place.same
    columns, out_columns = place.source[1], place.output[1]
    column = 0
    while column < out_columns:
        outputs = min(out_columns, _TILE)
        if border and columns == _WHOLE_ROW:
            outputs = _WHOLE_ROW
        left = int(border and column == 0)
        right = int(border and column + outputs == out_columns)
        inputs = outputs + 2 - left - right
        known = {(outputs, left, inputs, columns), (outputs, left, inputs, 0)} & _TILES
        yield f"{outputs}/{inputs}" if known else f"c{outputs}"
        column += outputs
        if out_columns - _TILE < column < out_columns:
            column = out_columns - _TILE


def _kernel_rows(place: Place) -> Iterator[int]:
    """For each row of outputs, kernel rows that lie inside the input."""
    rows, out_rows = place.source[0], place.output[0]
    for row in range(out_rows):
        yield KERNEL - (place.same and row == 0) - (place.same and row == rows - 1)


def _plain(place: Place) -> _Turns:
    rows, columns, channels = place.source
    out_rows, out_columns, out = place.output
    if place.kind == "dense":
        yield "outputs", out
        yield "products", out * rows * columns * channels
        return
    outputs = out_rows * out_columns * out
    inside = sum(_kernel_rows(place)) * (out_columns * KERNEL - 2 * place.same) * out
    outside = KERNEL**2 * outputs - inside
    yield "pixels", out_rows * out_columns
    yield "windows", outputs
    yield "taps inside", inside
    yield "taps outside", outside
    yield "products inside", inside * channels
    yield "products outside", outside * channels


def _vectors(place: Place) -> _Turns:
    rows, columns, channels = place.source
    out_rows, out_columns, out = place.output
    blocks = _up(out, _LANES)
    if place.kind == "dense":
        yield "dense blocks", blocks
        yield "dense vectors", blocks * _up(rows * columns * channels, _VECTOR)
        return
    pixels, taps = out_rows * out_columns, KERNEL**2 * channels
    few = taps <= 2 * _VECTOR
    kind = "few" if few else "many"
    yield kind, 1
    yield f"{kind} blocks", blocks
    yield f"{kind} outputs", pixels * blocks
    yield f"{kind} turns", pixels * blocks * (_up(taps, _VECTOR) if few else KERNEL * _up(3 * channels, 8))
    yield f"{kind} pixels", pixels


def _up(count: int, size: int) -> int:
    return -(-count // size)
