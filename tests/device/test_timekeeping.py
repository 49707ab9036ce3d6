"""Host times of samples, over a real pty, from a device whose clock is known."""

from __future__ import annotations

import time

import pytest

from psog.device.client import open_headset
from psog.device.messages import Stream
from tests.device.peer import peer

BEGAN_S = time.monotonic()


def clock_us() -> int:
    """A clock that showed 2^64 - 1 s when this module was loaded."""
    return (2**64 - 1_000_000 + round((time.monotonic() - BEGAN_S) * 1e6)) % 2**64


def host_s(t_us: int) -> float:
    return BEGAN_S + ((t_us + 1_000_000 + 2**63) % 2**64 - 2**63) * 1e-6


def test_a_sample_has_a_host_time_within_the_uncertainty():
    with peer(clock_us=clock_us) as device, open_headset(device.port) as headset:
        headset.keep_time()
        t_us = clock_us()
        told_s, wall_s = headset.host_time_s(t_us), headset.wall_time_s(t_us)
        line = headset._keeper.clock.line
        assert abs(told_s - host_s(t_us)) <= line.uncertainty_s + 10e-6
        assert wall_s - told_s == pytest.approx(time.time() - time.monotonic(), abs=0.01)


def test_probing_goes_on_while_samples_are_fetched_and_loses_none():
    with peer(clock_us=clock_us) as device, open_headset(device.port) as headset:
        headset.stream(Stream.GAZE)
        headset.keep_time()
        before = len(headset._keeper.clock._probes)
        times = []
        for _ in range(10):
            device.read_sensors(1)
            times.append(next(headset.samples()).t_us)
            time.sleep(0.02)
        headset._keeper.host_time_s(times[-1])
        assert len(headset._keeper.clock._probes) > before
        assert times == list(range(1000, 11000, 1000))
        assert headset.losses.lost == 0


def test_without_a_reading_there_is_no_time_yet():
    with peer() as device, open_headset(device.port) as headset:
        assert headset.host_time_s(1) is None
        headset.keep_time()
        assert headset.host_time_s(1) is None
        device.clock_us = clock_us
        headset.stream(Stream.GAZE)
        for _ in range(3):
            device.read_sensors(1)
            next(headset.samples())
            time.sleep(0.05)
        assert headset.host_time_s(clock_us()) is not None


def test_no_probe_comes_between_a_command_and_its_repetition():
    with peer(clock_us=clock_us, deaf_to={"TUNE_BEGIN": 1}) as device:
        with open_headset(device.port, timeout_s=0.1) as headset:
            headset.keep_time()
            headset.tune_begin()
        names = [name for name, _ in device.carried_out]
    assert names.count("TUNE_BEGIN") == 1


def test_time_is_kept_across_a_restart():
    with peer(clock_us=clock_us) as device, open_headset(device.port) as headset:
        headset.keep_time()
        headset.restart()
        assert headset.host_time_s(clock_us()) is not None
