"""Batches of live readings: the same numbers as samples one by one, and nothing is lost between them."""

from __future__ import annotations

import itertools
import threading
import time

import numpy as np
import pytest

from psog.benchmarks.cable import Cable
from psog.device.messages import GAZE, GazeFlag
from psog.device.reconnecting import Back, Gone, ReconnectingHeadset
from psog.errors import LinkError
from psog.live.batch import _GAZE_TYPE, Batch, batches
from tests.device.peer import peer


def first(count, headset, **options):
    """Batches until these many readings have come."""
    found, so_far = [], 0
    for item in batches(headset, 0.005, **options):
        assert isinstance(item, Batch)
        found.append(item)
        so_far += len(item.t_us)
        if so_far >= count:
            return found
    return found


def column(found, name):
    return np.concatenate([getattr(batch, name) for batch in found])


def test_batches_hold_what_samples_hold():
    with peer(readings=200) as device, ReconnectingHeadset(device.port) as headset:
        found = first(200, headset)
    assert column(found, "t_us").tolist() == list(range(1000, 201_000, 1000))
    assert np.unique(np.diff(column(found, "seq").astype(int))).tolist() == [1]
    gaze_deg = column(found, "gaze_deg")
    assert gaze_deg.dtype == np.float32
    np.testing.assert_allclose(gaze_deg[:, 0], np.arange(1, 201) / 1000, rtol=1e-6)
    assert (gaze_deg[:, 1] == -1).all()
    assert (column(found, "openness") == 1).all()
    assert (column(found, "expected_error_deg") == 2).all()
    assert (column(found, "flags") & GazeFlag.VALID).all()
    assert all(batch.readings is None for batch in found)
    assert np.isnan(column(found, "host_time_s")).all()  # this peer does not tell its time


def test_a_batch_reads_the_frame_as_the_protocol_lays_it_out():
    assert _GAZE_TYPE.itemsize == GAZE.layout.size
    values = {"gaze_h_deg": 1.5, "gaze_v_deg": -2.5, "openness": 0.25, "expected_error_deg": 4.0, "flags": 5}
    row = np.frombuffer(GAZE.pack({"t_us": 77, **values}), _GAZE_TYPE)[0]
    assert row.tolist()[0] == 77
    assert row["gaze_deg"].tolist() == [1.5, -2.5]
    assert (row["openness"], row["expected_error_deg"], row["flags"]) == (0.25, 4.0, 5)


def test_host_times_follow_the_device_clock():
    began_s = time.monotonic()
    with (
        peer(readings=100, clock_us=lambda: round((time.monotonic() - began_s) * 1e6)) as device,
        ReconnectingHeadset(device.port) as headset,
    ):
        found = first(100, headset)
    times_s = column(found, "host_time_s")
    assert np.isfinite(times_s).all()
    assert (np.diff(times_s) >= 0).all()
    assert began_s < times_s[0] < times_s[-1] < time.monotonic()


def test_readings_stand_beside_their_gaze():
    with peer(readings=120, sensors=2) as device, ReconnectingHeadset(device.port) as headset:
        found = first(120, headset, sensors=True)
    readings = column(found, "readings")
    assert readings.shape == (120, 2)
    assert readings.dtype == np.uint16
    assert (readings == [1, 0xFFFF]).all()
    assert column(found, "t_us").tolist() == list(range(1000, 121_000, 1000))


def test_a_reading_of_which_half_was_lost_is_left_out_and_counted():
    def every_tenth(index, data):
        return b"" if index > 20 and index % 10 == 0 else data

    with (
        peer(readings=200, sensors=2, wire=every_tenth) as device,
        ReconnectingHeadset(device.port) as headset,
    ):
        found = first(150, headset, sensors=True)
        lost = headset.losses.lost
    t_us = column(found, "t_us")
    assert lost > 20
    assert (np.diff(t_us) > 0).all()
    assert len(t_us) == 200 - lost


def test_gone_and_back_stand_between_batches(tmp_path):
    with (
        peer(readings=40) as device,
        Cable(device.port, tmp_path / "headset") as cable,
        ReconnectingHeadset(str(cable.link)) as headset,
    ):
        kinds, t_us = [], []
        for item in batches(headset, 0.005):
            kinds.append(type(item))
            if isinstance(item, Batch):
                t_us += item.t_us.tolist()
                if t_us[-1] == 40_000:
                    cable.pull(0)
                    cable.plug()
                if len(t_us) == 80:
                    break
    kinds = [kind for kind, _ in itertools.groupby(kinds)]
    assert kinds == [Batch, Gone, Back, Batch]
    assert t_us == list(range(1000, 81_000, 1000))


def test_what_came_before_the_headset_went_is_delivered():
    with peer(readings=30) as device, ReconnectingHeadset(device.port) as headset:
        iterator = batches(headset, 0.2)
        closing = threading.Timer(0.1, device.close)
        closing.start()
        batch = next(iterator)
        assert len(batch.t_us) == 30
        with pytest.raises(LinkError, match="has gone"):  # the number of a pseudo-terminal does not come back
            next(iterator)
        closing.join()


def test_stop_ends_batches_from_another_thread_also_while_the_headset_is_away(tmp_path):
    for pulled in (False, True):
        link = tmp_path / f"headset{pulled}"
        with (
            peer(readings=10) as device,
            Cable(device.port, link) as cable,
            ReconnectingHeadset(str(cable.link)) as headset,
        ):
            found = []
            for item in batches(headset, 0.005, timeout_s=60):
                found.append(item)
                if pulled and isinstance(item, Batch):
                    cable.pull(0)
                threading.Timer(0.05, headset.stop).start()
            assert isinstance(found[-1], Gone if pulled else Batch)


def test_a_silent_headset_is_an_error():
    with (
        peer() as device,
        ReconnectingHeadset(device.port) as headset,
        pytest.raises(LinkError, match=r"sent no sample for 0.05 s"),
    ):
        next(batches(headset, 0.005, timeout_s=0.05))
