"""What kinds of instructions ran: the mix that tells what a count hides.

Kinds go by the mnemonics of the assembler's language (Arm DDI 0403, ARMv7-M Architecture Reference Manual,
chapter A7; for vectors DDI 0553). A condition or a width behind one, as in `ldrne.w`, does not change it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Literal, Self

from psog.firmware_export.executed import Code, Instruction, Section

Kind = Literal["single", "double", "multiple", "multiply", "divide", "float", "vector", "branch", "rest"]

_CONDITION = r"(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al)?"
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("double", r"(ldrd|strd)"),
    ("single", r"v?(ldr|str)"),
    ("multiple", r"(v?ldm|v?stm|v?push|v?pop)"),
    ("divide", r"[us]div"),
    ("multiply", r"(mul|mla|mls|[us]m(ul|la|ls|aa)|smm(ul|la|ls)|sm[ul][as]d)"),
    ("multiply", r"([suq]|sh|uh|uq)(add|sub)(8|16)|([suq]|sh|uh|uq)(asx|sax)|usada?8|qd?(add|sub)"),
    ("multiply", r"[su]xta?b16|pkh|sel" + _CONDITION + r"$|[su]sat16"),
    ("float", r"v"),
    ("branch", rf"(b|bl|bx|blx){_CONDITION}(\.[nw])?$|cbn?z|tb[bh]|letp|le(\.[nw])?$|[dw]ls"),
)
_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _KINDS)
_VECTOR = re.compile(r"\bq[0-7]\b")
_VECTOR_CONTROL = re.compile(r"v(pt|pst|pnot|ctp)")
_REGISTERS = re.compile(r"\{(.*)\}")
_VECTOR_WORDS = 4


def kind_of(instruction: Instruction) -> Kind:
    """What kind of work an instruction is.

    "single", "double" and "multiple" load or store one register, LDRD's and STRD's two, and a list;
    "multiply" has the parallel additions and packings of the DSP extension too; "vector" is all of MVE but
    its loads and stores, which are "single".
    """
    mnemonic = instruction.mnemonic
    is_vector = bool(_VECTOR.search(instruction.operands) or _VECTOR_CONTROL.match(mnemonic))
    for kind, pattern in _PATTERNS:
        if pattern.match(mnemonic):
            return "vector" if is_vector and kind == "float" else kind
    return "rest"


def words_moved(instruction: Instruction) -> int:
    """32-bit words that a load or store moves; a narrower one counts as a word, a vector as four."""
    kind = kind_of(instruction)
    if kind == "double":
        return 2
    if kind == "single":
        first = instruction.operands.split(",")[0].strip()
        return _VECTOR_WORDS if first.startswith("q") else 2 if first.startswith("d") else 1
    if kind == "multiple":
        return sum(map(_register_words, _listed(instruction.operands)))
    return 0


def _listed(operands: str) -> Iterator[str]:
    """The registers of a list such as {r0, r1, lr} or {s16-s19}."""
    found = _REGISTERS.search(operands)
    for entry in found[1].split(",") if found else ():
        first, _, last = entry.strip().partition("-")
        if last:
            yield from (f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1))
        else:
            yield first


def _register_words(name: str) -> int:
    return 2 if re.fullmatch(r"d\d+", name) else 1


@dataclass(frozen=True)
class Mix:
    """Instructions executed, by what they do; the sum of all but the last two is their number.

    Attributes:
        loads_stores: of single registers (LDR, STRB, VLDR …).
        multiple_loads_stores: of several (LDRD, LDM, PUSH, VSTM …).
        multiplies: multiplications and the DSP extension's parallel arithmetic and packing.
        divides: of integers.
        floats: of the floating-point unit, its moves included.
        vectors: of MVE, without its loads and stores.
        branches: all that only jump, taken or not.
        rest: moves, additions, shifts, comparisons.
        words_moved: 32-bit words of all loads and stores.
        jumps_taken: of any instruction, POP to the program counter too.
    """

    loads_stores: int = 0
    multiple_loads_stores: int = 0
    multiplies: int = 0
    divides: int = 0
    floats: int = 0
    vectors: int = 0
    branches: int = 0
    rest: int = 0
    words_moved: int = 0
    jumps_taken: int = 0

    def __sub__(self, other: Self) -> Self:
        mine, theirs = asdict(self), asdict(other)
        return type(self)(**{part.name: mine[part.name] - theirs[part.name] for part in fields(self)})


def count_mix(section: Section, code: Code) -> Mix:
    """The mix of a section."""
    counts: Counter[Kind] = Counter()
    words = 0
    for block in section:
        for instruction in code.of(block):
            counts[kind_of(instruction)] += block.runs
            words += words_moved(instruction) * block.runs
    return Mix(
        loads_stores=counts["single"],
        multiple_loads_stores=counts["double"] + counts["multiple"],
        multiplies=counts["multiply"],
        divides=counts["divide"],
        floats=counts["float"],
        vectors=counts["vector"],
        branches=counts["branch"],
        rest=counts["rest"],
        words_moved=words,
        jumps_taken=sum(block.taken for block in section),
    )
