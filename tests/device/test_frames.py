"""Frames survive every way of cutting, joining and damaging the stream they travel in."""

from __future__ import annotations

import itertools
import math
import zlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from psog.device.frames import Decoder, Frame, encode
from psog.device.messages import BY_CODE, MAX_PAYLOAD
from psog.device.samples import SAMPLE_OF
from psog.errors import ProtocolError

frames = st.builds(
    Frame, st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=MAX_PAYLOAD)
)  # any type: the framing does not know the messages
streams = st.lists(frames, min_size=1, max_size=8)


def joined(sent: list[Frame]) -> bytes:
    return b"".join(map(encode, sent))


def test_the_bytes_on_the_wire_are_those_of_the_specification():
    content = bytes.fromhex("01 00 34 12 02 00")  # HELLO_REQUEST, reserved, sequence 0x1234, version 2
    assert zlib.crc32(content).to_bytes(4, "little").hex(" ") == "6c 08 43 28"
    stuffed = bytes.fromhex("02 01 04 34 12 02 05 6c 08 43 28 00")
    assert encode(Frame(0x01, 0x1234, b"\x02\x00")) == stuffed


@given(streams, st.lists(st.integers(0, 2000), max_size=20))
def test_any_split_gives_the_same_frames(sent, cuts):
    data = joined(sent)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    decoder = Decoder()
    got = [f for a, b in itertools.pairwise(edges) for f in decoder.feed(data[a:b])]
    assert got == sent
    assert decoder.damaged == 0


@given(streams)
def test_no_zero_inside_a_frame(sent):
    assert all(encode(frame).index(0) == len(encode(frame)) - 1 for frame in sent)


@given(frames, frames, frames, st.integers(0, 10**6), st.integers(0, 7))
def test_one_wrong_bit_costs_at_most_its_own_frame_and_the_next(first, hit, last, place, bit):
    """The next is lost only when the wrong bit takes away the zero between the two."""
    before, victim = encode(first), bytearray(encode(hit))
    victim[place % len(victim)] ^= 1 << bit
    decoder = Decoder()
    got = decoder.feed(before + bytes(victim) + encode(last) + encode(last))
    assert got[0] == first
    assert got[-1] == last
    assert set(got) <= {first, last}
    assert decoder.damaged >= 1


@given(st.binary(max_size=2000), streams)
def test_after_any_garbage_the_second_intact_frame_is_in_step(garbage, sent):
    decoder = Decoder()
    got = decoder.feed(garbage + joined(sent))
    assert got[-len(sent) + 1 :] == sent[1:] or len(sent) == 1


@given(st.lists(st.binary(max_size=3000), max_size=20))
def test_garbage_never_raises_and_is_not_hoarded(pieces):
    decoder = Decoder()
    for piece in pieces:
        decoder.feed(piece)
        assert len(vars(decoder)["_open_body"]) <= MAX_PAYLOAD + 11


def test_endless_stretch_without_a_zero_is_one_damaged_frame():
    decoder = Decoder()
    decoder.feed(encode(Frame(1, 0, b"")))
    for _ in range(100):
        assert decoder.feed(b"\x55" * 1000) == []
    assert decoder.feed(b"\0" + encode(Frame(1, 1, b""))) == [Frame(1, 1, b"")]
    assert decoder.damaged == 1


def test_starting_in_the_middle_is_not_damage():
    data = encode(Frame(1, 0, b"abc")) + encode(Frame(1, 1, b"def"))
    decoder = Decoder()
    assert decoder.feed(data[4:]) == [Frame(1, 1, b"def")]
    assert decoder.damaged == 0


def test_payload_that_is_too_long_is_refused():
    with pytest.raises(ProtocolError, match="at most 208 bytes, 209 given"):
        encode(Frame(1, 0, bytes(MAX_PAYLOAD + 1)))


def payloads(codes):
    """(code, payload): mostly of about the right length, where the interesting mistakes are."""
    return st.sampled_from(sorted(codes)).flatmap(
        lambda code: st.tuples(
            st.just(code),
            st.one_of(
                st.binary(max_size=MAX_PAYLOAD),
                st.binary(min_size=BY_CODE[code].layout.size, max_size=BY_CODE[code].layout.size + 4),
            ),
        )
    )


@given(payloads(BY_CODE))
def test_payload_of_any_length_is_read_or_refused_with_a_protocol_error(code_and_payload):
    code, payload = code_and_payload
    try:
        values, tail = BY_CODE[code].unpack(payload)
    except ProtocolError:
        return
    assume("board" not in values)  # names need not be UTF-8, and come back mended
    assume(not any(isinstance(value, float) and math.isnan(value) for value in values.values()))
    assert BY_CODE[code].pack(values, tail) == payload


@given(payloads(SAMPLE_OF))
def test_streamed_frame_is_a_sample_or_a_protocol_error(code_and_payload):
    code, payload = code_and_payload
    try:
        sample = SAMPLE_OF[code](Frame(code, 7, payload))
    except ProtocolError:
        return
    assert sample.seq == 7
