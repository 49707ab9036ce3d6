"""A core's own kernels against plain C, on the core itself in QEMU: random layers with every corner."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from psog.errors import ToolchainError
from psog.firmware_export.toolchain import QEMU, board_target, build_kernel_check, find_program

_RESULT = struct.Struct("<3I")
_TIME_LIMIT_S = 600.0


@dataclass(frozen=True)
class KernelCheck:
    """What came of it.

    Attributes:
        cases: random layers.
        different: of them, those for which an output, or memory beside the outputs, differed.
        first: number of the first of these; a case is a function of seed and number.
    """

    cases: int
    different: int
    first: int


def check_kernels(board: str, cases: int, seed: int = 0) -> KernelCheck:
    """Run random layers through the kernels of an emulated board's core and through plain C.

    Args:
        cases: how many, 1 to 2^32 - 1.
        seed: 0 to 2^32 - 1.
    Raises:
        ToolchainError: no such board, compiler or QEMU missing, or the program did not end well: a kernel
            that reads beyond its arrays ends it with a fault.
    """
    machine = board_target(board).machine
    if not machine:
        raise ToolchainError(f"kernels are checked in QEMU, which does not emulate board {board!r}")
    with tempfile.TemporaryDirectory(prefix="psog-check-") as folder:
        command = [
            *(find_program(QEMU, "qemu-system-arm"), "-machine", machine),
            *("-nodefaults", "-display", "none", "-monitor", "none"),
            *("-semihosting-config", f"enable=on,target=native,arg={seed} {cases}"),
            *("-kernel", str(build_kernel_check(board))),
        ]
        try:
            run = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=_TIME_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise ToolchainError(f"the kernel check on {board} did not end in {_TIME_LIMIT_S:g} s") from None
        if run.returncode != 0:
            raise ToolchainError(
                f"the kernel check on {board} failed (exit {run.returncode}): {run.stderr.strip()}"
            )
        return KernelCheck(*_RESULT.unpack((Path(folder) / "kernel_check.out").read_bytes()))
