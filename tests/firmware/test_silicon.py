"""Boards whose folder also makes the program for the part itself: what can be shown of that form without one.

QEMU has the STM32F405's memory, USARTs and timers, but no clock controller and no flash controller; it logs
what a program writes to those. Around a model of the two (stm32f405.c) the same sources run on the host.
"""

import ctypes
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from psog.device.client import open_headset
from psog.device.error_codes import DeviceErrorCode
from psog.errors import DeviceError, ToolchainError
from psog.firmware_export.binaries import section_sizes, symbols
from psog.firmware_export.toolchain import C_TREE, available_boards, board_target, build_board
from psog.virtual import boards
from tests.firmware.c_api import Flash
from tests.firmware.device import IMAGE, code, upload

BOARD = "netduinoplus2"
SECTOR_BYTES = 128 * 1024
NEVER_ENDS, FAILS = 1, 2
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


class Part(ctypes.Structure):
    """struct part of stm32f405.c."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("has_crystal", "fault", "is_locked", "cache_is_old")),
        ("wrong", ctypes.c_char_p),
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """stm32f405.c, built."""
    built = tmp_path_factory.mktemp("stm32f405") / "model.so"
    common = ("boards", "boards/common/guard", "boards/common/cortex_m", "boards/common/serial")
    folders = [C_TREE / name for name in ("runtime", *common, f"boards/{BOARD}")]
    flags = ["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-DPSOG_SILICON"]
    source = Path(__file__).with_name("stm32f405.c")
    subprocess.run(["gcc", *flags, *(f"-I{f}" for f in folders), source, "-o", built], check=True)
    return built


@pytest.fixture
def chip(model, tmp_path):
    """The model as after reset: a copy, because a library is loaded once."""
    library = ctypes.CDLL(str(shutil.copy(model, tmp_path / "model.so")))
    library.hardware_flash.restype = Flash
    return library


def state(chip) -> Part:
    return Part.in_dll(chip, "part")


def register(chip, block: str, index: int) -> int:
    return (ctypes.c_uint32 * (index + 1)).in_dll(chip, block)[index]


@pytest.mark.parametrize("crystal_hz", [25_000_000, 0])
def test_the_core_gets_168_mhz_and_the_links_their_rate_with_or_without_a_crystal(chip, crystal_hz):
    state(chip).has_crystal = crystal_hz > 0
    chip.hardware_start()
    assert state(chip).wrong is None
    pll = register(chip, "rcc", 1)
    assert pll >> 22 & 1 == (crystal_hz > 0)
    core_hz = (crystal_hz or 16_000_000) / (pll & 0x3F) * (pll >> 6 & 0x1FF) / 2
    assert core_hz == 168e6
    assert core_hz / 2 / register(chip, "link_uart", 2) == pytest.approx(921_600, rel=0.002)
    assert core_hz / 4 / register(chip, "sensor_uart", 2) == pytest.approx(921_600, rel=0.01)


def test_the_leds_timer_counts_its_periods_and_stops_by_itself(chip):
    control, update, prescaler, period, repetitions, first_on = 0, 5, 10, 11, 12, 13
    on_for_one_pulse, off = 1 | 1 << 3, 1 << 3
    chip.hardware_start()
    core_hz = 168e6
    chip.guard_drive_leds(6, 25)
    step_us = (register(chip, "led_timer", prescaler) + 1) / core_hz * 1e6
    steps = register(chip, "led_timer", period) + 1
    assert (register(chip, "led_timer", repetitions) + 1) * steps * step_us == pytest.approx(8000)
    assert 1 - register(chip, "led_timer", first_on) / steps == pytest.approx(0.06)
    assert register(chip, "led_timer", control) == on_for_one_pulse
    assert register(chip, "led_timer", update) == 1
    assert register(chip, "dac", 2) == 4095 * 25 // 100
    chip.guard_drive_leds(100, 1000)
    assert register(chip, "led_timer", first_on) == 1  # off at count 0, where it stops
    assert register(chip, "dac", 2) == 4095
    for dark in ((0, 25), (6, 0)):
        chip.guard_drive_leds(*dark)
        assert register(chip, "led_timer", control) == off
        assert register(chip, "led_timer", first_on) == steps  # never


def test_the_watchdog_leaves_an_erase_its_time_with_the_fastest_oscillator(chip):
    key, divider, count = range(3)
    chip.hardware_start()
    chip.hardware_watchdog_start()
    by_64, fed = 4, 0xAAAA
    assert (register(chip, "watchdog", divider), register(chip, "watchdog", key)) == (by_64, fed)
    assert 3.0 < register(chip, "watchdog", count) / (47_000 / 64) < 3.1


@pytest.mark.parametrize(("flag", "counts"), [(29, True), (28, True), (27, False), (26, False)])
def test_only_its_own_resets_and_the_watchdogs_are_counted(chip, flag, counts):
    (ctypes.c_uint32 * 30).in_dll(chip, "rcc")[29] = 1 << flag | 1 << 26  # with each, the pin's
    assert (chip.reset_from_outside() & 0xFF == 0) == counts


def program(region: Flash, offset: int, data: bytes) -> int:
    """From an odd address."""
    bytes_ = (ctypes.c_uint8 * (len(data) + 1)).from_buffer_copy(b"-" + data)
    odd = ctypes.cast(ctypes.addressof(bytes_) + 1, ctypes.POINTER(ctypes.c_uint8))
    return region.program(None, offset, odd, len(data))


def test_sectors_are_erased_and_words_programmed_as_the_manual_says(chip):
    first, second, kept = 0, SECTOR_BYTES, 3 * SECTOR_BYTES
    chip.hardware_start()
    region = chip.hardware_flash()
    assert (region.size_bytes, region.erase_bytes) == (4 * SECTOR_BYTES, SECTOR_BYTES)
    assert region.erase(None, first, 2 * SECTOR_BYTES) == 0
    assert program(region, second + 8, b"twelve bytes") == 0
    assert program(region, second + 20, b"four") == 0
    flash = bytes(region.memory[: region.size_bytes])
    assert flash[second : second + 28] == b"\xff" * 8 + b"twelve bytesfour" + b"\xff" * 4
    assert set(flash[first:second]) == {0xFF}
    assert set(flash[kept:]) == {0}  # what it was
    assert state(chip).wrong is None
    assert state(chip).is_locked
    assert not state(chip).cache_is_old


@pytest.mark.parametrize("fault", [NEVER_ENDS, FAILS])
def test_flash_that_fails_is_an_error_and_not_an_endless_wait(chip, fault):
    chip.hardware_start()
    region = chip.hardware_flash()
    state(chip).fault = fault
    assert region.erase(None, 0, SECTOR_BYTES) == DeviceErrorCode.FLASH
    assert program(region, SECTOR_BYTES, b"word") == DeviceErrorCode.FLASH
    assert state(chip).wrong is None


def test_a_board_without_that_form_is_named():
    with pytest.raises(ToolchainError, match="board 'mps2-an386' has no form for silicon"):
        build_board("mps2-an386", silicon=True)
