"""A core's own kernels against plain C, in QEMU or on this computer: random layers with every corner."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from psog.errors import ToolchainError
from psog.firmware_export.packings import LAYER_PACKINGS, LayerPacking
from psog.firmware_export.toolchain import QEMU, board_target, build_kernel_check, find_program

_RESULT = struct.Struct("<11I")
_CASES_AT_ONCE = 5_000
"""Layers of one run of the program: progress is reported after each."""
_TIME_LIMIT_S = 600.0
_FAULT_EXIT = 99
"""Of an emulated board's program (boards/common/cortex_m/start.c)."""


@dataclass(frozen=True)
class KernelCheck:
    """What came of it.

    Attributes:
        cases: random layers.
        different: of them, those for which an output, or memory beside the outputs, differed, or whose sparse
            list was refused, or accepted although its end was cut off.
        first: number of the first of these; a case is a function of seed and number.
        packed: layers by how their weights were packed (docs/SPEC.md, Packings).
        changed: sparse lists that were tried once more with a word or three changed.
        accepted: of these, the ones that the check of images lets pass; kernels have followed them.
    """

    cases: int
    different: int
    first: int
    packed: dict[LayerPacking, int]
    changed: int
    accepted: int


def check_kernels(
    board: str,
    cases: int,
    seed: int = 0,
    *,
    sanitize: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> KernelCheck:
    """Run random layers through the kernels of a board's core and through plain C.

    On `host` these are the C versions of the paired and sparse kernels.

    Args:
        cases: how many, 1 to 2^32 - 1.
        seed: 0 to 2^32 - 1.
        sanitize: with the address and undefined-behaviour sanitizers (host only).
        progress: told now and then how many are done.
    Raises:
        ToolchainError: no such board, compiler or QEMU missing, or the program did not end well: a kernel
            that reads beyond its arrays ends it with a fault.
    """
    machine = board_target(board).machine
    if not board_target(board).target.has_own_kernels:
        raise ToolchainError(f"nothing to compare: {board}'s core runs plain C; name another --board")
    if sanitize and machine:
        raise ToolchainError(f"cannot check the kernels of {board} with sanitizers; only host has them")
    program = build_kernel_check(board, sanitize=sanitize)
    found = KernelCheck(0, 0, 0, {}, 0, 0)
    for first in range(0, cases, _CASES_AT_ONCE):
        words = f"{seed} {first} {min(_CASES_AT_ONCE, cases - first)}"
        command = _emulated(machine, program, words) if machine else [str(program), *words.split()]
        found = _together(found, _run(f"the kernel check on {board} (seed, first, layers: {words})", command))
        progress(found.cases)
    return found


def _emulated(machine: str, program: Path, words: str) -> list[str]:
    return [
        *(find_program(QEMU, "qemu-system-arm"), "-machine", machine),
        *("-nodefaults", "-display", "none", "-monitor", "none"),
        *("-semihosting-config", f"enable=on,target=native,arg={words}"),
        *("-kernel", str(program)),
    ]


def _run(what: str, command: list[str]) -> KernelCheck:
    with tempfile.TemporaryDirectory(prefix="psog-check-") as folder:
        try:
            run = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=_TIME_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise ToolchainError(f"{what} did not end in {_TIME_LIMIT_S:g} s") from None
        if run.returncode != 0:
            faulted = run.returncode < 0 or run.returncode == _FAULT_EXIT
            reason = "a fault" if faulted else "it does not say why"
            complaint = next((line for line in run.stderr.splitlines() if "error" in line.lower()), reason)
            raise ToolchainError(f"{what} failed (exit {run.returncode}): {complaint}")
        numbers = _RESULT.unpack((Path(folder) / "kernel_check.out").read_bytes())
    cases, different, first, *packed, changed, accepted = numbers
    by_name = {name: count for name, count in zip(LAYER_PACKINGS, packed, strict=True) if count}
    return KernelCheck(cases, different, first, by_name, changed, accepted)


def _together(one: KernelCheck, next_one: KernelCheck) -> KernelCheck:
    names = [name for name in LAYER_PACKINGS if name in one.packed or name in next_one.packed]
    return KernelCheck(
        one.cases + next_one.cases,
        one.different + next_one.different,
        one.first if one.different else next_one.first,
        {name: one.packed.get(name, 0) + next_one.packed.get(name, 0) for name in names},
        one.changed + next_one.changed,
        one.accepted + next_one.accepted,
    )
