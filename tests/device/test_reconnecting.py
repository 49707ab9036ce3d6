"""A cable that is pulled out after any byte: a clear error at once, nothing left over, and on it goes."""

from __future__ import annotations

import os
import pty
import threading
import time
import tty
from pathlib import Path

import pytest

from psog.benchmarks.cable import Cable
from psog.benchmarks.unplug import unplug_often
from psog.device import messages as m
from psog.device.client import open_headset
from psog.device.frames import Decoder, Frame, encode
from psog.device.link import Link
from psog.device.messages import Stream
from psog.device.reconnecting import Back, Gone, Place, ReconnectingHeadset
from psog.device.samples import GazeSample
from psog.device.transport import SerialTransport
from psog.errors import LinkError
from tests.device.peer import peer
from tests.device.test_ports import Plugged

GAZE = encode(Frame(m.GAZE.code, 7, bytes(m.GAZE.layout.size)))
_LONG_S = 60.0
"""Whoever waits for so long has not noticed: the test would end by its own time limit."""


def in_use() -> tuple[int, int]:
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


class OneAnswer:
    """A port that answers the first question with these many bytes of HELLO, and is gone."""

    def __init__(self, count: int) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._count = count
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        decoder, frames = Decoder(), []
        while not frames:
            frames = decoder.feed(os.read(self._master, 64))
        values = {field.name: 0 for field in m.HELLO.fields} | {"board": "b", "headset": "h"}
        hello = m.HELLO.pack(values | {"reply_to": frames[0].seq, "protocol": m.PROTOCOL_VERSION})
        os.write(self._master, encode(Frame(m.HELLO.code, 0, hello))[: self._count])
        os.close(self._master)
        os.close(self._slave)

    def join(self) -> None:
        self._thread.join()


def test_a_headset_that_goes_after_any_byte_of_a_frame_is_a_link_error_at_once():
    before = in_use()
    for count in range(len(GAZE) + 1):
        master, slave = pty.openpty()
        tty.setraw(slave)
        link = Link(SerialTransport(os.ttyname(slave)))
        os.write(master, GAZE[:count])
        os.close(master)
        os.close(slave)
        with pytest.raises(LinkError, match="has gone"):
            while link.receive(time.monotonic() + _LONG_S) is not None:
                pass
        link.close()
    assert in_use() == before


def test_a_headset_that_goes_while_it_is_opened_leaves_nothing_behind():
    before = in_use()
    for count in range(0, 70, 3):
        device = OneAnswer(count)
        with pytest.raises(LinkError, match="has gone"):
            open_headset(device.port, timeout_s=_LONG_S)
        device.join()
    assert in_use() == before


def test_every_waiting_command_ends_when_the_headset_goes(tmp_path):
    commands = {
        "TUNE_BEGIN": lambda headset: headset.tune_begin(),
        "STATUS_REQUEST": lambda headset: headset.status(),
        "MODEL_BEGIN": lambda headset: headset.upload(bytes(400)),
    }
    for name, command in commands.items():
        with peer(deaf_to={name: 9}) as device, Cable(device.port, tmp_path / name) as cable:
            headset = open_headset(str(cable.link), timeout_s=_LONG_S)
            pulling = threading.Timer(0.05, cable.pull, (0,))
            pulling.start()
            with pytest.raises(LinkError, match="has gone"):
                command(headset)
            headset.close()
            pulling.join()


def test_an_upload_that_is_cut_after_any_byte_of_its_answers_is_a_link_error(tmp_path):
    before = in_use()
    for count in range(1, 90, 6):
        with peer() as device, Cable(device.port, tmp_path / "headset") as cable:
            headset = open_headset(str(cable.link), timeout_s=_LONG_S)
            pulling = threading.Thread(target=cable.pull, args=(count,))
            pulling.start()
            with pytest.raises(LinkError, match="has gone"):
                headset.upload(bytes(range(200)) * 20)
            headset.close()
            pulling.join()
    assert in_use() == before


def test_samples_go_on_after_a_gap_that_is_told(tmp_path):
    with (
        peer(readings=40) as device,
        Cable(device.port, tmp_path / "headset") as cable,
        ReconnectingHeadset(str(cable.link)) as headset,
    ):
        headset.stream(Stream.GAZE)
        items = []
        for item in headset.samples(count=100):
            items.append(item)
            if isinstance(item, GazeSample) and item.t_us in (40_000, 80_000):
                cable.pull(0)
                cable.plug()
        away_s, losses = headset.away_s, headset.losses
    kinds = [type(item) for item in items]
    assert kinds == [GazeSample] * 40 + [Gone, Back] + [GazeSample] * 40 + [Gone, Back] + [GazeSample] * 20
    assert [item.t_us for item in items if isinstance(item, GazeSample)] == list(range(1000, 101_000, 1000))
    assert [item.away_s for item in items if isinstance(item, Back)] == away_s
    assert losses.lost == 0
    assert losses.received >= 100


def test_the_firmware_streams_on_and_nothing_is_left_over():
    found = unplug_often(3, seed=1, board="host")
    assert (found["descriptors"], found["threads"]) == (0, 0)


def test_another_headset_at_the_port_is_refused(tmp_path):
    link = tmp_path / "headset"
    with peer(readings=5) as first, peer(headset="grid15") as second:
        link.symlink_to(first.port)
        with ReconnectingHeadset(str(link)) as headset:
            headset.stream(Stream.GAZE)
            samples = headset.samples()
            next(samples)
            link.unlink()
            link.symlink_to(second.port)
            first.close()
            with pytest.raises(LinkError, match=r"another headset has come back .*'grid15'.*'ring16'"):
                list(samples)


def test_a_terminal_whose_number_may_be_anyones_is_not_opened_again():
    with peer(readings=5) as device, ReconnectingHeadset(device.port) as headset:
        headset.stream(Stream.GAZE)
        threading.Timer(0.05, device.close).start()
        with pytest.raises(LinkError, match="has gone"):
            assert not [item for item in headset.samples() if isinstance(item, Gone)]


def test_a_virtual_headset_is_found_again_once_it_is_announced():
    place = Place("/dev/pts/999", list, lambda: ["/dev/pts/999"])
    assert place.can_return
    assert place.port() == "/dev/pts/999"
    assert Place("/dev/pts/999", list, list).port() is None


def test_a_usb_headset_is_found_by_its_serial_number_under_another_name(tmp_path):
    plugged: list[Plugged] = []
    with peer(readings=5) as first, peer(readings=5) as second, peer() as other:
        ours, theirs = Plugged(first.port, 1, 2, "ours"), Plugged(other.port, 1, 2, "theirs")
        plugged[:] = [ours, theirs]
        headset = ReconnectingHeadset(first.port, listing=lambda: plugged)
        headset.stream(Stream.GAZE)
        samples = headset.samples()
        next(samples)
        plugged[:] = [theirs, Plugged(second.port, 1, 2, "ours")]
        first.close()
        rest = [next(item for item in samples if isinstance(item, kind)) for kind in (Back, GazeSample)]
        assert headset.client.port == second.port
        headset.close()
    assert len(rest) == 2
    assert other.carried_out == []


def test_a_port_that_became_another_devices_is_not_ours(tmp_path):
    port = tmp_path / "ttyACM0"
    port.touch()
    plugged = [Plugged(str(port), 1, 2, "ours")]
    place = Place(str(port), lambda: plugged, list)
    assert place.port() == str(port)
    plugged[:] = [Plugged(str(port), 1, 2, "theirs")]
    assert place.port() is None


def test_a_silent_headset_has_not_gone():
    with peer() as device, ReconnectingHeadset(device.port) as headset:
        headset.stream(Stream.GAZE)
        with pytest.raises(LinkError, match=r"sent no sample for 0.05 s"):
            next(headset.samples(timeout_s=0.05))
