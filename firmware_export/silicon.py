"""Parts that a debug probe writes the firmware to: flash, identity, and what a probe calls them.

A table by board, quick to import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

_KB = 1024


@dataclass(frozen=True)
class Sector:
    """What flash is erased in: bytes from `start` to before `start + size`."""

    start: int
    size: int


@dataclass(frozen=True)
class Identity:
    """A register that tells one part from another: `value` where `mask` has bits."""

    address: int
    mask: int
    value: int


@dataclass(frozen=True)
class Silicon:
    """A part, as whoever programs it must know it.

    Attributes:
        part: its name.
        target: pyOCD's name of it.
        pack: the CMSIS-Pack that brings it to pyOCD; empty where pyOCD has it built in.
        program: the sectors that the program has, in order of their addresses. No other is ever written.
        erased: value of an erased byte.
        unit_bytes: programming starts and ends at multiples of it.
        identity: None where nothing tells it.
        source: of all these.
    """

    part: str
    target: str
    pack: str
    program: tuple[Sector, ...]
    erased: int
    unit_bytes: int
    identity: Identity | None
    source: str


def _consecutive(start: int, *sizes: int) -> tuple[Sector, ...]:
    sectors = []
    for size in sizes:
        sectors.append(Sector(start, size))
        start += size
    return tuple(sectors)


SILICON = {
    "netduinoplus2": Silicon(
        part="STM32F405RG",
        target="stm32f405rgtx",
        pack="Keil.STM32F4xx_DFP",
        program=_consecutive(0x08000000, *4 * [16 * _KB], 64 * _KB, *3 * [128 * _KB]),
        erased=0xFF,
        unit_bytes=4,
        identity=Identity(0xE0042000, 0xFFF, 0x413),  # DBGMCU_IDCODE, DEV_ID of STM32F405/407/415/417
        source="ST RM0090 3.3 (sectors), 3.6.3 (programming), 38.6.1 (DBGMCU_IDCODE)",
    ),
}
"""Boards whose folder makes a form for the part (boards.SILICON_SCRIPT). Models and calibrations lie behind
`program`, in sectors 8 to 11 of the STM32F405."""

if TYPE_CHECKING:
    ProbedBoardName = str
else:
    ProbedBoardName = Literal[tuple(SILICON)]
    """The type of a `--board` option where a probe writes."""
