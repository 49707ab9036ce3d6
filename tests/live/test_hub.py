"""The hub: one headset, many subscribers; a slow one loses only its own."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from psog.benchmarks.cable import Cable
from psog.device.reconnecting import Back, Gone, ReconnectingHeadset
from psog.errors import LinkError, RecordingError
from psog.headset import load_headset
from psog.live.batch import Batch
from psog.live.hub import MOST_READINGS, Hub, Subscription, recorded
from psog.live.recorder import Recorder
from tests.device.peer import peer


def a_batch(first: int, count: int) -> Batch:
    t_us = 1000 * np.arange(first, first + count, dtype=np.int64)
    zeros = np.zeros(count, np.float32)
    flags, seq = np.zeros(count, np.uint8), np.zeros(count, np.uint16)
    return Batch(t_us, seq, np.zeros((count, 2), np.float32), zeros, zeros, flags, np.zeros(count), None)


def times_ms(subscription: Subscription, count: int) -> list[int]:
    """Of this many readings."""
    found: list[int] = []
    while len(found) < count:
        item = subscription.take(10)
        assert isinstance(item, Batch)
        found += (item.t_us // 1000).tolist()
    return found


def test_every_subscriber_gets_every_reading():
    with peer(readings=200) as device, ReconnectingHeadset(device.port) as headset:
        hub = Hub(headset, every_s=0.005)
        subscriptions = [hub.subscribe() for _ in range(3)]
        with hub:
            found = [times_ms(one, 200) for one in subscriptions]
    assert found == [list(range(1, 201))] * 3
    assert [one.lost_readings for one in subscriptions] == [0, 0, 0]


def test_the_end_of_the_hub_is_the_end_of_every_subscription():
    with peer(readings=10) as device, ReconnectingHeadset(device.port) as headset:
        with Hub(headset, every_s=0.005) as hub:
            subscription = hub.subscribe()
            assert not hub.wait(0)
        assert hub.wait(0)
        assert all(isinstance(item, Batch) for item in subscription)
        assert list(hub.subscribe()) == []


def test_who_is_behind_loses_the_oldest_batches_and_no_word_of_the_cable():
    subscription = Subscription()
    subscription.put(a_batch(0, 100))
    subscription.put(Gone("pulled out", 0.0))
    subscription.put(Back(1.0))
    for number in range(1, 1 + MOST_READINGS // 100 + 5):
        subscription.put(a_batch(100 * number, 100))
    assert isinstance(subscription.take(), Gone)
    assert isinstance(subscription.take(), Back)
    first = subscription.take()
    assert isinstance(first, Batch)
    assert subscription.lost_readings == 600
    assert first.t_us[0] == 600_000


def test_gone_and_back_are_passed_on(tmp_path):
    with (
        peer(readings=40) as device,
        Cable(device.port, tmp_path / "headset") as cable,
        ReconnectingHeadset(str(cable.link)) as headset,
    ):
        hub = Hub(headset, every_s=0.005)
        subscriptions = [hub.subscribe() for _ in range(2)]
        with hub:
            assert [times_ms(one, 40)[-1] for one in subscriptions] == [40, 40]
            cable.pull(0)
            assert [type(one.take(10)) for one in subscriptions] == [Gone, Gone]
            cable.plug()
            assert [type(one.take(10)) for one in subscriptions] == [Back, Back]
            assert [times_ms(one, 40)[0] for one in subscriptions] == [41, 41]


def test_why_the_headset_has_ended_is_told_to_who_waits():
    with peer(readings=10) as device, ReconnectingHeadset(device.port) as headset:
        hub = Hub(headset, every_s=0.005)
        subscription = hub.subscribe()
        with hub:
            times_ms(subscription, 10)
            device.close()
            assert list(subscription) == []
            with pytest.raises(LinkError, match="has gone"):
                hub.wait(10)


def test_a_subscription_that_is_closed_lets_go_of_who_waits():
    subscription = Subscription()
    closing = threading.Timer(0.02, subscription.close)
    closing.start()
    assert subscription.take(10) is None
    closing.join()
    subscription.put(a_batch(0, 1))
    assert subscription.take(0) is None


def test_what_cannot_be_recorded_is_told_at_the_end_and_stops_nobody_else(tmp_path):
    with peer(readings=100, sensors=2) as device, ReconnectingHeadset(device.port) as headset:
        hub = Hub(headset, sensors=True, every_s=0.005)
        subscription = hub.subscribe()
        recorder = Recorder(tmp_path / "out", headset.info, sensors=load_headset("ring16"))
        with (
            pytest.raises(RecordingError, match="readings of 2 sensors to record, expected 16"),
            recorder,
            recorded(hub, recorder),
            hub,
        ):
            times_ms(subscription, 100)
            device.read_sensors(50)
            assert times_ms(subscription, 50)[-1] == 150
