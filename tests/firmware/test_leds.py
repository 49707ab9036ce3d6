"""The emitters: dark without readings, never harder driven than the firmware's limits, whoever asks."""

from pathlib import Path

import pytest

from psog.device.client import open_headset
from psog.device.error_codes import DeviceErrorCode
from psog.errors import DeviceError, SafetyError
from psog.firmware_export.led_drive import LedDrive, led_drive
from psog.firmware_export.toolchain import available_boards, build_board
from psog.headset import load_headset
from psog.virtual.boards import start_board
from tests.firmware.device import code, shine, wait_for

PARTS = Path(__file__).parents[2] / "docs/examples/ring16_parts.toml"


@pytest.fixture
def headset_and_board(tmp_path):
    if "host" not in available_boards():
        pytest.skip("no C compiler is installed")
    with start_board("host", tmp_path / "flash") as board, open_headset(board.port) as headset:
        yield headset, board


def test_leds_shine_from_the_first_reading_until_readings_stop(headset_and_board):
    headset, board = headset_and_board
    assert board.leds[0] == 0
    shine(board)
    wait_for(lambda: board.leds[0] == 0)
    shine(board)
    headset.restart()
    wait_for(lambda: board.leds[0] == 0)


def test_a_host_may_ask_for_less_light_and_not_for_more(headset_and_board):
    headset, board = headset_and_board
    headset.set_leds(2, 1)
    shine(board, 2, 1)
    for duty_percent, current_ma in ((7, 3), (6, 4), (255, 65535)):
        with pytest.raises(DeviceError, match=code(DeviceErrorCode.RANGE)):
            headset.set_leds(duty_percent, current_ma)
    shine(board, 2, 1)
    headset.set_leds(6, 3)
    shine(board, 6, 3)
    headset.restart()
    shine(board)


def test_a_headset_of_known_parts_has_limits_of_its_own():
    headset = load_headset(PARTS)
    drive = led_drive(headset)
    assert drive == LedDrive(current_ma=20, most_current_ma=100, duty_percent=3, silent_us=10_000)
    build_board("host", leds=drive)
    assert led_drive(load_headset("ring16")) is None


def test_more_than_an_eye_may_have_is_refused_before_anything_is_built():
    parts = load_headset(PARTS)
    all_at_once = parts.drive.model_copy(update={"multiplexing": "none", "led_current_ma": 60.0})
    with pytest.raises(SafetyError, match="60 mA; 22 mA is the most that is safe for the eye"):
        led_drive(parts.model_copy(update={"drive": all_at_once}))
