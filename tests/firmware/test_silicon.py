"""Boards whose folder also makes the program for the part itself: what QEMU can show of that form.

QEMU has the STM32F405's memory, USARTs and timers, but no clock controller and no flash controller; it logs
what a program writes to those.
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
from tests.firmware.device import IMAGE, code

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
        headset.upload(IMAGE)
    assert not (tmp_path / "flash").exists()
    sector, words, erase, start, lock = 8 << 3, 2 << 8, 1 << 1, 1 << 16, 1 << 31
    control = [value for at, value in written(log, "Flash Int") if at == 0x10]
    assert control == [sector | words | erase, sector | words | erase | start, lock]


def test_a_board_without_that_form_is_named():
    with pytest.raises(ToolchainError, match="board 'mps2-an386' has no form for silicon"):
        build_board("mps2-an386", silicon=True)
