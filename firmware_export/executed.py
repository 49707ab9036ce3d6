"""What a program executed between two marks in QEMU: block by block, as the emulator's plugin counts it.

The plugin (firmware/emulator/count_instructions.c) says which blocks ran, the toolchain's disassembler which
instructions they hold.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from psog.errors import ToolchainError
from psog.firmware_export.binaries import disassembly, symbols
from psog.firmware_export.boards import BoardTarget
from psog.firmware_export.toolchain import C_TREE, QEMU, build_program, find_program

_LINE = re.compile(r"\s*([0-9a-f]+):\t(\S+)\s*([^@<]*)")
_COUNTS = "counts.txt"


@dataclass(frozen=True)
class Instruction:
    """One instruction as the disassembler writes it: `ldr.w`, `r0, [r1, #4]!`."""

    mnemonic: str
    operands: str


@dataclass(frozen=True)
class Block:
    """A run of instructions that only its last one can leave.

    Attributes:
        count: instructions in it.
        runs: how often it ran.
        taken: how often its last instruction went somewhere else than to the one behind it.
    """

    address: int
    count: int
    runs: int
    taken: int


Section = list[Block]
"""What ran between two marks."""


def instructions(section: Section) -> int:
    """Instructions executed in a section."""
    return sum(block.count * block.runs for block in section)


def execute(
    board: BoardTarget, program: Path, folder: Path, time_limit_s: float, given: str | None = None
) -> tuple[int, list[Section]]:
    """Run a program in QEMU and count between its functions bench_begin and bench_end.

    Args:
        folder: where it runs and leaves its files.
        given: a file there that lies in the board's flash, at the program's link_input_start.
    Returns:
        Its exit status and the sections in turn.
    Raises:
        ToolchainError: compiler or QEMU missing, flash too small, or it did not end in time.
    """
    emulator = find_program(QEMU, "qemu-system-arm")
    plugin = build_program(C_TREE / "emulator" / "count_instructions.c")
    marks = symbols(program, board.target)
    begin, end = marks["bench_begin"], marks["bench_end"]
    command = [
        *(emulator, "-machine", board.machine, "-nodefaults", "-display", "none", "-monitor", "none"),
        *("-semihosting-config", "enable=on,target=native", "-kernel", str(program)),
        *("-plugin", f"{plugin},begin={begin:#x},end={end:#x},out={_COUNTS}"),
    ]
    if given is not None:
        start, size = marks["link_input_start"], (folder / given).stat().st_size
        if size > marks["link_input_end"] - start:
            raise ToolchainError(
                f"{board.machine} has no room in flash for {size:,} bytes; use a smaller model"
            )
        command += ["-device", f"loader,file={given},addr={start:#x},force-raw=on"]
    try:
        run = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=time_limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise ToolchainError(f"{program.name} did not end in QEMU in {time_limit_s:g} s") from None
    counts = folder / _COUNTS
    if not counts.exists():
        raise ToolchainError(f"{program.name} did not run in QEMU: {run.stderr.strip()}")
    return run.returncode, read_sections(counts.read_text("ascii"))


def read_sections(text: str) -> list[Section]:
    """The plugin's output, whose lines count_instructions.c describes."""
    places: dict[str, tuple[int, int]] = {}
    sections = []
    for line in text.splitlines():
        word, *rest = line.split()
        if word == "block":
            places[rest[0]] = (int(rest[1], 16), int(rest[2]))
        else:
            entries = (entry.split(":") for entry in rest)
            sections.append(
                [Block(*places[number], int(runs), int(taken)) for number, runs, taken in entries]
            )
    return sections


class Code:
    """The instructions of an ELF file."""

    def __init__(self, program: Path, board: BoardTarget) -> None:
        lines = [match for match in map(_LINE.match, disassembly(program, board.target)) if match]
        self._instructions = [Instruction(line[2], line[3].strip()) for line in lines]
        self._places = {int(line[1], 16): index for index, line in enumerate(lines)}

    def of(self, block: Block) -> list[Instruction]:
        """A block's instructions in turn."""
        first = self._places[block.address]
        return self._instructions[first : first + block.count]

    def addresses(self, block: Block) -> list[int]:
        """Where a block's instructions lie, in turn."""
        first = self._places[block.address]
        return list(self._places)[first : first + block.count]

    def calls(self, caller: range, callee: int) -> list[int]:
        """Where a function, whose addresses are `caller`, calls another."""
        return [
            address
            for address, index in self._places.items()
            if address in caller
            and self._instructions[index].mnemonic == "bl"
            and int(self._instructions[index].operands, 16) == callee
        ]
