"""What is in a program that was built: sizes, symbols, functions, instructions, by its toolchain's tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from psog.firmware_export.boards import Target
from psog.firmware_export.toolchain import find_program, run_tool


@dataclass(frozen=True)
class Sections:
    """What the linker placed, bytes."""

    text: int
    data: int
    bss: int

    @property
    def flash_bytes(self) -> int:
        """Code, constants and start values."""
        return self.text + self.data


def section_sizes(elf: Path, target: Target) -> Sections:
    """Sizes of an ELF file by the toolchain's `size`."""
    output = run_tool([find_program(target.size, target.package), "--format=berkeley", str(elf)], elf.parent)
    text, data, bss = output.splitlines()[1].split()[:3]
    return Sections(int(text), int(data), int(bss))


def symbols(elf: Path, target: Target) -> dict[str, int]:
    """Addresses of an ELF file's symbols by name."""
    output = run_tool([find_program(target.nm, target.package), str(elf)], elf.parent)
    rows = [line.split() for line in output.splitlines()]
    return {row[2]: int(row[0], 16) for row in rows if len(row) == 3}


def functions(elf: Path, target: Target) -> dict[range, str]:
    """Names of an ELF file's functions by their addresses."""
    output = run_tool([find_program(target.nm, target.package), "--print-size", str(elf)], elf.parent)
    found = {}
    for row in (line.split() for line in output.splitlines()):
        if len(row) == 4 and row[2] in "tTwW":
            start = int(row[0], 16) & ~1  # Thumb
            found[range(start, start + int(row[1], 16))] = row[3]
    return found


def disassembly(elf: Path, target: Target) -> list[str]:
    """An ELF file's instructions as `objdump` writes them, a line each, among others.

    All Cortex-M are read as the newest of them; otherwise vector instructions pass for a coprocessor's.
    """
    disassembler = target.nm.removesuffix("nm") + "objdump"  # a toolchain's programs share a prefix
    path = find_program(disassembler, target.package)
    command = [path, "-d", "-m", "armv8.1-m.main", "--no-show-raw-insn", str(elf)]
    return run_tool(command, elf.parent).splitlines()
