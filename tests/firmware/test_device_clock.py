"""The firmware's clock between readings: theirs, carried on by the board's, across every wrap."""

from __future__ import annotations

import ctypes
import subprocess
from ctypes import POINTER, Structure, byref, c_bool, c_uint32, c_uint64

import pytest

from psog.firmware_export.toolchain import C_TREE, find_program


class Clock(Structure):
    """struct device_clock."""

    _fields_ = (("set", c_bool), ("t_us", c_uint64), ("board_us", c_uint32))

    def reading(self, t_us: int, board_us: int) -> None:
        LIBRARY.device_clock_reading(byref(self), c_uint64(t_us), c_uint32(board_us))

    def now(self, board_us: int) -> int | None:
        t_us = c_uint64()
        known = LIBRARY.device_clock_now(byref(self), c_uint32(board_us), byref(t_us))
        return t_us.value if known else None


LIBRARY: ctypes.CDLL


@pytest.fixture(autouse=True, scope="module")
def _library(tmp_path_factory):
    global LIBRARY  # noqa: PLW0603
    built = tmp_path_factory.mktemp("clock") / "clock.so"
    source = C_TREE / "app/device_clock.c"
    compile_it = [find_program("gcc", "gcc"), "-shared", "-fPIC", "-O2", str(source), "-o", str(built)]
    subprocess.run(compile_it, check=True)
    LIBRARY = ctypes.CDLL(str(built))
    LIBRARY.device_clock_now.restype = c_bool
    LIBRARY.device_clock_now.argtypes = (POINTER(Clock), c_uint32, POINTER(c_uint64))
    LIBRARY.device_clock_reading.restype = None


def test_before_the_first_reading_there_is_no_time():
    assert Clock().now(5) is None


@pytest.mark.parametrize("board_us", [0, 12345, 2**32 - 1500])
@pytest.mark.parametrize("t_us", [0, 2**32 - 1500, 2**64 - 1500])
def test_between_readings_it_goes_on_across_wraps(t_us, board_us):
    clock = Clock()
    clock.reading(t_us, board_us)
    for passed_us in range(0, 5000, 250):
        assert clock.now((board_us + passed_us) % 2**32) == (t_us + passed_us) % 2**64


def test_asked_once_in_a_while_it_goes_on_for_days():
    clock, hour_us = Clock(), 3_600_000_000
    clock.reading(7, 0)
    for hour in range(1, 49):
        assert clock.now(hour * hour_us % 2**32) == 7 + hour * hour_us


@pytest.mark.parametrize("late_us", [100, 4000, 49_000])
def test_late_readings_do_not_put_it_back(late_us):
    clock = Clock()
    clock.reading(1000, 0)
    for t_us in range(2000, 50_000, 1000):
        clock.reading(t_us, t_us - 1000 + late_us)
    assert clock.now(60_000) == 61_000


def test_readings_that_come_in_bursts_are_known_to_a_microsecond():
    clock = Clock()
    for burst_us in range(0, 400_000, 4000):
        for t_us in range(burst_us - 3000, burst_us + 1, 1000):
            clock.reading(t_us % 2**64, burst_us)
        assert abs(clock.now(burst_us) - burst_us) <= 1


@pytest.mark.parametrize("ppm", [-100, 100])
def test_it_follows_the_readings_when_the_two_oscillators_differ(ppm):
    clock, worst_us = Clock(), 0
    for t_us in range(0, 20_000_000, 1000):
        board_us = t_us + t_us * ppm // 1_000_000
        clock.reading(t_us, board_us)
        worst_us = max(worst_us, abs(clock.now(board_us) - t_us))
    assert worst_us <= 1


@pytest.mark.parametrize("t_us", [0, 1_000_000 - 60_000, 9_000_000])
def test_a_clock_that_was_set_anew_counts_at_once(t_us):
    clock = Clock()
    clock.reading(1_000_000, 0)
    clock.reading(t_us, 10)
    assert clock.now(10) == t_us


def test_readings_that_come_later_from_some_time_on_are_followed():
    clock = Clock()
    clock.reading(0, 0)
    for t_us in range(1000, 30_000_000, 1000):
        clock.reading(t_us, t_us + 5000)
    assert abs(clock.now(30_004_000) - 29_999_000) <= 1
