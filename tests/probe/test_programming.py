"""Firmware through a debug port, on QEMU: it gets there, runs, and touches nothing else."""

import struct
from dataclasses import replace

import pytest

from psog.device.client import open_headset
from psog.device.messages import Stream
from psog.device.samples import GazeSample
from psog.errors import ProbeError, ToolchainError
from psog.firmware_export.silicon import SILICON, Identity, Sector
from psog.firmware_export.toolchain import available_boards, build_board
from psog.probe.elf import Segment, read_segments
from psog.probe.gdb import PC
from psog.probe.port import EmulatedPort
from psog.probe.programming import plan, write_program
from psog.virtual.boards import start_board
from tests.firmware.device import IMAGE, streamed, upload

BOARD = "netduinoplus2"
PART = replace(SILICON[BOARD], identity=None)  # QEMU's part has no DBGMCU
LOOP = struct.pack("<II", 0x20001000, 0x08000009) + b"\xfe\xe7"
"""A program: vectors, and a jump to itself."""
SMALL = replace(PART, program=(Sector(0x08000000, 256), Sector(0x08000100, 256), Sector(0x08000200, 512)))


@pytest.fixture
def blank(tmp_path):
    """A board without a program, halted, whose flash is 0, not 0xFF, as after production."""
    if BOARD not in available_boards():
        pytest.skip(f"no compiler or emulator for {BOARD} is installed")
    with start_board(BOARD, tmp_path / "flash", debug="blank") as board:
        yield board


@pytest.fixture
def port(blank):
    return EmulatedPort(blank.debugger, "the emulated probe")


@pytest.mark.parametrize("silicon", [False, True], ids=["emulated form", "the part's form"])
def test_firmware_that_is_written_becomes_a_headset(blank, port, silicon):
    planned = plan(read_segments(build_board(BOARD, silicon=silicon)), PART)
    did = write_program(port, planned, PART)
    assert set(did.values()) == {"erased and programmed"}
    with open_headset(blank.port) as headset:
        assert headset.info.board == BOARD
        if not silicon:  # QEMU has no controller of the part's own flash
            upload(headset, IMAGE)
            assert len(streamed(headset, blank, Stream.GAZE, 0, 3)[GazeSample]) == 3
    assert set(write_program(port, planned, PART).values()) == {"kept"}


def test_only_what_must_be_is_erased_and_nothing_else_is_touched(port):
    gdb = port._gdb
    gdb.write(0x08000000, b"\xff" * 256 + b"\x12" * 256 + b"\x34" * 512)
    segments = [Segment(0x08000000, LOOP), Segment(0x080001F0, b"two")]
    did = write_program(port, plan(segments, SMALL), SMALL)
    assert list(did.values()) == ["programmed", "erased and programmed"]
    port.halt()
    assert gdb.register(PC) == 0x08000008
    rest = b"\xff" * (0x1F0 - len(LOOP))
    assert gdb.read(0x08000000, 1024) == LOOP + rest + b"two" + b"\xff" * 13 + b"\x34" * 512


def test_a_segment_may_lie_in_two_sectors():
    planned = plan([Segment(0x080000F8, bytes(range(16)))], SMALL)
    assert [(p.sector.start, p.used) for p in planned] == [(0x08000000, 8), (0x08000100, 8)]
    assert planned[0].content == b"\xff" * 0xF8 + bytes(range(8))
    assert planned[1].content == bytes(range(8, 16)) + b"\xff" * 0xF8


@pytest.mark.parametrize("address", [0x07FFFFFF, 0x080003FF, 0x20000000])
def test_what_lies_outside_the_programs_flash_is_refused(address):
    with pytest.raises(ProbeError, match=f"2 bytes at {address:#010x}, and the STM32F405RG holds programs"):
        plan([Segment(0x08000000, b"fits"), Segment(address, b"no")], SMALL)


def test_every_sector_for_programs_lies_before_those_of_models():
    models = 0x08080000  # link_region_start of boards/netduinoplus2/silicon.ld
    ends = [sector.start + sector.size for sector in PART.program]
    assert [sector.start for sector in PART.program[1:]] == ends[:-1]
    assert ends[-1] == models


def test_another_part_is_not_written_to(port):
    before = port._gdb.read(0x08000000, 64)
    other = replace(SMALL, identity=Identity(0xE000ED00, 0xFFF0, 0xC230))  # CPUID of a Cortex-M3
    with pytest.raises(ProbeError, match="0xc240, expected 0xc230; nothing was written"):
        write_program(port, plan([Segment(0x08000000, b"data")], other), other)
    assert port._gdb.read(0x08000000, 64) == before


def test_flash_that_does_not_hold_what_was_written_is_not_run(port):
    class Worn(EmulatedPort):
        def program(self, address, data):
            super().program(address, bytes((data[0] & ~1,)) + data[1:])

    worn = Worn(port._gdb, "the emulated probe")
    before = port._gdb.register(PC)
    with pytest.raises(ProbeError, match=r"programmed the sector .* at 0x08000000 is 0x68, expected 0x69"):
        write_program(worn, plan([Segment(0x08000000, b"in flash")], SMALL), SMALL)
    assert port._gdb.halt() == ("stopped", 0)  # it has not run since
    assert port._gdb.register(PC) == before


def test_flash_that_stays_as_it_was_is_found_before_it_is_programmed(port):
    class Protected(EmulatedPort):
        def erase(self, sector):
            pass

    protected = Protected(port._gdb, "the emulated probe")
    port._gdb.write(0x08000080, b"\x00")
    with pytest.raises(ProbeError, match=r"erased the sector .* write protected"):
        write_program(protected, plan([Segment(0x08000000, b"data")], SMALL), SMALL)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda elf: b"", "is no firmware"),
        (lambda elf: elf[:40], "is no firmware"),
        (lambda elf: b"\x7fELF\x02" + elf[5:], "another header"),
        (lambda elf: elf[:18] + b"\x3e\x00" + elf[20:], "another header"),
        (lambda elf: elf[:44] + b"\xff\xff" + elf[46:], "65535 segments"),
        (lambda elf: elf[:44] + b"\x00\x00" + elf[46:], "nothing to load"),
        (lambda elf: elf[:5000], "ends before its segment"),
    ],
)
def test_a_file_that_is_no_firmware_is_refused(tmp_path, damage, complaint):
    path = tmp_path / "firmware.elf"
    path.write_bytes(damage(build_board(BOARD).read_bytes()))
    with pytest.raises(ToolchainError, match=complaint):
        read_segments(path)
