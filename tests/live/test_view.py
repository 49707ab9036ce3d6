"""What the live view sends to its pages, as a client of its websocket sees it."""

from __future__ import annotations

import json
import math
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from websockets.sync.client import ClientConnection, connect

from psog.benchmarks.cable import Cable
from psog.device.reconnecting import ReconnectingHeadset
from psog.headset import load_headset
from psog.live.batch import Batch
from psog.live.hub import Hub
from psog.live.view import PACKAGE, LiveView
from psog.live.view_frame import pack
from psog.web.assets import load_assets
from tests.device.peer import peer

EVERY_S = 0.005


@contextmanager
def view_of(port: str) -> Iterator[tuple[LiveView, Hub]]:
    """The view of a headset, and the hub that is not yet reading it."""
    with ReconnectingHeadset(port) as headset:
        hub = Hub(headset, sensors=True, every_s=EVERY_S)
        with LiveView(hub, load_headset("ring16")) as view:
            yield view, hub


def open_page(view: LiveView, **options) -> ClientConnection:
    return connect(view.page.address.replace("http", "ws", 1) + "channel", **options)


def next_message(page: ClientConnection, kind: str) -> dict:
    """The next message of this type; others and frames are passed over."""
    while True:
        item = page.recv(timeout=10)
        if isinstance(item, str) and json.loads(item)["type"] == kind:
            return json.loads(item)


def frames(page: ClientConnection, readings: int) -> Iterator[tuple[int, np.ndarray, float]]:
    """Number, device times and last rightward angle of frames with this many readings together."""
    while readings > 0:
        item = page.recv(timeout=10)
        if isinstance(item, bytes):
            count, _, number = struct.unpack_from("<III", item)
            (first_us,) = struct.unpack_from("<d", item, 16)
            gaze = np.frombuffer(item, "<f4", 2 * count, 32)
            since_us = np.frombuffer(item, "<u4", count, 32 + 16 * count)
            yield number, first_us + since_us, float(gaze[-2])
            readings -= count


def test_a_frame_is_laid_out_as_its_module_says():
    batch = Batch(
        np.array([10**12, 10**12 + 1000]), np.array([7, 8], np.uint16),
        np.array([[1.5, -2.5], [3.0, 4.0]], np.float32), np.array([0.25, 1.0], np.float32),
        np.array([0.5, 6.0], np.float32), np.array([1, 9], np.uint8), np.array([math.nan, 12.25]),
        np.array([[1, 2, 3], [4, 5, 65535]], np.uint16),
    )  # fmt: skip
    assert struct.unpack("<IIIIdd 4f 2f 2f 2I 6H 2B", pack(batch, 99)) == (
        *(2, 3, 99, 0, 1e12, 12.25),
        *(1.5, -2.5, 3.0, 4.0, 0.25, 1.0, 0.5, 6.0, 0, 1000, 1, 2, 3, 4, 5, 65535, 1, 9),
    )  # fmt: skip


def test_every_page_gets_every_reading_in_order():
    with (
        peer(readings=300, sensors=2) as device,
        view_of(device.port) as (view, hub),
        open_page(view) as first,
        open_page(view) as second,
    ):
        greetings = [next_message(page, "hello") for page in (first, second)]
        with hub:
            found = [list(frames(page, 300)) for page in (first, second)]
    for of_page in found:
        numbers = [number for number, _, _ in of_page]
        counts = [len(t_us) for _, t_us, _ in of_page]
        assert numbers == [0, *np.cumsum(counts)[:-1]]
        assert np.concatenate([t_us for _, t_us, _ in of_page]).tolist() == list(range(1000, 301_000, 1000))
        assert all(math.isclose(last, t_us[-1] / 1e6, rel_tol=1e-6) for _, t_us, last in of_page)
    assert greetings[0]["headset"]["name"] == "ring16"
    assert len(greetings[0]["headset"]["detectors_mm"]) == 16
    assert greetings[0]["device"]["port"] == device.port


def test_a_page_that_comes_later_goes_on_from_there():
    with (
        peer(readings=300, sensors=2) as device,
        view_of(device.port) as (view, hub),
        open_page(view) as first,
        hub,
    ):
        list(frames(first, 300))
        with open_page(view) as second:
            next_message(second, "hello")
            device.read_sensors(50)
            assert next(frames(second, 1))[0] == 300


def test_gone_and_back_are_told_also_to_who_comes_meanwhile(tmp_path):
    with (
        peer(readings=20, sensors=2) as device,
        Cable(device.port, tmp_path / "headset") as cable,
        view_of(str(cable.link)) as (view, hub),
        open_page(view) as page,
        hub,
    ):
        list(frames(page, 20))
        cable.pull(0)
        assert "has gone" in next_message(page, "gone")["why"]
        with open_page(view) as late:
            assert "has gone" in next_message(late, "gone")["why"]
        cable.plug()
        assert next_message(page, "back")["away_s"] > 0
        (_, t_us, _), *_ = frames(page, 20)
        assert t_us[0] == 21_000
        state = next_message(page, "state")
    assert (state["away"], state["lost"]) == (1, 0)


def test_a_page_that_does_not_read_is_told_what_it_lost_and_the_others_lose_nothing():
    with peer(readings=1, sensors=2) as device, view_of(device.port) as (view, hub):
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.connect(("127.0.0.1", view.page.port))
        options = {"sock": narrow, "max_queue": 1, "close_timeout": 0.1}
        with open_page(view) as quick, open_page(view, **options) as slow, hub:
            next_message(slow, "hello")
            clients = view.page.channel.clients
            found = list(frames(quick, 1))
            while not any(client.lost_frames for client in clients):
                device.read_sensors(1000)
                found += frames(quick, 1000)
            assert next_message(slow, "lost_frames")["count"] > 0
    t_us = np.concatenate([times for _, times, _ in found])
    assert np.unique(np.diff(t_us)).tolist() == [1000]
    assert [client.lost_frames > 0 for client in clients] == [False, True]


def test_the_state_tells_rate_and_loss():
    def one_lost(index: int, data: bytes) -> bytes:
        return b"" if index == 40 else data

    with (
        peer(readings=100, sensors=2, wire=one_lost) as device,
        view_of(device.port) as (view, hub),
        open_page(view) as page,
        hub,
    ):
        while (state := next_message(page, "state"))["rate_hz"] is None:
            device.read_sensors(20)
    assert state["lost"] == 1
    assert state["rate_hz"] > 0
    assert state["viewers"] == 1


def test_every_file_that_the_page_needs_is_there():
    assets = load_assets(PACKAGE)
    needed, seen = {"index.html"}, set()
    while needed - seen:
        name = (needed - seen).pop()
        seen.add(name)
        text = assets[name].content.decode()
        folder = name.rpartition("/")[0]
        named = re.findall(r'(?:href|src)="([^"]+)"|from "\./([^"]+)"', text)
        needed |= {f"{folder}/{part}".lstrip("/") for pair in named for part in pair if part}
    assert {"view.js", "view.css", "history.js", "shared/base.css", "shared/canvas.js"} <= seen
