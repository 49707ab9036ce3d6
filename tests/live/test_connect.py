"""`psog.connect()` and `psog.connect_async()`: a program's way to live gaze."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import psog
from psog.benchmarks.cable import Cable
from psog.device.messages import Stream
from psog.device.reconnecting import Back, Gone
from psog.device.running import Running, announced
from psog.errors import DeviceError, LinkError
from psog.live import connect_async as module
from tests.device.peer import peer


@pytest.fixture
def nothing_else(tmp_path, monkeypatch):
    """Only virtual headsets announced in this folder are found."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("PSOG_USB", raising=False)
    return tmp_path / "psog"


def in_use() -> tuple[int, int]:
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


def clock_us():
    return round(time.monotonic() * 1e6)


def test_the_only_headset_is_found_and_its_gaze_comes_as_named_tuples(nothing_else):
    with peer(readings=50) as device, announced(nothing_else, Running(device.port, "host", "ring16")):
        with psog.connect() as headset:
            samples = list(headset.gaze(count=50))
            assert headset.info.headset == "ring16"
            assert headset.losses.lost == 0
        assert device.mask == Stream(0)
    assert [sample.t_us for sample in samples] == list(range(1000, 51_000, 1000))
    assert (samples[9].gaze_h_deg, samples[9].gaze_v_deg, samples[9].valid) == (
        pytest.approx(0.01),
        -1.0,
        True,
    )


def test_without_a_headset_or_with_two_it_says_what_to_do(nothing_else):
    with pytest.raises(LinkError, match="no headset is found; connect one, start one with psog virtual"):
        psog.connect()
    with (
        peer() as one,
        peer() as two,
        announced(nothing_else, Running(one.port, "host", "ring16")),
        announced(nothing_else, Running(two.port, "host", "ring16")),
        pytest.raises(LinkError, match=r"2 headsets are connected.*name one with port="),
    ):
        psog.connect()


def test_a_second_client_is_told_that_the_port_is_in_use():
    with peer() as device, psog.connect(device.port):
        with pytest.raises(LinkError, match="another program has it open; close that program first"):
            psog.connect(device.port)
        second = f"import psog; psog.connect({device.port!r})"
        other = subprocess.run([sys.executable, "-c", second], capture_output=True, text=True)
    assert other.stderr.splitlines()[-1].endswith("another program has it open; close that program first")


def test_gaze_that_nobody_asks_for_is_not_sent():
    with peer(readings=20) as device, psog.connect(device.port) as headset:
        for sample in headset.gaze():
            if sample.t_us == 5_000:
                break
        assert device.mask == Stream(0)
        assert next(headset.gaze()).t_us == 21_000  # of now, not what was left over


def test_sensors_and_batches():
    with peer(readings=40, sensors=2, clock_us=clock_us) as device, psog.connect(device.port) as headset:
        sensors = list(headset.sensors(count=40))
        batch = next(headset.batches(sensors=True))
    assert [sample.readings.tolist() for sample in sensors] == [[1, 0xFFFF]] * 40
    assert batch.readings is not None
    assert batch.readings.shape == (len(batch.t_us), 2)
    assert np.isfinite(batch.host_time_s).all()


def test_a_headset_that_was_unplugged_goes_on_and_the_gap_is_told(tmp_path):
    changes = []
    with (
        peer(readings=30) as device,
        Cable(device.port, tmp_path / "headset") as cable,
        psog.connect(str(cable.link), on_change=changes.append) as headset,
    ):
        for sample in headset.gaze(count=60):
            if sample.t_us == 30_000:
                cable.pull(0)
                cable.plug()
        assert headset.away_s == [changes[1].away_s]
    assert [type(change) for change in changes] == [Gone, Back]


def test_without_reconnecting_going_is_an_error(tmp_path):
    with (
        peer(readings=30) as device,
        Cable(device.port, tmp_path / "headset") as cable,
        psog.connect(str(cable.link), reconnect=False) as headset,
        pytest.raises(LinkError, match="has gone"),
    ):
        for sample in headset.gaze():
            if sample.t_us == 30_000:
                cable.pull(0)


def test_a_headset_without_a_model_has_no_gaze():
    with (
        peer(headset="") as device,
        psog.connect(device.port) as headset,
        pytest.raises(DeviceError, match="has no model; send one with psog flash"),
    ):
        next(headset.gaze())


def test_importing_psog_loads_nothing_heavy():
    seen = "import sys, psog; print(sorted({'numpy', 'torch', 'serial', 'asyncio'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", seen], text=True, env=os.environ) == "[]\n"


def test_async_gaze_loses_nothing():
    async def program(port):
        async with psog.connect_async(port) as headset:
            found = []
            async for sample in headset.gaze():
                found.append(sample)
                if len(found) == 300:
                    break
            return found, headset.missed, headset.host_time_s(found[-1].t_us)

    before = in_use()
    with peer(readings=300, clock_us=clock_us) as device:
        found, missed, host_s = asyncio.run(program(device.port))
        assert device.mask == Stream(0)
    assert [sample.t_us for sample in found] == list(range(1000, 301_000, 1000))
    assert missed == 0
    assert host_s is not None
    assert in_use() == before


def test_a_cancelled_program_leaves_nothing_behind():
    async def program(port):
        async with psog.connect_async(port) as headset:
            async for _ in headset.gaze():
                pass

    async def cancelled(port):
        task = asyncio.create_task(program(port))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    before = in_use()
    with peer(readings=50) as device:
        asyncio.run(cancelled(device.port))
        assert device.mask == Stream(0)
        with psog.connect(device.port) as headset:  # the port is free again
            assert headset.info.headset == "ring16"
    assert in_use() == before


def test_a_slow_program_is_told_what_it_missed(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 20)

    async def program(port):
        async with psog.connect_async(port) as headset:
            found = []
            async for sample in headset.gaze():
                if not found:
                    time.sleep(0.2)  # a program that does not give way
                found.append(sample.t_us)
                if sample.t_us == 100_000:
                    break
            return found, headset.missed

    with peer(readings=100) as device:
        found, missed = asyncio.run(program(device.port))
    assert missed > 0
    assert len(found) + missed == 100


def test_an_async_program_that_changes_to_another_stream_and_one_that_fails():
    async def program(port):
        async with psog.connect_async(port) as headset:
            sample = await anext(headset.gaze())
            batch = await anext(headset.batches(0.005))
            return sample.t_us, batch.t_us[0]

    with peer(readings=10) as device:
        assert asyncio.run(program(device.port)) == (1000, 11_000)

    with peer(headset="") as device, pytest.raises(DeviceError, match="has no model"):
        asyncio.run(program(device.port))
