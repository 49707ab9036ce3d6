"""Firmware that hangs or crashes: LEDs go dark within 10 ms, and it starts again. Made to, for real.

On emulated boards a debugger puts the core into an endless loop, or where there is no code; time is the
board's own, of executed instructions (QEMU's icount), so it is the same however busy this computer is.
"""

import platform
from pathlib import Path

import pytest

from psog.device.client import open_headset
from psog.firmware_export.binaries import symbols
from psog.firmware_export.toolchain import available_boards, board_target, build_board
from psog.probe.gdb import LR, PC, SP
from psog.virtual import boards
from psog.virtual.boards import start_board
from tests.firmware.device import IMAGE, OTHER_IMAGE, feed, has, shine, upload, wait_for

CLOCK_US = {"mps2-an386": 0x40028018, "netduinoplus2": 0x40000024}
"""The boards, and their counters of microseconds: FPGAIO's, TIM2's."""
FPGAIO_LEDS = 0x40028000
NOMINAL = 6 << 16 | 3  # leds.h: percent, and mA
DARK_WITHIN_US = 10_000
STEP_S = 60

# A loop that notes the time (ldr r4, [r1]), waits for dark LEDs (ldr r2, [r0]; cmp r2, #0; bne), notes the
# time (ldr r3, [r1]) and goes on for ever (b .): the debugger's own stops cost time.
HANG = bytes.fromhex("0c68 0268 002a fcd1 0b68 fee7")
HOLD_INTERRUPTS = bytes.fromhex("72b6 71b6")  # cpsid i, cpsid f
R0, R1, R2, R3, R4 = range(5)
NO_CODE = 0xF0000000
NO_STACK = 0x10


@pytest.fixture
def counted(monkeypatch):
    """Emulated time is 256 ns for each instruction: 4 MIPS."""
    command = boards._emulated
    monkeypatch.setattr(boards, "_emulated", lambda *given: [*command(*given), "-icount", "shift=8"])


class Victim:
    """A running emulated board, and ways to harm it."""

    def __init__(self, board: boards.Board) -> None:
        assert board.debugger is not None
        self.board, self.gdb, self.name = board, board.debugger, board.name
        self.at = symbols(build_board(self.name), board_target(self.name).target)

    def word(self, address: int) -> int:
        return int.from_bytes(self.gdb.read(address, 4), "little")

    def leds(self) -> int:
        return self.word(self.at["leds_driven"])

    def us(self) -> int:
        return self.word(CLOCK_US[self.name])

    def run_to(self, name: str) -> None:
        self.run_to_address(self.at[name] & ~1)

    def run_to_address(self, address: int) -> None:
        self.gdb.break_at(address)
        self.gdb.run()
        assert self.gdb.wait(STEP_S) == ("stopped", 5)
        self.gdb.clear_break(address)

    def run_to_return(self) -> None:
        """Of the function whose first instruction comes next."""
        self.run_to_address(self.gdb.register(LR) & ~1)

    def take_reading(self) -> None:
        """Halts with it; the loop has not slept since when it comes to the LEDs."""
        self.gdb.halt()
        feed(self.board, 0, 1)
        self.run_to("app_reading")

    def halt_lit(self) -> None:
        """In the loop, a reading taken, the LEDs on."""
        self.take_reading()
        self.run_to("board_leds")
        self.run_to_return()
        assert self.leds() == NOMINAL

    def hang(self, before: bytes = b"") -> int:
        """Until the LEDs are dark; how many microseconds that took."""
        place = self.at["link_stack_bottom"]
        self.gdb.write(place, before + HANG)
        for register, value in ((R0, self.at["leds_driven"]), (R1, CLOCK_US[self.name]), (PC, place)):
            self.gdb.set_register(register, value)
        self.run_to_address(place + len(before + HANG) - 2)
        return self.gdb.register(R3) - self.gdb.register(R4)

    def restarts_told_at_start(self) -> int:
        """app_start's third argument, at the next start."""
        self.run_to("app_start")
        return self.gdb.register(R2)


@pytest.fixture(params=CLOCK_US)
def victim(request, counted, tmp_path):
    if request.param not in available_boards():
        pytest.skip(f"no compiler or emulator for {request.param} is installed")
    with start_board(request.param, tmp_path / "flash", debug="running") as board:
        with open_headset(board.port) as headset:  # it listens to its sensors now
            assert headset.status().hung_restarts == 0
        yield Victim(board)


def test_a_hang_leaves_leds_dark_and_the_third_in_a_row_is_told(victim):
    victim.halt_lit()
    assert 0 < victim.hang() < DARK_WITHIN_US
    assert victim.restarts_told_at_start() == 1
    victim.hang()
    assert victim.restarts_told_at_start() == 2
    victim.hang()
    assert victim.restarts_told_at_start() == 3


@pytest.mark.parametrize("victim", ["mps2-an386"], indirect=True)
def test_a_hang_with_interrupts_held_off_is_one_too(victim):
    victim.halt_lit()
    assert victim.word(FPGAIO_LEDS) == 1
    assert 0 < victim.hang(HOLD_INTERRUPTS) < DARK_WITHIN_US
    assert victim.word(FPGAIO_LEDS) == 0
    assert victim.restarts_told_at_start() == 1


@pytest.mark.parametrize("victim", ["mps2-an386"], indirect=True)
def test_a_model_that_hangs_again_and_again_gives_way_to_the_one_before(victim):
    with open_headset(victim.board.port) as headset:
        for image in (OTHER_IMAGE, IMAGE):
            upload(headset, image)
    victim.halt_lit()
    for restarts in (1, 2, 3):
        victim.hang()
        assert victim.restarts_told_at_start() == restarts
    victim.gdb.run()
    with open_headset(victim.board.port) as headset:
        assert has(headset, OTHER_IMAGE)
        assert headset.status().hung_restarts == 3


@pytest.mark.parametrize("damage", [{PC: NO_CODE}, {PC: NO_CODE, SP: NO_STACK}], ids=["jump", "stack"])
def test_a_crash_leaves_leds_dark_at_once_and_starts_it_again(victim, damage):
    victim.halt_lit()
    for register, value in damage.items():
        victim.gdb.set_register(register, value)
    victim.run_to("guard_crashed")
    victim.run_to("guard_restart")
    assert victim.leds() == 0
    assert victim.restarts_told_at_start() == 1


def test_damaged_memory_does_not_drive_leds_harder_than_their_limits(victim):
    victim.take_reading()
    victim.run_to("leds_step")
    victim.gdb.write(victim.gdb.register(R0), b"\xff\0\xff\xff")  # struct leds: duty and current
    victim.run_to("board_leds")
    assert victim.gdb.register(R0) << 16 | victim.gdb.register(R1) == NOMINAL


TRAPS = {
    "x86_64": {"hang": b"\xb8\x22\0\0\0\x0f\x05\xeb\xf7", "crash": b"\x0f\x0b"},
    "aarch64": {"hang": b"\0\0\0\x14", "crash": b"\0\0\0\0"},
}
"""Instructions of computers: pause(2) again and again (a jump to itself), and one that is illegal."""


@pytest.mark.skipif(platform.machine() not in TRAPS, reason="no instructions for this computer's processor")
@pytest.mark.parametrize("harm", ["hang", "crash"])
def test_the_firmware_as_a_process_does_so_too(harm, tmp_path):
    with start_board("host", tmp_path / "flash") as board:
        process = Path(f"/proc/{board._process.pid}")
        with open_headset(board.port):
            pass  # it has started
        shine(board)
        base = int((process / "maps").read_text().split("-")[0], 16)
        with (process / "mem").open("r+b", buffering=0) as memory:
            memory.seek(base + symbols(build_board("host"), board_target("host").target)["app_step"])
            memory.write(TRAPS[platform.machine()][harm])
        restarted = b"--record\0" + b"1\0"  # what the one before left: still running
        wait_for(lambda: restarted in (process / "cmdline").read_bytes())
        wait_for(lambda: board.leds[0] == 0)
        with open_headset(board.port) as headset:
            assert headset.info.board == "host"
        shine(board)
