"""Loss is exact: what the sequence numbers lack is what did not arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from psog.device.frames import Frame
from psog.device.losses import LossCounter, Losses
from psog.device.messages import GAZE, HELLO


def frame(index: int, kind: int = GAZE.code) -> Frame:
    return Frame(kind, index % 65536, index.to_bytes(8, "little"))


def count(indices: list[int]) -> LossCounter:
    counter = LossCounter()
    for index in indices:
        counter.accept(frame(index))
    return counter


@given(st.integers(0, 65535), st.lists(st.booleans(), max_size=300))
def test_every_gap_is_counted_across_the_wrap(start, arrives):
    sent = [start + i for i, there in enumerate([True, *arrives, True]) if there]
    counter = count(sent)
    assert (counter.received, counter.lost) == (len(sent), arrives.count(False))


@given(st.integers(0, 65535), st.lists(st.integers(1, 3), min_size=1, max_size=100))
def test_repetitions_count_for_nothing(start, times):
    sent = [start + i for i, n in enumerate(times) for _ in range(n)]
    counter = count(sent)
    assert (counter.received, counter.lost, counter.restarts) == (len(times), 0, 0)


@given(st.integers(0, 65535), st.integers(0, 65535))
def test_a_long_silence_is_counted_wherever_it_ends(start, missing):
    counter = count([start, start + 1 + missing])
    assert (counter.received, counter.lost, counter.restarts) == (2, missing, 0)


@given(st.integers(100, 64000), st.integers(0, 20))
def test_a_device_that_starts_again_has_lost_nothing(last, first):
    counter = count([last])
    assert counter.accept(Frame(HELLO.code, first, b"who"))
    assert all(counter.accept(frame(i)) for i in range(first + 1, first + 5))
    assert (counter.restarts, counter.lost) == (1, 0)


def test_losses_read_as_a_sentence():
    assert str(Losses(received=995, lost=5, damaged=3, restarts=0)) == "3 frames damaged, 5 lost of 1000"
    assert str(Losses(received=1000, lost=0, damaged=1, restarts=0)) == "1 frame damaged, 0 lost of 1000"
