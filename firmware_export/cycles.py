"""Cycles of a Cortex-M4, estimated from what was executed: no emulator has them.

Source: Arm 100166 (before: DDI 0439), Cortex-M4 Technical Reference Manual, the tables of processor and FPU
instructions and the section "Load/store timings". It assumes memory without wait states. What it leaves open
is settled here, by constants that say so.
"""

from __future__ import annotations

import re

from psog.firmware_export.executed import Block, Code, Instruction, Section
from psog.firmware_export.mix import kind_of, words_moved

REFILL = 2
"""P, of every jump: "from 1 to 3 depending on the alignment and width of the target". The middle."""
DIVISION = 7
"""Of SDIV and UDIV: "2 to 12", by how many bits the quotient has. The middle."""

_ALONE = 2
"""Of a load or store of one register."""
_PIPELINED = 1
"""The same right behind another one, whose result it does not need for its address. The manual lets a store
with an immediate offset take one cycle anywhere; here it takes two, so the estimate is rather too high."""
_FLOAT_CYCLES = (
    (re.compile(r"v(div|sqrt)"), 14),
    (re.compile(r"v(fma|fms|fnma|fnms|mla|mls|nmla|nmls)"), 3),
)
_TABLE_BRANCH = re.compile(r"tb[bh]")
_CORE_REGISTER = re.compile(r"\b(r\d+|sl|fp|ip|sp|lr)\b")


def m4_cycles(section: Section, code: Code) -> int:
    """Estimated cycles of a section on a Cortex-M4 with memory that does not make it wait."""
    return sum(_block_cycles(block, code.of(block)) for block in section)


def _block_cycles(block: Block, instructions: list[Instruction]) -> int:
    before = [None, *instructions[:-1]]
    once = sum(_cycles(this, last) for this, last in zip(instructions, before, strict=True))
    return block.runs * once + block.taken * REFILL


def _cycles(this: Instruction, before: Instruction | None) -> int:
    """Without the refill of a jump.

    An instruction whose condition fails counts in full. IT, which may be folded away, counts as one.
    """
    kind = kind_of(this)
    if kind == "single":
        return _load_cycles(this, before)
    if kind in ("double", "multiple"):
        return 1 + words_moved(this)
    if kind == "divide":
        return DIVISION
    if kind == "float":
        return _float_cycles(this)
    return 2 if _TABLE_BRANCH.match(this.mnemonic) else 1


def _load_cycles(this: Instruction, before: Instruction | None) -> int:
    if this.mnemonic.startswith("v"):
        return 1 + words_moved(this)
    if before is None or kind_of(before) != "single" or before.mnemonic.startswith("v"):
        return _ALONE
    loaded = before.operands.split(",")[0] if before.mnemonic.startswith("ldr") else None
    address = this.operands.partition("[")[2]
    return _ALONE if loaded and re.search(rf"\b{loaded}\b", address) else _PIPELINED


def _float_cycles(this: Instruction) -> int:
    for pattern, cycles in _FLOAT_CYCLES:
        if pattern.match(this.mnemonic):
            return cycles
    both_ways = this.mnemonic.startswith("vmov") and len(_CORE_REGISTER.findall(this.operands)) == 2
    return 2 if both_ways else 1
