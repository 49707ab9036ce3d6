"""The feeder plays sensors and display towards a board; here the test holds the board's end of the bus."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from psog.device.frames import Decoder, Frame, encode
from psog.device.link import Link
from psog.device.messages import DISPLAY, READING
from psog.errors import LinkError, RecordingError
from psog.headset import load_headset
from psog.recording import Recording
from psog.virtual.bus import SocketTransport
from psog.virtual.feeder import Feeder
from psog.virtual.source import Readings, RecordedReadings, Target

HEADSET = load_headset("grid15")


def recording(rows: int, start_us: int = 500_000) -> Recording:
    counts = np.random.default_rng(3).uniform(0, 1000, (rows, HEADSET.sensor_count)).astype(np.float32)
    return Recording("grid15", start_us + 1000 * np.arange(rows, dtype=np.int64), counts)


@contextmanager
def bus() -> Iterator[tuple[Link, socket.socket]]:
    """The feeder's end as a link, the board's end as a socket."""
    ours, board = socket.socketpair()
    link = Link(SocketTransport(ours, "the test's board"))
    try:
        yield link, board
    finally:
        link.close()
        board.close()


def received(board: socket.socket, count: int) -> list[Frame]:
    decoder, frames = Decoder(), []
    while len(frames) < count:
        frames += decoder.feed(board.recv(65536))
    return frames


def test_readings_arrive_with_their_own_times_and_exact_values():
    source = recording(200)
    with bus() as (link, board):
        feeder = Feeder(link, RecordedReadings(source, HEADSET), speed=10)
        feeder.start()
        frames = received(board, 200)
        assert feeder.wait(10)
    readings = [READING.unpack(frame.payload) for frame in frames]
    assert [values["t_us"] for values, _ in readings] == source.t_us.tolist()
    wire = np.stack([np.frombuffer(tail, "<u2") for _, tail in readings])
    np.testing.assert_array_equal(wire, HEADSET.to_wire(source.readings))
    assert [frame.seq for frame in frames] == list(range(200))


class Watching:
    """A source without readings that remembers what the display showed."""

    def __init__(self) -> None:
        self.seen: list[Target | None] = []
        self.enough = threading.Event()

    def take(self, elapsed_us: int) -> Readings:
        return Readings(np.empty(0, np.int64), np.empty((0, HEADSET.sensor_count), np.uint16))

    def show(self, target: Target | None) -> None:
        self.seen.append(target)
        if len(self.seen) == 2:
            self.enough.set()


def test_source_is_told_what_the_display_shows():
    source = Watching()
    with bus() as (link, board):
        feeder = Feeder(link, source)
        feeder.start()
        for seq, visible in enumerate((1, 0)):
            shown = DISPLAY.pack({"target_h_deg": 4.0, "target_v_deg": -2.0, "visible": visible})
            board.sendall(encode(Frame(DISPLAY.code, seq, shown)))
        assert source.enough.wait(10)
        feeder.stop()
    assert source.seen == [Target(4.0, -2.0), None]


def test_board_that_goes_away_is_told():
    with bus() as (link, board):
        feeder = Feeder(link, Watching())
        feeder.start()
        board.close()
        with pytest.raises(LinkError, match="the test's board has gone"):
            feeder.wait(10)


def test_recording_is_taken_once_and_ends():
    source = RecordedReadings(recording(10), HEADSET)
    parts = [source.take(us) for us in (1, 4000, 4000, 9001)]
    assert [part.t_us.tolist() for part in parts if part is not None] == [
        [500_000],
        [501_000, 502_000, 503_000],
        [],
        [504_000, 505_000, 506_000, 507_000, 508_000, 509_000],
    ]
    assert source.take(20_000) is None


def test_looped_recording_goes_on_in_time():
    source = RecordedReadings(recording(3), HEADSET, loop=True)
    first, second = source.take(3000), source.take(6000)
    assert first is not None
    assert second is not None
    assert [*first.t_us.tolist(), *second.t_us.tolist()] == list(range(500_000, 506_000, 1000))
    np.testing.assert_array_equal(first.wire, second.wire)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (lambda: recording(0), "no rows"),
        (lambda: Recording("grid15", np.array([0, 0]), np.ones((2, 15), np.float32)), "increase at row 1"),
        (lambda: Recording("ring16", np.array([0]), np.ones((1, 16), np.float32)), "of headset 'ring16'"),
    ],
)
def test_recording_that_cannot_be_replayed_is_refused(source, message):
    with pytest.raises(RecordingError, match=message):
        RecordedReadings(source(), HEADSET)
