"""Writing a program through a debug port: what goes where, what must be erased, and whether it is there.

What decides here is the same for a probe on a part and for QEMU, so that it is tested without a part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from psog.errors import ProbeError
from psog.firmware_export.silicon import Sector, Silicon
from psog.probe.elf import Segment
from psog.probe.port import DebugPort

Did = Literal["kept", "programmed", "erased and programmed"]
Watch = Callable[[str, Sector], None]
"""Told what is being done ("read", "erase", "program", "verify") to which sector."""


class SectorPlan(NamedTuple):
    """A sector and what it is to hold, all of it; `used` bytes of that are the program's."""

    sector: Sector
    content: bytes
    used: int


def plan(segments: Sequence[Segment], part: Silicon) -> list[SectorPlan]:
    """Which sectors of a part a program fills, and with what; the rest of them is erased.

    Raises:
        ProbeError: the program does not fit into the part's sectors for programs.
    """
    planned = []
    for sector in part.program:
        content = bytearray((part.erased,)) * sector.size
        used = 0
        for address, data in segments:
            start = max(address, sector.start)
            end = min(address + len(data), sector.start + sector.size)
            if start < end:
                content[start - sector.start : end - sector.start] = data[start - address : end - address]
                used += end - start
        if used:
            planned.append(SectorPlan(sector, bytes(content), used))
    _check_fits(segments, planned, part)
    return planned


def write_program(
    port: DebugPort, planned: Sequence[SectorPlan], part: Silicon, watch: Watch | None = None
) -> dict[Sector, Did]:
    """Bring a part's sectors to what was planned, verify all of them, and run the program.

    A sector that holds it already is kept, one that is blank is only programmed. No other is touched.

    Raises:
        ProbeError: another part than expected, or what is read is not what was written; the core is then
            left halted, so that half a program does not run.
    """
    tell = watch or (lambda _what, _sector: None)
    port.halt()
    _check_identity(port, part)
    did: dict[Sector, Did] = {}
    for sector, content, _ in planned:
        did[sector] = _write_sector(port, sector, content, part, tell)
    for sector, content, _ in planned:
        tell("verify", sector)
        _check_same(port, sector, content, "programmed")
    port.run()
    return did


def _write_sector(port: DebugPort, sector: Sector, content: bytes, part: Silicon, tell: Watch) -> Did:
    tell("read", sector)
    present = port.read(sector.start, sector.size)
    if present == content:
        return "kept"
    blank = bytes((part.erased,)) * sector.size
    did: Did = "programmed"
    if present != blank:
        tell("erase", sector)
        port.erase(sector)
        _check_same(port, sector, blank, "erased")
        did = "erased and programmed"
    tell("program", sector)
    first, last = _extent(content, part)
    port.program(sector.start + first, content[first:last])
    return did


def _extent(content: bytes, part: Silicon) -> tuple[int, int]:
    """From where to where a sector is not blank, in whole programming units."""
    erased = bytes((part.erased,))
    first = len(content) - len(content.lstrip(erased))
    last = len(content.rstrip(erased))
    unit = part.unit_bytes
    return first // unit * unit, -(-last // unit) * unit


def _check_fits(segments: Sequence[Segment], planned: Sequence[SectorPlan], part: Silicon) -> None:
    size = sum(len(segment.data) for segment in segments)
    if sum(sector.used for sector in planned) == size:
        return
    start, end = part.program[0].start, part.program[-1].start + part.program[-1].size
    outside = next(s for s in segments if s.address < start or s.address + len(s.data) > end)
    raise ProbeError(
        f"the program does not fit: it has {len(outside.data):,} bytes at {outside.address:#010x}, and the "
        f"{part.part} holds programs from {start:#010x} to {end:#010x}; make it smaller, or link it for there"
    )


def _check_identity(port: DebugPort, part: Silicon) -> None:
    if part.identity is None:
        return
    address, mask, value = part.identity.address, part.identity.mask, part.identity.value
    found = int.from_bytes(port.read(address, 4), "little") & mask
    if found != value:
        raise ProbeError(
            f"{port.name} is not at a {part.part}: the identity at {address:#010x} is {found:#x}, expected "
            f"{value:#x}; nothing was written. Check the board, its power and the wires"
        )


def _check_same(port: DebugPort, sector: Sector, content: bytes, done: str) -> None:
    found = port.read(sector.start, sector.size)
    if found == content:
        return
    at = next(i for i, (one, other) in enumerate(zip(found, content, strict=True)) if one != other)
    raise ProbeError(
        f"{port.name} {done} the sector at {sector.start:#010x}, but at {sector.start + at:#010x} is "
        f"{found[at]:#04x}, expected {content[at]:#04x}; the core is halted. Try again; if it stays so, the "
        "flash is write protected or worn out"
    )
