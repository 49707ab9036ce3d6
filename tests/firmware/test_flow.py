"""What a headset sends unasked, and what it does when nobody reads what it sends."""

from collections import Counter

import pytest

from psog.device import messages as m
from psog.device.client import open_headset
from psog.device.frames import Decoder
from psog.device.losses import LossCounter
from psog.device.messages import Message, Stream
from psog.firmware_export.toolchain import available_boards
from psog.virtual.boards import Board, start_board
from psog.virtual.faults import Faults
from psog.virtual.faulty_line import FaultyLine
from tests.firmware.device import IMAGE, READINGS, Raw, feed, reading, upload

SILENCE = 2500
"""Readings while nobody reads; every stream of one is 130 bytes, and a line holds 64 KiB at most."""
COMING = 90
"""Of these, before the eye has rested for as long as the device wants to see."""
EVERYTHING = Stream.GAZE | Stream.FEATURES | Stream.SENSORS


class Host(Raw):
    """Sends commands, and counts losses and kinds of frames as they come."""

    def __init__(self, port: str) -> None:
        super().__init__(port)
        self.counter = LossCounter()
        self.kinds: Counter[str] = Counter()
        self.said: dict[str, dict] = {}
        self.sequence = 1000

    def receive(self) -> tuple[Message, dict]:
        while not self.waiting:
            self.listen()
        self.counter.accept(self.waiting[0])
        message, values = super().receive()
        self.kinds[message.name] += 1
        self.said[message.name] = values
        return message, values

    def ask(self, message: Message, **values: float) -> None:
        """Send a command without waiting for its answer."""
        self.sequence += 1
        self.send(message.code, self.sequence, message.pack(values))

    def hear(self) -> None:
        """Receive up to the answer to the last command."""
        while self.receive()[0] is not m.ACK or self.said["ACK"]["reply_to"] != self.sequence:
            pass
        assert self.said["ACK"]["error"] == 0

    def hear_all(self, readings: int) -> dict:
        """Receive until the headset has processed so many; its STATUS then."""
        self.hear()
        while self.said["STATUS"]["readings"] < readings:
            self.ask(m.STATUS_REQUEST)
            self.hear()
        return self.said["STATUS"]


def sent_of_five(host: Host, board: Board, first: int) -> dict[str, int]:
    """How many frames of each kind the headset sends of five readings, answers left out."""
    host.kinds.clear()
    feed(board, first, 5)
    host.ask(m.STATUS_REQUEST)
    host.hear_all(first + 5)
    return {kind: count for kind, count in host.kinds.items() if kind not in ("STATUS", "ACK")}


def test_only_what_is_asked_for_leaves_the_headset(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        headset.stream(EVERYTHING)
        headset.restart()
    with Host(board.port) as host:
        assert sent_of_five(host, board, 0) == {}
        for number, kind in enumerate(("GAZE", "SENSORS"), start=1):
            host.ask(m.STREAM_SET, mask=Stream[kind])
            host.hear()
            assert sent_of_five(host, board, 5 * number) == {kind: 5}


def test_a_host_that_does_not_read_stops_nothing_and_learns_exactly_what_it_missed(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
        headset.tune_begin()
    with Host(board.port) as host:
        host.ask(m.STREAM_SET, mask=EVERYTHING)
        host.hear()
        host.ask(m.TUNE_TARGET, target_h_deg=1.0, target_v_deg=2.0, samples=SILENCE - COMING)
        host.hear()
        # Waits only for the headset: nothing of what it sends is read meanwhile.
        board.sensors.write(b"".join(reading(i, READINGS[0]) for i in range(SILENCE)))
        host.ask(m.STATUS_REQUEST)
        status = host.hear_all(SILENCE)
    samples = sum(host.kinds[kind] for kind in ("GAZE", "FEATURES", "SENSORS"))
    all_seen = {"added": SILENCE - COMING, "rejected": 0, "saturated": 0, "moving": COMING}
    assert host.said["TUNE_PROGRESS"] == all_seen
    assert status["bad_readings"] == 0
    assert host.counter.lost == status["dropped"] == 3 * SILENCE - samples
    assert host.counter.lost > SILENCE


@pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")
def test_commands_over_a_bad_line_are_carried_out_once_and_in_order(tmp_path):
    with (
        start_board("host", tmp_path / "flash") as board,
        FaultyLine(board.port, Faults(duplicate=0.1), seed=5) as line,
        open_headset(line.port, timeout_s=0.3) as headset,
    ):
        for h_deg in range(40):
            headset.show_target(h_deg, 0.0)
        headset.hide_target()
        decoder, shown = Decoder(), []
        while not shown or shown[-1]["visible"]:
            shown += [m.DISPLAY.unpack(frame.payload)[0] for frame in decoder.feed(board.sensors.read())]
    assert [values["target_h_deg"] for values in shown[:-1]] == list(range(40))
