"""A faulty line does what it is told, as often as it is told, and knows what it let through."""

from __future__ import annotations

import contextlib
import itertools
import os

import numpy as np
import pytest

from psog.device.client import open_headset
from psog.device.frames import Decoder, Frame, encode
from psog.device.losses import LossCounter
from psog.device.messages import Stream
from psog.errors import LinkError, PsogError
from psog.virtual.faults import NO_FAULTS, Fate, Faults, FaultyFrames
from psog.virtual.faulty_line import FaultyLine
from tests.device.peer import peer

COUNT = 2000
HARSH = Faults(bit_error=5e-4, drop=0.03, cut=0.03, duplicate=0.03, stall=0.01)


def frames(count: int = COUNT) -> list[Frame]:
    """Of a gaze's length, each with its number, across a wrap of the sequence numbers."""
    return [Frame(0x90, (64_000 + k) % 65_536, k.to_bytes(25, "little")) for k in range(count)]


class Carried:
    """Frames sent over a faulty line, in reads of any size."""

    def __init__(self, faults: Faults, seed: int = 1, read_bytes: int = 64, count: int = COUNT) -> None:
        self.noted: list[tuple[Frame, Fate]] = []
        line = FaultyFrames(faults, seed, "to host", lambda frame, fate: self.noted.append((frame, fate)))
        wire = b"".join(encode(frame) for frame in frames(count))
        pieces = [
            piece for at in range(0, len(wire), read_bytes) for piece in line.feed(wire[at : at + read_bytes])
        ]
        self.wire = b"".join(piece.data for piece in pieces)
        self.pauses = sum(piece.pause_s > 0 for piece in pieces)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("faults", [Faults(), HARSH])
def test_what_a_receiver_finds_is_what_the_line_says_arrived(faults, seed):
    carried = Carried(faults, seed)
    decoder, counter = Decoder(), LossCounter()
    found = [f for at in range(0, len(carried.wire), 50) for f in decoder.feed(carried.wire[at : at + 50])]
    delivered = [frame for frame in found if counter.accept(frame)]
    arrived = [k for k, (_, fate) in enumerate(carried.noted) if fate.arrived]
    sent = frames()
    assert delivered == [sent[k] for k in arrived]
    assert counter.lost == arrived[-1] - arrived[0] + 1 - len(arrived)
    assert decoder.damaged > 0


def test_the_second_intact_frame_after_damage_arrives():
    noted = Carried(HARSH).noted
    fates = [fate for _, fate in noted]
    pairs = itertools.pairwise(fates)
    assert all(second.arrived for first, second in pairs if first.unharmed and second.unharmed)
    assert any(fate.unharmed and not fate.arrived for fate in fates)  # the first may be joined to damage


def test_faults_come_as_often_as_asked():
    carried = Carried(HARSH)
    fates = [fate for _, fate in carried.noted]
    bits = 8 * len(encode(frames(1)[0])) * sum(fate.copies for fate in fates)
    for found, expected in (
        (sum(fate.copies == 0 for fate in fates), COUNT * HARSH.drop),
        (sum(fate.copies == 2 for fate in fates), COUNT * HARSH.duplicate * (1 - HARSH.drop)),
        (sum(fate.bit_errors for fate in fates), bits * HARSH.bit_error),
        (carried.pauses, COUNT * HARSH.stall),
    ):
        assert abs(found - expected) < 4 * np.sqrt(expected)  # one in 16,000 by chance, if the seed changes


def test_fates_do_not_depend_on_how_the_bytes_come():
    assert Carried(HARSH, read_bytes=7).noted == Carried(HARSH, read_bytes=4096).noted
    assert Carried(HARSH, count=100).noted == Carried(HARSH).noted[:100]
    assert Carried(HARSH, seed=1).wire != Carried(HARSH, seed=2).wire


def test_a_line_without_faults_changes_nothing():
    carried = Carried(NO_FAULTS)
    assert carried.wire == b"".join(encode(frame) for frame in frames())
    assert all(fate == Fate(True, True, 1, 0) for _, fate in carried.noted)


@pytest.mark.parametrize("wrong", [{"bit_error": -0.1}, {"drop": 1.5}, {"stall_s": 1e9}])
def test_impossible_faults_are_refused(wrong):
    with pytest.raises(PsogError, match="expected 0 to"):
        Faults(**wrong)


def test_a_client_works_over_a_bad_line_and_counts_what_it_lost():
    noted: list[Fate] = []
    faults = Faults(drop=0.03, duplicate=0.05, stall_s=0.01)
    with (
        peer(readings=2000) as headset,
        FaultyLine(headset.port, faults, 3, lambda _frame, fate: noted.append(fate)) as line,
        open_headset(line.port, timeout_s=0.5) as client,
    ):
        client.stream(Stream.GAZE)
        times = [sample.t_us for sample in client.samples(count=1500)]
        client.stream(Stream(0))
        losses = client.losses
    assert times == sorted(set(times))
    assert all(t_us % 1000 == 0 and 0 < t_us <= 2_000_000 for t_us in times)
    assert losses.lost > 50
    assert losses.received <= sum(fate.arrived for fate in noted)


def test_a_line_can_be_taken_away_while_it_is_full():
    with peer() as headset:
        line = FaultyLine(headset.port, NO_FAULTS, 0)
        os.set_blocking(headset._master, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                headset.send_raw(bytes(4096))
        line.close()
        with pytest.raises(LinkError, match="no such port"):
            open_headset(line.port)
        line.close()
