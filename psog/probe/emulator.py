"""A program alone on an emulated board, under a debugger from its first instruction."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from pathlib import Path
from types import TracebackType

from psog.firmware_export.boards import BoardTarget
from psog.firmware_export.toolchain import QEMU, find_program
from psog.probe.gdb import Gdb

_STOP_TIMEOUT_S = 5.0


class Emulator:
    """QEMU with a program, its core halted before the first instruction. A context manager; leaving ends it.

    Args:
        given: a file that lies in the board's memory, and where.
    Raises:
        ToolchainError: QEMU is missing.
    """

    def __init__(self, board: BoardTarget, program: Path, given: tuple[Path, int] | None = None) -> None:
        emulator = find_program(QEMU, "qemu-system-arm")
        port, debugger = socket.socketpair()
        with contextlib.closing(port):
            command = [
                *(emulator, "-machine", board.machine, "-nodefaults", "-display", "none", "-monitor", "none"),
                *("-semihosting-config", "enable=on,target=native", "-kernel", str(program), "-S"),
                *("-chardev", f"socket,id=debug,fd={port.fileno()}", "-gdb", "chardev:debug"),
            ]
            if given is not None:
                path, address = given
                command += ["-device", f"loader,file={path},addr={address:#x},force-raw=on"]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(port.fileno(),),
            )
        self.gdb = Gdb(debugger, f"the emulated {board.machine}", running=False)

    def close(self) -> None:
        """End it. Idempotent."""
        self._process.kill()
        self._process.wait(_STOP_TIMEOUT_S)
        self.gdb.close()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
