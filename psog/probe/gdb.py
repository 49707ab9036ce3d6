"""A debugger for a core behind a GDB server, such as QEMU's: memory, registers, breakpoints, steps.

Source: Debugging with GDB, appendix E.2 (Packets), E.3 (Stop Reply Packets); QEMU 7.2, gdbstub.
"""

from __future__ import annotations

import socket
import time
from types import TracebackType
from typing import Literal, NamedTuple

from psog.errors import ProbeError
from psog.probe.packets import Packets

R0, SP, LR, PC, XPSR = 0, 13, 14, 15, 25
"""Numbers of a Cortex-M's registers (QEMU's arm-m-profile.xml); those between are R1 to R12."""

_PIECE_BYTES = 1024  # QEMU's packets have room for 4096 characters, two to a byte
_TIMEOUT_S = 10.0
_CONSOLE_PACKETS = 1000


class Stop(NamedTuple):
    """Why a core no longer runs.

    Attributes:
        kind: "stopped", and it may go on, or "exited", which is the end of the emulator.
        code: the signal (2 halted, 5 a breakpoint or a step), or the exit status.
    """

    kind: Literal["stopped", "exited"]
    code: int


class Gdb:
    """A connection to a GDB server. Used by one thread. A context manager; leaving it closes the socket.

    All but `halt`, `wait` and `close` need a core that is halted.

    Args:
        connection: connected to the server.
        name: what is at the other end, for messages.
        running: whether the core runs now.
    Raises (every method):
        ProbeError: the server has gone, is silent, or refused.
    """

    def __init__(self, connection: socket.socket, name: str, *, running: bool) -> None:
        self._packets = Packets(connection, name)
        self._name = name
        self._running = running
        self._knows_registers = False

    def read(self, address: int, size: int) -> bytes:
        """Memory; also of addresses that have side effects."""
        data = bytearray()
        while len(data) < size:
            count = min(size - len(data), _PIECE_BYTES)
            at = address + len(data)
            piece = self._hex(b"m%x,%x" % (at, count), f"read {count} bytes at {at:#010x}")
            if not piece:
                raise ProbeError(f"{self._name} read nothing at {at:#010x}")
            data += piece[:count]
        return bytes(data)

    def write(self, address: int, data: bytes) -> None:
        """Memory; QEMU's own ROM too, as a programmer would."""
        for offset in range(0, len(data), _PIECE_BYTES):
            piece = data[offset : offset + _PIECE_BYTES]
            at = address + offset
            command = b"M%x,%x:%s" % (at, len(piece), piece.hex().encode())
            self._do(command, f"write {len(piece)} bytes at {at:#010x}")

    def register(self, number: int) -> int:
        """A core register of 32 bits: R0 to R12, SP, LR, PC, XPSR."""
        self._learn_registers()
        value = self._hex(b"p%x" % number, f"read register {number}")
        if len(value) != 4:
            raise ProbeError(f"{self._name} has a register {number} of {len(value)} bytes, expected 4")
        return int.from_bytes(value, "little")

    def set_register(self, number: int, value: int) -> None:
        """Change a core register."""
        self._learn_registers()
        data = value.to_bytes(4, "little").hex().encode()
        self._do(b"P%x=%s" % (number, data), f"write register {number}")

    def registers(self) -> bytes:
        """All core registers as the server has them, to be put back by `set_registers`."""
        self._learn_registers()
        return self._hex(b"g", "read the registers")

    def set_registers(self, values: bytes) -> None:
        """Put back what `registers` gave."""
        self._learn_registers()
        self._do(b"G" + values.hex().encode(), "write the registers")

    def break_at(self, address: int) -> None:
        """Stop before the instruction at this address."""
        self._do(b"Z1,%x,2" % address, f"set a breakpoint at {address:#010x}")

    def clear_break(self, address: int) -> None:
        """Take a breakpoint back."""
        self._do(b"z1,%x,2" % address, f"clear the breakpoint at {address:#010x}")

    def step(self, timeout_s: float = _TIMEOUT_S) -> Stop:
        """Carry out one instruction."""
        self._send(b"s")
        self._running = True
        return self.wait(timeout_s)

    def run(self) -> None:
        """Let the core go on. It runs when this returns; `wait` says when it stops."""
        self._send(b"c")
        self._running = True

    def wait(self, timeout_s: float) -> Stop:
        """Wait until a running core stops by itself; it runs on when it has not in time."""
        if not self._running:
            raise ProbeError(f"the core of {self._name} does not run, so there is nothing to wait for")
        deadline_s = time.monotonic() + timeout_s
        while True:
            stop = _stop(self._packets.receive(max(deadline_s - time.monotonic(), 0)))
            if stop is not None:
                self._running = False
                return stop

    def halt(self) -> Stop:
        """Stop the core where it is. One that is halted stays so."""
        if not self._running:
            return Stop("stopped", 0)
        self._packets.send_raw(b"\x03")
        return self.wait(_TIMEOUT_S)

    def reset(self) -> None:
        """Reset the machine; the core is halted before its first instruction. Memory stays as it is.

        QEMU resets a moment after it has said so: a mark in PC tells when.
        """
        mark = 0xFFFFFFF0  # no address of code on a Cortex-M
        self.set_register(PC, mark)
        self.monitor("system_reset")
        deadline_s = time.monotonic() + _TIMEOUT_S
        while self.register(PC) & ~1 == mark:
            if time.monotonic() > deadline_s:
                raise ProbeError(f"{self._name} did not reset within {_TIMEOUT_S:g} s")

    def monitor(self, command: str) -> str:
        """A command of the server itself, such as QEMU's `info qtree`; what it printed."""
        self._send(b"qRcmd,%s" % command.encode().hex().encode())
        printed = bytearray()
        for _ in range(_CONSOLE_PACKETS):
            reply = self._packets.receive(_TIMEOUT_S)
            if reply == b"OK":
                return printed.decode("utf-8", "replace")
            if not reply.startswith(b"O"):
                raise ProbeError(f"{self._name} refused the command {command!r} ({_shown(reply)})")
            printed += self._unhex(reply[1:])
        raise ProbeError(f"{self._name} did not stop printing after {command!r}")

    def close(self) -> None:
        """Close the connection. Idempotent. QEMU lets the core go on."""
        self._packets.close()

    def __enter__(self) -> Gdb:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _learn_registers(self) -> None:
        """QEMU gives single registers only to those who have asked which there are."""
        if not self._knows_registers:
            self._ask(b"qXfer:features:read:target.xml:0,100")
            self._knows_registers = True

    def _send(self, command: bytes) -> None:
        if self._running:
            raise ProbeError(f"the core of {self._name} runs; halt it first")
        self._packets.send(command, _TIMEOUT_S)

    def _ask(self, command: bytes) -> bytes:
        self._send(command)
        return self._packets.receive(_TIMEOUT_S)

    def _do(self, command: bytes, what: str) -> None:
        reply = self._ask(command)
        if reply != b"OK":
            raise ProbeError(f"{self._name} could not {what} ({_shown(reply)})")

    def _hex(self, command: bytes, what: str) -> bytes:
        reply = self._ask(command)
        if not reply or reply.startswith(b"E"):
            raise ProbeError(f"{self._name} could not {what} ({_shown(reply)})")
        return self._unhex(reply)

    def _unhex(self, digits: bytes) -> bytes:
        try:
            return bytes.fromhex(digits.decode("ascii"))
        except ValueError:
            raise ProbeError(f"{self._name} answered {_shown(digits)}, expected hexadecimal digits") from None


def _stop(reply: bytes) -> Stop | None:
    """A stop reply; None for what else comes while a core runs, such as console output."""
    if len(reply) < 3 or reply[:1] not in b"TSWX":
        return None
    try:
        code = int(reply[1:3], 16)
    except ValueError:
        return None
    return Stop("stopped" if reply[:1] in b"TS" else "exited", code)


def _shown(reply: bytes) -> str:
    return repr(reply[:40].decode("ascii", "replace")) if reply else "it does not know that command"
