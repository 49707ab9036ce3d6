"""Faults that make a core skip an instruction, tried one after the other in QEMU.

A glitch on clock or supply makes a core pass over an instruction. Here a NOP of the same length takes its
place, once or for good, and the program goes on to say what it decided. What it had in memory and registers
before is put back, so that a thousand faults need one start.

Source of the fault model: Moro et al. 2013, Electromagnetic fault injection: towards a fault model on a
32-bit microcontroller (skips of single instructions).
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple

from psog.errors import ProbeError
from psog.probe.emulator import Emulator
from psog.probe.gdb import LR, PC, SP, Gdb

_NOP = bytes.fromhex("00bf")
_WIDE_NOP = bytes.fromhex("aff30080")
_WIDE = (0b11101, 0b11110, 0b11111)
"""Upper five bits of the first half of a 32-bit instruction: Armv7-M Architecture Reference Manual, A5.1."""
_HARD_FAULT_AT = 12  # in the vector table; every other fault becomes this one unless it is enabled

_TRIES_A_START = 50
"""What a fault may have written elsewhere than where memory is put back lasts no longer."""
_SHORTEST_HANG_S = 0.5

CRASHED, HUNG = "crashed", "hung"
HANG_FACTOR = 30
"""A busy computer slows a try down, and one that is only slow must not pass for one that hangs."""


@dataclass(frozen=True)
class Marks:
    """Addresses in a program that decides.

    Attributes:
        begin, end: of what decides.
        outcomes: functions that say what was decided.
        functions: where any function begins.
        keep: (address, size) of memory besides the stack that is put back.
    """

    begin: int
    end: int
    outcomes: Mapping[int, str]
    functions: frozenset[int]
    keep: tuple[tuple[int, int], ...]
    stack_top: int


class Skip(NamedTuple):
    """One fault and what became of it: the skipped instruction's address, and the outcome."""

    address: int
    outcome: str


class _State(NamedTuple):
    registers: bytes
    memory: tuple[tuple[int, bytes], ...]


class Skipper:
    """Tries faults on one program. A context manager; leaving it ends the emulator.

    Args:
        start: starts the program anew.
        time_limit_s: to get anywhere without a fault.
    Raises (every method):
        ProbeError: the emulator cannot be talked to, or the program does not get to its marks.
    """

    def __init__(self, start: Callable[[], Emulator], marks: Marks, time_limit_s: float) -> None:
        self._start = start
        self._marks = marks
        self._time_limit_s = time_limit_s
        self._hang_s = time_limit_s
        self._tries = 0
        self._emulator = start()
        self._watch()
        self._to_begin()
        self._first = self._state()

    def close(self) -> None:
        """End the emulator. Idempotent."""
        self._emulator.close()

    def __enter__(self) -> Skipper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def no_fault(self) -> str:
        """What the program decides when nothing is skipped. Afterwards a try that takes HANG_FACTOR times as
        long is `HUNG`."""
        self._restore(self._first)
        start_s = time.monotonic()
        outcome = self._outcome()
        self._hang_s = max(HANG_FACTOR * (time.monotonic() - start_s), _SHORTEST_HANG_S)
        return outcome

    def every_time(self, address: int) -> str:
        """What it decides when an instruction is never carried out."""
        self._restore(self._first)
        size = self._size(address)
        whole = self._gdb.read(address, size)
        self._gdb.write(address, _WIDE_NOP if size == 4 else _NOP)
        outcome = self._outcome()
        with contextlib.suppress(ProbeError):  # QEMU may have ended itself
            self._gdb.write(address, whole)
        return outcome

    def go_to(self, address: int, times: int) -> bool:
        """From the beginning to an address so many times, for `each_from_here`; false when it ends before."""
        for _ in range(2):
            self._restore(self._first)
            if self._reach(address, times):
                return True
            if not self._broken:
                return False
            # a fault before has left something behind that is not put back; once more, from a new start
        raise ProbeError(f"the program hangs before it gets to {address:#010x}")

    def once(self, near: int, times: int, address: int, more: int) -> str | None:
        """What it decides when an instruction is skipped the `more`-th time after `near` was reached `times`
        times; None when the program does not get there."""
        if self.go_to(near, times) and self._reach(address, more):
            return self._skip()
        return None

    def each(self, decides: Callable[[int], bool], most: int, stride: int = 1) -> Iterator[Skip]:
        """Skip every instruction that decides, each of the first `most` times that it is reached.

        Args:
            decides: whether an address belongs to what decides; calls to anything else pass as one.
            stride: every so many-th of these faults only.
        """
        self._restore(self._first)
        yield from self._walk(decides, lambda pc: True, most, stride)

    def each_from_here(self, inside: Callable[[int], bool], most: int) -> Iterator[Skip]:
        """The same from where `go_to` went, until what is inside is left."""
        yield from self._walk(inside, inside, most, 1)

    def _walk(
        self, decides: Callable[[int], bool], goes_on: Callable[[int], bool], most: int, stride: int
    ) -> Iterator[Skip]:
        tried: Counter[int] = Counter()
        while (pc := self._gdb.register(PC)) != self._marks.end:
            if not decides(pc) and pc in self._marks.functions:
                self._until(self._gdb.register(LR) & ~1)
                continue
            if not goes_on(pc):
                return
            if decides(pc):
                tried[pc] += 1
                if tried[pc] <= most and tried.total() % stride == 0:
                    before = self._state()
                    yield Skip(pc, self._skip())
                    self._restore(before)
            self._gdb.step()

    @property
    def _gdb(self) -> Gdb:
        return self._emulator.gdb

    def _again(self) -> None:
        """Start anew and go to where deciding begins."""
        try:
            self._gdb.reset()
        except ProbeError:  # QEMU has ended itself, as it does when a core locks up
            self._emulator.close()
            self._emulator = self._start()
            self._watch()
        self._to_begin()

    def _watch(self) -> None:
        """Have the core stop where it says what it decided, and where it ends up after a crash."""
        fault = int.from_bytes(self._gdb.read(_HARD_FAULT_AT, 4), "little") & ~1
        for place in (*self._marks.outcomes, fault):
            self._gdb.break_at(place)

    def _to_begin(self) -> None:
        self._broken = False
        self._tries = 0
        self._until(self._marks.begin)
        self._until(self._gdb.register(LR) & ~1)

    def _until(self, address: int) -> None:
        self._gdb.break_at(address)
        self._gdb.run()
        stop = self._gdb.wait(self._time_limit_s)
        if stop.kind != "stopped" or self._gdb.register(PC) != address:
            raise ProbeError(f"the program did not get to {address:#010x}")
        self._gdb.clear_break(address)

    def _reach(self, address: int, times: int) -> bool:
        """Go on to an address so many times; false when the program ends before. `_broken` when it hangs."""
        try:
            self._gdb.break_at(address)
            reached = all(self._comes_to(address) for _ in range(times))
            self._gdb.clear_break(address)
        except ProbeError:  # QEMU has ended itself
            self._broken, reached = True, False
        return reached

    def _comes_to(self, address: int) -> bool:
        """Go on; whether that is where it stops next."""
        if self._gdb.register(PC) == address:
            self._gdb.step()
        self._gdb.run()
        self._broken = not self._stopped()
        return not self._broken and self._gdb.register(PC) == address

    def _skip(self) -> str:
        """Skip the next instruction and go on to the outcome."""
        pc = self._gdb.register(PC)
        size = self._size(pc)
        whole = self._gdb.read(pc, size)
        self._gdb.write(pc, _WIDE_NOP if size == 4 else _NOP)
        self._gdb.step()
        self._gdb.write(pc, whole)
        return self._outcome()

    def _outcome(self) -> str:
        """Let the program go on until it says what it decided."""
        self._broken = True
        self._tries += 1
        try:
            if (pc := self._gdb.register(PC)) not in self._marks.outcomes:
                self._gdb.run()
                if not self._stopped():
                    return HUNG
                pc = self._gdb.register(PC)
        except ProbeError:
            return CRASHED  # QEMU has ended itself
        self._broken = pc not in self._marks.outcomes
        return self._marks.outcomes.get(pc, CRASHED)

    def _stopped(self) -> bool:
        try:
            self._gdb.wait(self._hang_s)
        except ProbeError:
            self._gdb.halt()
            return False
        return True

    def _state(self) -> _State:
        registers = self._gdb.registers()
        sp = int.from_bytes(registers[4 * SP : 4 * SP + 4], "little")
        ranges = [(sp, self._marks.stack_top - sp), *self._marks.keep]
        return _State(registers, tuple((at, self._gdb.read(at, size)) for at, size in ranges if size))

    def _restore(self, state: _State) -> None:
        if self._broken or self._tries >= _TRIES_A_START:
            self._again()
        for at, data in state.memory:
            self._gdb.write(at, data)
        self._gdb.set_registers(state.registers)

    def _size(self, address: int) -> int:
        half = int.from_bytes(self._gdb.read(address, 2), "little")
        return 4 if half >> 11 in _WIDE else 2
