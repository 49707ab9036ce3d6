"""The C frame code against independent implementations: the cobs package and zlib."""

import ctypes
import zlib

import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.firmware.c_api import Frame, Receiver, library

READY, BAD = 1, 2
bodies = st.binary(max_size=208) | st.lists(st.sampled_from([0, 1, 255]), max_size=208).map(bytes)


@pytest.fixture(scope="module")
def c():
    return library()


def expected(kind: int, sequence: int, payload: bytes) -> bytes:
    body = bytes([kind, 0]) + sequence.to_bytes(2, "little") + payload
    return cobs.encode(body + zlib.crc32(body).to_bytes(4, "little")) + b"\0"


def encode(c, kind: int, sequence: int, payload: bytes) -> bytes:
    wire = (ctypes.c_uint8 * 218)()
    buffer = ctypes.create_string_buffer(payload, max(len(payload), 1))
    frame = Frame(kind, sequence, ctypes.addressof(buffer), len(payload))
    c.psog_frame_encode.restype = ctypes.c_size_t
    return bytes(wire[: c.psog_frame_encode(ctypes.byref(frame), wire)])


def receive(c, data: bytes) -> tuple[list[tuple[int, int, bytes]], int]:
    """Frames and the number of bad ones."""
    receiver, frame = Receiver(), Frame()
    frames, bad = [], 0
    for byte in data:
        event = c.psog_frame_push(ctypes.byref(receiver), ctypes.c_uint8(byte), ctypes.byref(frame))
        if event == READY:
            frames.append((frame.type, frame.sequence, ctypes.string_at(frame.payload, frame.payload_size)))
        bad += event == BAD
    return frames, bad


@settings(max_examples=300, deadline=None)
@given(kind=st.integers(0, 255), sequence=st.integers(0, 65535), payload=bodies)
def test_what_is_encoded_is_the_same_everywhere_and_comes_back(c, kind, sequence, payload):
    wire = encode(c, kind, sequence, payload)
    assert wire == expected(kind, sequence, payload)
    assert receive(c, wire) == ([(kind, sequence, payload)], 0)


def test_a_payload_that_is_too_long_is_not_encoded(c):
    assert encode(c, 1, 2, bytes(209)) == b""


@settings(max_examples=200, deadline=None)
@given(garbage=st.binary(max_size=600), payload=bodies)
def test_after_any_garbage_the_next_zero_puts_it_in_step(c, garbage, payload):
    frames, _ = receive(c, garbage + b"\0" + expected(0x31, 7, payload))
    assert frames[-1] == (0x31, 7, payload)


@settings(max_examples=200, deadline=None)
@given(payload=bodies, data=st.data())
def test_a_damaged_frame_is_counted_and_not_delivered(c, payload, data):
    wire = expected(0x40, 9, payload)
    place = data.draw(st.integers(0, len(wire) * 8 - 9))
    damaged = bytearray(wire)
    damaged[place // 8] ^= 1 << place % 8
    frames, bad = receive(c, bytes(damaged))
    assert frames == []
    assert bad >= 1


def test_a_reserved_byte_that_is_not_zero_is_refused(c):
    body = bytes([1, 1, 0, 0])
    wire = cobs.encode(body + zlib.crc32(body).to_bytes(4, "little")) + b"\0"
    assert receive(c, wire) == ([], 1)


def test_zeros_between_frames_are_no_frames(c):
    assert receive(c, b"\0\0\0" + expected(1, 1, b"x") + b"\0\0") == ([(1, 1, b"x")], 0)


def test_crc32_is_zlibs_and_chains(c):
    c.psog_crc32.restype = ctypes.c_uint32
    data = bytes(range(256)) * 3
    assert c.psog_crc32(0, data, ctypes.c_size_t(len(data))) == zlib.crc32(data)
    first = c.psog_crc32(0, data[:100], ctypes.c_size_t(100))
    assert c.psog_crc32(ctypes.c_uint32(first), data[100:], ctypes.c_size_t(668)) == zlib.crc32(data)
