"""Starting a firmware board: the process, the serial port that clients open, the bus its sensors feed."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import termios
import tty
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from psog.errors import ToolchainError
from psog.firmware_export.toolchain import QEMU, board_target, build_board, find_program

_STOP_TIMEOUT_S = 5.0
_QEMU_PACKAGE = "qemu-system-arm"


class Board:
    """A running board. Use as a context manager, or call `stop`.

    Attributes:
        name: the board.
        port: path of the serial port that clients open.
        sensor_bus: a connected socket; READING frames go in, DISPLAY frames come out.
    """

    def __init__(self, name: str, flash: Path) -> None:
        self.name = name
        command = _COMMANDS["emulated" if board_target(name).machine else "native"]
        program = build_board(name)
        flash = flash.absolute()
        if not flash.parent.is_dir():
            raise ToolchainError(f"cannot start {name}: there is no folder {flash.parent} for its flash file")
        link, self._slave = _open_terminal()
        self.port = os.ttyname(self._slave)
        self.sensor_bus, sensors = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                command(name, program, flash, link, sensors.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(link, sensors.fileno()),
            )
        except BaseException:
            os.close(self._slave)
            self.sensor_bus.close()
            raise
        finally:
            os.close(link)
            sensors.close()
        self._finalizer = weakref.finalize(self, _end, self._process, self.sensor_bus, self._slave)

    @property
    def alive(self) -> bool:
        """Whether the firmware runs."""
        return self._process.poll() is None

    def complaint(self) -> str:
        """Why a board that is no longer alive ended, in one line; empty when it did not say."""
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


def start_board(board: str, flash: Path) -> Board:
    """Build and start a board.

    Args:
        board: "host" or a board that QEMU emulates, see `toolchain.available_boards`.
        flash: file that holds its flash; created, erased, when it is not there.
    Raises:
        ToolchainError: unknown board, or a compiler or QEMU is missing.
    """
    return Board(board, flash)


def _native(name: str, program: Path, flash: Path, link: int, sensors: int) -> list[str]:
    return [str(program), "--link-fd", str(link), "--sensor-fd", str(sensors), "--flash", str(flash)]


def _emulated(name: str, program: Path, flash: Path, link: int, sensors: int) -> list[str]:
    """QEMU takes both descriptors as they are, so that nothing is lost before the firmware listens."""
    quoted = str(flash).replace(",", ",,")
    return [
        *(find_program(QEMU, _QEMU_PACKAGE), "-machine", board_target(name).machine),
        *("-nodefaults", "-display", "none", "-monitor", "none"),
        *("-semihosting-config", f"enable=on,target=native,arg={quoted}"),
        *("-add-fd", f"fd={link},set=1"),
        *("-chardev", "serial,id=link,path=/dev/fdset/1", "-serial", "chardev:link"),
        *("-chardev", f"socket,id=sensors,fd={sensors}", "-serial", "chardev:sensors"),
        *("-kernel", str(program)),
    ]


_COMMANDS: dict[str, Callable[[str, Path, Path, int, int], list[str]]] = {
    "native": _native,
    "emulated": _emulated,
}


def _open_terminal() -> tuple[int, int]:
    """A pseudo-terminal without echo or line editing: (board's end, clients' end).

    Whoever starts the board keeps the clients' end open: the board then never sees a hang-up when a client
    leaves, only when the starter does.
    """
    master, slave = pty.openpty()
    tty.setraw(slave, termios.TCSANOW)
    return master, slave


def _end(process: subprocess.Popen[bytes], sensor_bus: socket.socket, slave: int) -> None:
    process.kill()  # flash is always consistent: that is what the firmware's slots are for
    process.wait(_STOP_TIMEOUT_S)
    if process.stderr is not None:
        process.stderr.close()
    sensor_bus.close()
    os.close(slave)
