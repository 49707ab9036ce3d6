"""Starting a firmware board: the process, the serial port that clients open, the bus its sensors feed."""

from __future__ import annotations

import contextlib
import mmap
import os
import pty
import socket
import subprocess
import termios
import tty
import weakref
from pathlib import Path
from types import TracebackType
from typing import Literal

from psog.errors import ToolchainError
from psog.firmware_export.boards import BoardTarget, SharedMemory
from psog.firmware_export.lean import Lean
from psog.firmware_export.toolchain import QEMU, board_target, build_board, find_program
from psog.firmware_export.trust import Trust
from psog.probe.gdb import Gdb
from psog.virtual.bus import RING_MEMORY_BYTES, RingTransport, SocketTransport

_STOP_TIMEOUT_S = 5.0
_ENDING_S = 0.5
_LEDS_BYTES = 4
_QEMU_PACKAGE = "qemu-system-arm"

Debug = Literal["running", "halted", "blank"]
"""What the core of a board with a debugger does at first; blank is halted, without a program."""


class Board:
    """A running board. Use as a context manager, or call `stop`.

    Attributes:
        name: the board.
        port: path of the serial port that clients open.
        sensors: transport to the sensor bus; READING frames go in, DISPLAY frames come out.
        leds: of the host board: a word that holds the emitters' duty (percent) << 16 | current (mA).
        debugger: of an emulated board that was started for one; else None.
    """

    sensors: SocketTransport
    debugger: Gdb | None = None
    leds: memoryview | None = None

    def __init__(
        self,
        name: str,
        flash: Path,
        debug: Debug | None = None,
        trust: Trust | None = None,
        lean: Lean | None = None,
    ) -> None:
        self.name = name
        target = board_target(name)
        if debug is not None and not target.machine:
            raise ToolchainError(f"board {name!r} is not emulated, so it has no debug port")
        program = None if debug == "blank" else build_board(name, trust=trust, lean=lean)
        flash = flash.absolute()
        if not flash.parent.is_dir():
            raise ToolchainError(f"cannot start {name}: there is no folder {flash.parent} for its flash file")
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            link, slave = _open_terminal()
            theirs.callback(os.close, link)
            ours.callback(os.close, slave)
            self.port = os.ttyname(slave)
            bus, sensors = socket.socketpair()
            theirs.enter_context(sensors)
            named = f"the firmware on {name}"
            given = {"link": link, "sensors": sensors.fileno()}
            if target.memory:
                given["memory"], shared = _share_memory(target.memory, ours)
                theirs.callback(os.close, given["memory"])
                self.sensors = RingTransport(bus, named, shared)
            else:
                self.sensors = SocketTransport(bus, named)
            ours.callback(self.sensors.close)
            if not target.machine:
                given["leds"], word = _share(_LEDS_BYTES, ours)
                theirs.callback(os.close, given["leds"])
                self.leds = ours.enter_context(word.cast("I"))
            if debug is not None:
                port, debugger = socket.socketpair()
                theirs.enter_context(port)
                given["debug"] = port.fileno()
                self.debugger = Gdb(debugger, f"the emulated {name}", running=debug == "running")
                ours.callback(self.debugger.close)
            command = (_emulated if target.machine else _native)(target, program, flash, given)
            if debug in ("halted", "blank"):
                command.append("-S")
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=tuple(given.values()),
            )
            self._finalizer = weakref.finalize(self, _end, self._process, ours.pop_all())

    @property
    def alive(self) -> bool:
        """Whether the firmware runs."""
        return self._process.poll() is None

    def complaint(self) -> str:
        """Why a board that has ended did so, in one line; empty when it did not say, or runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDING_S)  # its port may go a moment before it does
        if self.alive or self._process.stderr is None or self._process.stderr.closed:
            return ""
        return self._process.stderr.read().decode("utf-8", "replace").strip().replace("\n", "; ")

    def stop(self) -> None:
        """End the board and give back its port and bus. Idempotent."""
        self._finalizer()

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_board(
    board: str,
    flash: Path,
    *,
    debug: Debug | None = None,
    trust: Trust | None = None,
    lean: Lean | None = None,
) -> Board:
    """Build and start a board.

    Args:
        board: "host" or a board that QEMU emulates, see `toolchain.available_boards`.
        flash: file that holds its flash; created, erased, when it is not there.
        debug: start an emulated board with a `debugger`, its core so.
        trust: whose models its firmware takes; by default the development key's.
        lean: what its runtime holds; by default all that its core runs.
    Raises:
        ToolchainError: unknown board, or a compiler or QEMU is missing.
    """
    return Board(board, flash, debug, trust, lean)


def _native(_target: BoardTarget, program: Path | None, flash: Path, given: dict[str, int]) -> list[str]:
    link, sensors = str(given["link"]), str(given["sensors"])
    fixed = [str(program), "--link-fd", link, "--sensor-fd", sensors, "--flash", str(flash)]
    return [*fixed, "--leds-fd", str(given["leds"])]


def _emulated(target: BoardTarget, program: Path | None, flash: Path, given: dict[str, int]) -> list[str]:
    """QEMU takes the descriptors as they are, so that nothing is lost before the firmware listens."""
    quoted = str(flash).replace(",", ",,")
    command = [
        *(find_program(QEMU, _QEMU_PACKAGE), "-machine", target.machine),
        *("-nodefaults", "-display", "none", "-monitor", "none"),
        *("-semihosting-config", f"enable=on,target=native,arg={quoted}"),
        *("-add-fd", f"fd={given['link']},set=1"),
        *("-chardev", "serial,id=link,path=/dev/fdset/1", "-serial", "chardev:link"),
        *("-chardev", f"socket,id=sensors,fd={given['sensors']}", "-serial", "chardev:sensors"),
    ]
    if program is not None:
        command += ["-kernel", str(program)]
    if "debug" in given:
        command += ["-chardev", f"socket,id=debug,fd={given['debug']}", "-gdb", "chardev:debug"]
    if target.memory:
        file = f"mem-path=/proc/self/fd/{given['memory']},share=on"
        command += ["-machine", "memory-backend=ram"]
        command += ["-object", f"memory-backend-file,id=ram,size={target.memory.bytes},{file}"]
    return command


def _share_memory(layout: SharedMemory, cleanup: contextlib.ExitStack) -> tuple[int, memoryview]:
    """Memory for an emulated board: its descriptor, and a view of the ring for readings that `cleanup`
    unmaps. What nobody writes to takes no room."""
    return _share(layout.bytes, cleanup, RING_MEMORY_BYTES, layout.ring_at)


def _share(
    size: int, cleanup: contextlib.ExitStack, visible: int = 0, offset: int = 0
) -> tuple[int, memoryview]:
    """Memory to share: its descriptor, and a view of `visible` bytes of it (0: all)."""
    memory = os.memfd_create("psog board")
    try:
        os.ftruncate(memory, size)
        mapped = cleanup.enter_context(mmap.mmap(memory, visible or size, offset=offset))
    except BaseException:
        os.close(memory)
        raise
    return memory, cleanup.enter_context(memoryview(mapped))


def _open_terminal() -> tuple[int, int]:
    """A pseudo-terminal without echo or line editing: (board's end, clients' end).

    Whoever starts the board keeps the clients' end open: the board then never sees a hang-up when a client
    leaves, only when the starter does.
    """
    master, slave = pty.openpty()
    tty.setraw(slave, termios.TCSANOW)
    return master, slave


def _end(process: subprocess.Popen[bytes], ours: contextlib.ExitStack) -> None:
    process.kill()  # flash is always consistent: that is what the firmware's slots are for
    process.wait(_STOP_TIMEOUT_S)
    if process.stderr is not None:
        process.stderr.close()
    ours.close()
