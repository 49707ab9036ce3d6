"""Boards whose folder also makes the program for the part itself: what can be shown of that form without one.

QEMU has the STM32F405's memory, USARTs and timers, but no clock controller and no flash controller; it logs
what a program writes to those. A model of the two (stm32f405.py) answers as the reference manual says.
"""

import re
import subprocess
from functools import partial

import pytest

from psog.device.client import open_headset
from psog.device.messages import DeviceErrorCode
from psog.errors import DeviceError, ToolchainError
from psog.firmware_export.toolchain import (
    available_boards,
    board_target,
    build_board,
    section_sizes,
    symbols,
)
from psog.virtual import boards
from tests.firmware.device import IMAGE, code, upload
from tests.firmware.stm32f405 import (
    CR,
    LOCK,
    RCC_PLLCFGR,
    SECTOR_BYTES,
    USART1_BRR,
    USART2_BRR,
    Part,
)

BOARD = "netduinoplus2"
pytestmark = pytest.mark.skipif(BOARD not in available_boards(), reason="no cross compiler or no QEMU")


@pytest.fixture
def log(monkeypatch, tmp_path):
    """Boards start in the form for silicon, and QEMU logs to this file."""
    log, command = tmp_path / "log", boards._emulated
    monkeypatch.setattr(boards, "build_board", partial(build_board, silicon=True))
    monkeypatch.setattr(boards, "_emulated", lambda *given: [*command(*given), "-d", "unimp", "-D", str(log)])
    return log


def written(log, device):
    """(offset, value) of every write to a device that QEMU does not have."""
    line = rf"^{device}: unimplemented device write \(size 4, offset (0x\w+), value (0x\w+)\)"
    return [(int(at, 16), int(value, 16)) for at, value in re.findall(line, log.read_text(), re.MULTILINE)]


def test_the_form_for_silicon_keeps_off_the_sectors_of_models_and_asks_no_debugger():
    target = board_target(BOARD).target
    program = build_board(BOARD, silicon=True)
    assert program != build_board(BOARD)
    assert section_sizes(program, target).flash_bytes < 512 * 1024
    assert symbols(program, target)["link_region_start"] == 0x08080000  # sector 8
    objdump = target.nm.replace("nm", "objdump")
    code = subprocess.run([objdump, "-d", str(program)], capture_output=True, text=True, check=True).stdout
    assert "bkpt" not in code


def test_a_clock_that_never_gets_ready_does_not_stop_the_start(log, tmp_path):
    with boards.start_board(BOARD, tmp_path / "flash") as board, open_headset(board.port) as headset:
        assert headset.info.board == BOARD
    control, pll, switch = 0x00, 0x04, 0x08
    clocks = [write for write in written(log, "RCC") if write[0] in (control, pll, switch)]
    assert clocks == [
        (control, 1 << 16),  # the crystal is asked for
        (control, 0),  # and given up
        (pll, 0x20000000 | 7 << 24 | 336 << 6 | 16),  # 168 MHz from the internal 16 MHz
        (control, 1 << 24),
        (switch, 0),  # the PLL does not lock: as after reset
        (control, 0),
    ]


def test_flash_that_does_not_take_an_erase_is_found_out(log, tmp_path):
    """A whole erase of sector 8 is asked for; reading back shows that nothing happened."""
    with (
        boards.start_board(BOARD, tmp_path / "flash") as board,
        open_headset(board.port) as headset,
        pytest.raises(DeviceError, match=code(DeviceErrorCode.FLASH)),
    ):
        upload(headset, IMAGE)
    assert not (tmp_path / "flash").exists()
    sector, words, erase, start, lock = 8 << 3, 2 << 8, 1 << 1, 1 << 16, 1 << 31
    control = [value for at, value in written(log, "Flash Int") if at == 0x10]
    assert control == [sector | words | erase, sector | words | erase | start, lock]


@pytest.fixture
def part(tmp_path):
    target = board_target(BOARD).target
    program, image = build_board(BOARD, silicon=True), tmp_path / "image"
    objcopy = target.nm.replace("nm", "objcopy")
    subprocess.run([objcopy, "-O", "binary", str(program), str(image)], check=True)
    return Part(image.read_bytes(), symbols(program, target))


@pytest.mark.parametrize("crystal_hz", [25_000_000, 0])
def test_the_core_gets_168_mhz_and_the_links_their_rate_with_or_without_a_crystal(part, crystal_hz):
    part.crystal = crystal_hz > 0
    part.call("hardware_start")
    assert part.wrong == []
    pll = part.registers[RCC_PLLCFGR]
    assert pll >> 22 & 1 == part.crystal
    core_hz = (crystal_hz or 16_000_000) / (pll & 0x3F) * (pll >> 6 & 0x1FF) / 2
    assert core_hz == 168e6
    assert core_hz / 2 / part.registers[USART1_BRR] == pytest.approx(921_600, rel=0.002)
    assert core_hz / 4 / part.registers[USART2_BRR] == pytest.approx(921_600, rel=0.01)


def test_sectors_are_erased_and_words_programmed_as_the_manual_says(part):
    first, second, kept = 0, SECTOR_BYTES, 3 * SECTOR_BYTES
    part.call("hardware_start")
    region = part.region()
    assert (region.memory, region.size_bytes, region.erase_bytes) == (
        0x08080000,
        4 * SECTOR_BYTES,
        SECTOR_BYTES,
    )
    assert part.erase(first, 2 * SECTOR_BYTES) == 0
    assert part.program(second + 8, b"twelve bytes") == 0
    assert part.program(second + 20, b"four") == 0
    assert part.flash[second : second + 28] == b"\xff" * 8 + b"twelve bytesfour" + b"\xff" * 4
    assert set(part.flash[first:second]) == {0xFF}
    assert set(part.flash[kept:]) == {0}  # what it was
    assert part.wrong == []
    assert part.registers[CR] == LOCK
    assert not part.cache_is_old


@pytest.mark.parametrize("fault", ["error", "stuck"])
def test_flash_that_fails_is_an_error_and_not_an_endless_wait(part, fault):
    part.call("hardware_start")
    part.fault = fault
    assert part.erase(0, SECTOR_BYTES) == DeviceErrorCode.FLASH
    assert part.program(SECTOR_BYTES, b"word") == DeviceErrorCode.FLASH
    assert part.wrong == []


def test_a_board_without_that_form_is_named():
    with pytest.raises(ToolchainError, match="board 'mps2-an386' has no form for silicon"):
        build_board("mps2-an386", silicon=True)
