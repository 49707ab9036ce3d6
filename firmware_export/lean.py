"""What one model needs of the runtime: a build that holds no more is a third of the size.

firmware/runtime/holds.h says what the definitions leave out, docs/budgets.md how to build with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psog.firmware_export.image_format import LayerEntry, layer_entries, told_sizes
from psog.firmware_export.packings import LAYER_PACKINGS

HEADER = "psog_lean.h"
"""Of an export: the definitions as a header."""

TILES = ("row of 5", "3 of 5", "middle", "right", "left", "right of 8", "left of 8", "other")
"""What the rows of a paired convolution are cut into, by bit (enum psog_tile_kind)."""
_CONVOLUTION, _SAME, _PLAIN = 0, 1, (0, 5)
_TILE, _WHOLE_ROW = 4, 5


@dataclass(frozen=True)
class Lean:
    """What a build holds.

    Attributes:
        convolutions, dense_layers: packings of the two kinds of layers, bits by number in LAYER_PACKINGS.
        tiles: of paired convolutions, bits by number in TILES.
        second_plane, embedding: whether the input has one, and whether the network is told who looks.
    """

    convolutions: int
    dense_layers: int
    tiles: int
    second_plane: bool
    embedding: bool

    def definitions(self) -> tuple[str, ...]:
        """Flags for the compiler."""
        return tuple(f"-D{name}={value}" for name, value, _ in self._macros())

    def header(self, model: str) -> str:
        """The same as a header, for `-include`. model: what it is told to be for."""
        lines = [f"/* The runtime for {model} and no other; psog export. Compile every file of it with"]
        lines += [f" * -include {HEADER}. */"]
        lines += [f"#define {name} {value} /* {told} */" for name, value, told in self._macros()]
        return "\n".join([*lines, ""])

    def _macros(self) -> list[tuple[str, str, str]]:
        """Name, value, and what the value says."""
        return [
            ("PSOG_CONVOLUTIONS", f"{self.convolutions:#x}u", _told(self.convolutions, LAYER_PACKINGS)),
            ("PSOG_DENSE_LAYERS", f"{self.dense_layers:#x}u", _told(self.dense_layers, LAYER_PACKINGS)),
            ("PSOG_TILES", f"{self.tiles:#x}u", _told(self.tiles, TILES)),
            ("PSOG_HAS_SECOND_PLANE", str(int(self.second_plane)), "of the input"),
            ("PSOG_HAS_EMBEDDING", str(int(self.embedding)), "of the user"),
        ]


def lean_for(image: bytes) -> Lean:
    """What a sound image needs."""
    entries = layer_entries(image)
    convolutions = [entry for entry in entries if entry.kind == _CONVOLUTION]
    dense = [entry for entry in entries if entry.kind != _CONVOLUTION]
    tiles = {tile for entry in convolutions if entry.packing not in _PLAIN for tile in _tiles(entry)}
    return Lean(
        convolutions=_bits({entry.packing for entry in convolutions}),
        dense_layers=_bits({entry.packing for entry in dense}),
        tiles=_bits(tiles),
        second_plane=entries[0].in_channels > 1,
        embedding=told_sizes(image)[0] > 0,
    )


def _tiles(entry: LayerEntry) -> Iterator[int]:
    """As kernels_paired.c cuts a row of outputs: the tiles' places in TILES."""
    border = entry.padding == _SAME
    columns = entry.columns if border else entry.columns - 2
    outputs = _WHOLE_ROW if border and entry.columns == _WHOLE_ROW else min(columns, _TILE)
    column = 0
    while True:
        end = column + outputs
        left, right = border and column == 0, border and end == columns
        yield _tile(outputs, left, outputs + 2 - left - right, entry.columns)
        if end == columns:
            return
        column = min(end, columns - outputs)


def _tile(outputs: int, left: bool, inputs: int, columns: int) -> int:
    """The loop for so many outputs, of which the first may have no input to its left."""
    if outputs == _WHOLE_ROW:
        return TILES.index("row of 5")
    if outputs == _TILE and inputs == _TILE + 2:
        return TILES.index("middle")
    if outputs == _TILE and inputs == _TILE + 1:
        return TILES.index(("left" if left else "right") + (" of 8" if columns == 8 else ""))
    if outputs == _TILE - 1 and inputs == columns == _WHOLE_ROW:
        return TILES.index("3 of 5")
    return TILES.index("other")


def _bits(numbers: set[int]) -> int:
    return sum(1 << number for number in numbers)


def _told(bits: int, names: tuple[str, ...]) -> str:
    return ", ".join(name for number, name in enumerate(names) if bits >> number & 1) or "none"
