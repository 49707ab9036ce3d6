"""A recorded headset on a port is, for a client, the headset: the same rows, bit for bit."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest

from psog.device.client import open_headset
from psog.device.messages import PROTOCOL_VERSION, Stream
from psog.device.reconnecting import Back, Gone, ReconnectingHeadset
from psog.device.samples import GazeSample
from psog.errors import DeviceError, RecordingError
from psog.headset import load_headset
from psog.live.batch import Batch, batches
from psog.live.recorder import Recorder
from psog.live.replay import ReplayedHeadset
from psog.recording import Recording, read_recording, write_recording
from tests.live.rows import INFO, made_up

RING16 = load_headset("ring16")
KEPT = ("gaze_h_deg", "gaze_v_deg", "openness", "expected_error_deg", "flags", "valid")


def record(out, *items, **options):
    with Recorder(out, INFO, **options) as recorder:
        for item in items:
            recorder.add(item)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """3,000 readings, with the raw ones."""
    items = (made_up(first, 100, 16) for first in range(0, 3000, 100))
    return record(tmp_path_factory.mktemp("recorded") / "r", *items, sensors=RING16)


def again(folder, out, rows, speed, *, sensors=False):
    """A recording of the replay of a recording."""
    with (
        ReplayedHeadset(folder, speed=speed) as replayed,
        ReconnectingHeadset(replayed.port) as headset,
        Recorder(out, headset.info, sensors=RING16 if sensors else None) as recorder,
    ):
        for item in batches(headset, sensors=sensors):
            assert isinstance(item, Batch)
            recorder.add(item)
            if recorder.rows >= rows:
                break
        assert headset.losses.lost == 0
    return read_recording(out)


@pytest.mark.parametrize("speed", [20.0, math.inf])
def test_a_recording_of_a_replay_has_the_same_bits(folder, tmp_path, speed):
    original, copy = read_recording(folder), again(folder, tmp_path / "again", 3000, speed, sensors=True)
    assert copy.t_us.tobytes() == original.t_us.tobytes()
    assert copy.readings.tobytes() == original.readings.tobytes()
    for name in KEPT:
        assert copy.columns[name].tobytes() == original.columns[name].tobytes(), name
    device = dict(original.provenance["device"])
    assert copy.provenance["device"] == device | {"protocol": PROTOCOL_VERSION}


def test_at_its_own_speed_it_tells_its_time_and_readings_come_when_they_are_due(folder, tmp_path):
    copy = again(folder, tmp_path / "again", 1500, 1.0)
    host_s = copy.columns["host_time_s"]
    known = np.flatnonzero(np.isfinite(host_s))
    passed_s = np.diff(host_s[known[[0, -1]]])[0]
    assert known[-1] > 1000
    assert (np.diff(host_s[known]) >= 0).all()
    # By the device's clock: whatever the computer does meanwhile hardly moves it.
    assert passed_s == pytest.approx(np.diff(copy.t_us[known[[0, -1]]])[0] * 1e-6, abs=0.05)


def test_at_another_speed_it_tells_no_time(folder, tmp_path):
    copy = again(folder, tmp_path / "again", 500, 20.0)
    assert np.isnan(copy.columns["host_time_s"]).all()


def test_it_says_who_it_was_and_refuses_what_a_recording_cannot_do(folder, tmp_path):
    without = record(tmp_path / "without", made_up(0, 50))
    with ReplayedHeadset(folder) as replayed, open_headset(replayed.port) as headset:
        assert headset.info == INFO._replace(protocol=PROTOCOL_VERSION)
        assert headset.status().readings == 0
        with pytest.raises(DeviceError, match="out of range"):
            headset.stream(Stream.GAZE | Stream.FEATURES)
        with pytest.raises(DeviceError, match="does not know the command"):
            headset.tune_begin()
    with ReplayedHeadset(without) as replayed, open_headset(replayed.port) as headset:
        assert headset.info.sensors == 0
        with pytest.raises(DeviceError, match="out of range"):
            headset.stream(Stream.SENSORS)


def test_it_stands_still_while_nobody_asks_and_goes_on_for_the_next(folder):
    with ReplayedHeadset(folder, loop=True) as replayed:
        with open_headset(replayed.port) as headset:
            headset.stream(Stream.GAZE)
            assert [s.t_us for s in headset.samples(count=100)] == made_up(0, 100).t_us.tolist()
        with open_headset(replayed.port) as headset:
            sent = headset.status().readings
            time.sleep(0.05)
            assert headset.status().readings == sent
            headset.stream(Stream.GAZE)
            (sample,) = headset.samples(count=1)
    assert sample.t_us == made_up(sent, 1).t_us[0]


def test_a_reader_that_is_too_slow_is_waited_for(folder):
    with ReplayedHeadset(folder, speed=math.inf) as replayed, open_headset(replayed.port) as headset:
        headset.stream(Stream.GAZE)
        for sample in headset.samples(count=3000):
            assert isinstance(sample, GazeSample)
        assert replayed.wait(30)
        assert headset.losses.lost == 0


def test_a_loop_begins_again_and_its_time_goes_on(tmp_path):
    short = record(tmp_path / "r", made_up(0, 30))
    with (
        ReplayedHeadset(short, speed=math.inf, loop=True) as replayed,
        open_headset(replayed.port) as headset,
    ):
        headset.stream(Stream.GAZE)
        samples = [s for s in headset.samples(count=100) if isinstance(s, GazeSample)]
    assert (np.diff([sample.t_us for sample in samples]) == 1000).all()
    assert samples[30].gaze_h_deg == samples[0].gaze_h_deg == made_up(0, 1).gaze_deg[0, 0]


def test_what_came_after_the_headset_was_away_comes_at_once(tmp_path):
    folder = record(tmp_path / "r", made_up(100, 30), Gone("unplugged", 1.0), Back(3600.0), made_up(0, 20))
    copy = again(folder, tmp_path / "again", 50, 1.0)
    assert copy.t_us.tolist() == [*made_up(100, 30).t_us, *made_up(0, 20).t_us]


def test_recordings_that_no_headset_streamed_are_sent_elsewhere(tmp_path):
    t_us = np.arange(10, dtype=np.int64) * 1000
    write_recording(Recording("ring16", t_us, np.zeros((10, 16), np.float32)), tmp_path / "simulated")
    with pytest.raises(RecordingError, match="psog virtual --recording"):
        ReplayedHeadset(tmp_path / "simulated")


@pytest.mark.parametrize("device", [{"board": "b" * 17}, {"sensors": -1, "features": "many"}, [], None])
def test_a_manifest_that_describes_no_headset_is_refused(tmp_path, device):
    folder = record(tmp_path / "r", made_up(0, 10))
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["provenance"]["device"] = device
    path.write_text(json.dumps(manifest))
    if device == {"board": "b" * 17}:  # the wire has 16 bytes
        assert ReplayedHeadset(folder).headset == "ring16"
    else:
        with pytest.raises(RecordingError):
            ReplayedHeadset(folder)
