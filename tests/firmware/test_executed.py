"""What ran, and what it costs a Cortex-M4: held to fragments of assembly whose counts are known by hand."""

import subprocess

import pytest

from psog.firmware_export.cycles import DIVISION, REFILL, m4_cycles
from psog.firmware_export.executed import Code, Instruction, execute, instructions
from psog.firmware_export.mix import Mix, count_mix, kind_of, words_moved
from psog.firmware_export.toolchain import available_boards, board_target

BOARD, VECTOR_BOARD = "mps2-an386", "mps3-an547"
RAM_AT = {BOARD: 0x20000000, VECTOR_BOARD: 0x30000000}
pytestmark = pytest.mark.skipif(
    BOARD not in available_boards(), reason="no cross compiler or no QEMU is installed"
)

FRAGMENTS = {
    "neighbouring loads, and a store behind them": (
        "ldr r0, [r4]\n ldr r1, [r4, #4]\n str r1, [r4, #8]",
        Mix(loads_stores=3, words_moved=3),
        2 + 1 + 1,
    ),
    "a load that waits for its address": (
        "ldr r0, [r5]\n ldrb r1, [r0]\n movs r2, #1\n strb r2, [r0]",
        Mix(loads_stores=3, rest=1, words_moved=3),
        2 + 2 + 1 + 2,
    ),
    "several registers at once": (
        "ldrd r0, r1, [r4]\n ldmia r4, {r0-r3}\n push {r0-r6}\n pop {r0-r6}\n strd r0, r1, [r4]",
        Mix(multiple_loads_stores=5, words_moved=2 + 4 + 7 + 7 + 2),
        3 + 5 + 8 + 8 + 3,
    ),
    "multiplications of the DSP extension": (
        "smlad r0, r1, r2, r3\n smmulr r0, r1, r2\n mla r0, r1, r2, r3\n smull r0, r1, r2, r3\n"
        "sxtb16 r0, r1\n uadd8 r0, r1, r2\n muls r0, r1\n ssat r0, #8, r1\n sxtb r0, r1",
        Mix(multiplies=7, rest=2),
        9,
    ),
    "divisions": ("udiv r0, r4, r5\n sdiv r0, r4, r5", Mix(divides=2), 2 * DIVISION),
    "a loop": (
        "movs r0, #5\n 1: subs r0, #1\n bne 1b",
        Mix(branches=5, rest=6, jumps_taken=4),
        1 + 5 + 5 + 4 * REFILL,
    ),
    "a call that returns by popping": (
        "bl called",
        Mix(branches=1, multiple_loads_stores=2, words_moved=4, jumps_taken=2),
        (1 + REFILL) + 3 + (3 + REFILL),
    ),
    "conditional instructions": (
        "cmp r0, r0\n ite eq\n addeq r0, #1\n addne r0, #1\n cbz r4, 1f\n nop\n 1: nop",
        Mix(branches=1, rest=6),
        7,
    ),
    "a table of branches": (
        "movs r0, #0\n tbb [pc, r0]\n .byte 3, 3\n nop\n nop\n nop",
        Mix(branches=1, rest=2, jumps_taken=1),
        1 + (2 + REFILL) + 1,
    ),
    "floats": (
        "vldr s0, [r4]\n vmul.f32 s1, s0, s0\n vfma.f32 s1, s0, s0\n vdiv.f32 s2, s1, s1\n vsqrt.f32 s2, s1\n"
        "vldmia r4, {s0-s3}\n vmov r0, r1, d0\n vmov r0, s1\n vpush {d8-d9}\n vpop {d8-d9}\n vmrs r0, fpscr",
        Mix(loads_stores=1, multiple_loads_stores=3, floats=7, words_moved=1 + 4 + 4 + 4),
        2 + 1 + 3 + 14 + 14 + 5 + 2 + 1 + 5 + 5 + 1,
    ),
}

PROGRAM = """
    .syntax unified
    .thumb
    .text
    .word {ram} + 0x1000, start + 1
    .thumb_func
start:
    ldr r0, =0xE000ED88         @ the floating-point unit's switch
    ldr r1, [r0]
    orr r1, #0xF00000
    str r1, [r0]
    isb
    ldr r4, ={ram} + 0x100      @ some memory
    ldr r5, ={ram} + 0x200      @ an address of it
    str r4, [r5]
    bl bench_begin
    bl bench_end
{fragments}
    movs r0, #0x18              @ semihosting: exit, of the application
    ldr r1, =0x20026
    bkpt 0xAB
    .thumb_func
called: push {{r4, lr}}
    pop {{r4, pc}}
    .global bench_begin, bench_end
    .thumb_func
bench_begin: nop
    bx lr
    .thumb_func
bench_end: nop
    bx lr
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """What nothing executed, what each fragment did, and the instructions of the program."""
    codes = [code for code, _, _ in FRAGMENTS.values()]
    empty, *sections, code = execute_fragments(BOARD, codes, tmp_path_factory.mktemp("fragments"))
    return empty, dict(zip(FRAGMENTS, sections, strict=True)), code


def execute_fragments(name, codes, folder):
    """The section of no fragment, those of the fragments, and the instructions of the program."""
    marked = (f"bl bench_begin\n {code}\n bl bench_end" for code in codes)
    (folder / "program.s").write_text(PROGRAM.format(fragments="\n".join(marked), ram=RAM_AT[name]))
    board = board_target(name)
    program = folder / "program.elf"
    link = ["-nostdlib", "-Wl,-Ttext=0,-estart", "program.s", "-o", program.name]
    subprocess.run([board.target.compiler, *board.target.core, *link], cwd=folder, check=True)
    status, sections = execute(board, program, folder, 20)
    assert status == 0
    assert len(sections) == 1 + len(codes)
    return *sections, Code(program, board)


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_is_counted_and_estimated_as_by_hand(name, executed):
    empty, sections, code = executed
    _, mix, cycles = FRAGMENTS[name]
    section = sections[name]
    assert count_mix(section, code) - count_mix(empty, code) == mix
    assert m4_cycles(section, code) - m4_cycles(empty, code) == cycles
    total = sum(count for kind, count in vars(mix).items() if kind not in ("words_moved", "jumps_taken"))
    assert instructions(section) - instructions(empty) == total


def test_vectors_are_told_from_scalars(tmp_path):
    loop = (
        "mov r0, r4\n mov r1, r4\n mov r2, #64\n mov r6, #0\n dlstp.8 lr, r2\n"
        "1: vldrb.s8 q0, [r0], #16\n vldrb.s8 q1, [r1], #16\n vmladava.s8 r6, q0, q1\n letp lr, 1b\n"
        "vstrb.8 q0, [r4]\n vmov r0, s1"
    )
    empty, section, code = execute_fragments(VECTOR_BOARD, [loop], tmp_path)
    assert count_mix(section, code) - count_mix(empty, code) == Mix(
        loads_stores=9, vectors=4, floats=1, branches=5, rest=4, words_moved=36, jumps_taken=3
    )


@pytest.mark.parametrize(
    ("mnemonic", "operands", "kind", "words"),
    [
        ("vldrb.u8", "q0, [r0], #16", "single", 4),
        ("vstrwt.32", "q3, [r0]", "single", 4),
        ("vmladava.s8", "r0, q1, q2", "vector", 0),
        ("vpst", "", "vector", 0),
        ("vctp.8", "r1", "vector", 0),
        ("vmov", "q0[2], q0[0], r1, r2", "vector", 0),
        ("vmov", "r0, s1", "float", 0),
        ("dlstp.8", "lr, r2", "branch", 0),
        ("letp", "lr, 10", "branch", 0),
        ("vldrle", "s15, [pc, #4]", "single", 1),
        ("vldr", "d7, [pc, #4]", "single", 2),
        ("vldmia", "r2!, {d8-d11}", "multiple", 8),
        ("stmdb", "sp!, {r4, r5, fp, lr}", "multiple", 4),
        ("ldrdeq", "r0, r1, [r2]", "double", 2),
        ("bls.n", "10", "branch", 0),
        ("bics", "r0, r1", "rest", 0),
        ("bfi", "r0, r1, #2, #3", "rest", 0),
        ("movls", "r0, r1", "rest", 0),
        ("mlsls", "r0, r1, r2, r3", "multiply", 0),
        ("umaal", "r0, r1, r2, r3", "multiply", 0),
        ("smusdx", "r0, r1, r2", "multiply", 0),
        ("sel", "r0, r1, r2", "multiply", 0),
        ("uxtb", "r0, r1", "rest", 0),
        ("sub.w", "r0, r1", "rest", 0),
    ],
)
def test_a_mnemonic_has_one_kind(mnemonic, operands, kind, words):
    instruction = Instruction(mnemonic, operands)
    assert (kind_of(instruction), words_moved(instruction)) == (kind, words)
