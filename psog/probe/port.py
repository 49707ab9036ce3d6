"""A debug port: a core and its memory, as a programmer needs them. An emulator has one, too."""

from __future__ import annotations

from typing import Protocol

from psog.firmware_export.silicon import Sector
from psog.probe.gdb import Gdb


class DebugPort(Protocol):
    """What programming needs. Every method raises ProbeError when the other end refuses or has gone.

    Attributes:
        name: what is at the other end, for messages.
    """

    name: str

    def halt(self) -> None:
        """Stop the core."""

    def read(self, address: int, size: int) -> bytes:
        """Memory of a halted core."""

    def erase(self, sector: Sector) -> None:
        """Make every byte of a sector an erased one."""

    def program(self, address: int, data: bytes) -> None:
        """Write erased flash; address and size are multiples of the part's unit."""

    def run(self) -> None:
        """Reset the core and let it go."""


class EmulatedPort:
    """The debug port of an emulated board: its memory stands for flash and behaves like it.

    Programming only clears bits, as with NOR, so that a programmer that does not erase is found out.

    Args:
        erased: value of an erased byte, 0xFF.
    """

    def __init__(self, gdb: Gdb, name: str, erased: int = 0xFF) -> None:
        self.name = name
        self._gdb = gdb
        self._erased = erased

    def halt(self) -> None:
        """Stop the core."""
        self._gdb.halt()

    def read(self, address: int, size: int) -> bytes:
        """Memory of a halted core."""
        return self._gdb.read(address, size)

    def erase(self, sector: Sector) -> None:
        """Make every byte of a sector an erased one."""
        self._gdb.write(sector.start, bytes((self._erased,)) * sector.size)

    def program(self, address: int, data: bytes) -> None:
        """Write erased flash."""
        before = self._gdb.read(address, len(data))
        self._gdb.write(address, bytes(old & new for old, new in zip(before, data, strict=True)))

    def run(self) -> None:
        """Reset the core and let it go."""
        self._gdb.reset()
        self._gdb.run()
