"""What an ELF file wants to have in memory. Source: System V ABI, chapters 4 and 5; Arm's AAELF32."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import NamedTuple

from psog.errors import ToolchainError

_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_PROGRAM = struct.Struct("<8I")
_MAGIC = b"\x7fELF\x01\x01\x01"  # 32 bits, little-endian, version 1
_MACHINE_ARM = 40
_LOAD = 1
_MOST_ROWS = 64


class Segment(NamedTuple):
    """Bytes and where they lie in flash."""

    address: int
    data: bytes


def read_segments(path: Path) -> list[Segment]:
    """The segments that have content, where they are loaded, in order of their addresses.

    Raises:
        ToolchainError: not an ELF file for an Arm core, damaged, or with overlapping segments.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ToolchainError(f"cannot read the firmware {path}: {error.strerror}") from error
    try:
        segments = sorted(_segments(content))
    except (struct.error, ValueError) as error:
        raise ToolchainError(
            f"{path.name} is no firmware: {error}; expected an ELF file for an Arm core; build it again"
        ) from error
    for one, next_ in itertools.pairwise(segments):
        if one.address + len(one.data) > next_.address:
            raise ToolchainError(f"{path.name} has two segments at {next_.address:#010x}; build it again")
    return segments


def _segments(content: bytes) -> list[Segment]:
    ident, _, machine, _, _, table_at, _, _, _, row_bytes, rows, *_ = _HEADER.unpack_from(content)
    if not ident.startswith(_MAGIC) or machine != _MACHINE_ARM:
        raise ValueError("it has another header")
    if rows > _MOST_ROWS:
        raise ValueError(f"it has {rows} segments")
    segments = []
    for row in range(rows):
        kind, at, _, address, size, *_ = _PROGRAM.unpack_from(content, table_at + row * row_bytes)
        if kind == _LOAD and size > 0:
            if at + size > len(content):
                raise ValueError(f"it ends before its segment at {address:#010x} does")
            segments.append(Segment(address, content[at : at + size]))
    if not segments:
        raise ValueError("it holds nothing to load")
    return segments
