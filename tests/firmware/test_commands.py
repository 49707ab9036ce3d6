"""How the firmware answers commands, bare frames and all, on every board that can run here."""

import itertools
import os

from psog.device import messages as m
from psog.device.client import open_headset
from psog.device.error_codes import DeviceErrorCode
from psog.device.identity import model_crc32
from tests.firmware.device import (
    IMAGE,
    OTHER_IMAGE,
    Raw,
    feed,
    upload,
)


def test_a_repeated_command_is_answered_again_but_not_carried_out_again(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
    trailer = model_crc32(OTHER_IMAGE)
    begin = m.MODEL_BEGIN.pack({"image_bytes": len(OTHER_IMAGE), "crc32": trailer})
    with Raw(board.port) as raw:
        for _ in range(2):
            raw.send(m.MODEL_BEGIN.code, 1, begin)
            assert raw.receive() == (m.MODEL_OFFSET, {"reply_to": 1, "offset": 0})
            assert raw.receive()[1] == {"reply_to": 1, "command": m.MODEL_BEGIN.code, "error": 0}
        first = m.MODEL_DATA.pack({"offset": 0}, OTHER_IMAGE[:192])
        assert raw.answer(m.MODEL_DATA.code, 2, first) == 0
        assert raw.answer(m.MODEL_DATA.code, 2, first) == 0
        assert raw.answer(m.MODEL_DATA.code, 3, first) == DeviceErrorCode.RANGE


def test_malformed_commands_are_answered_and_counted(board):
    with Raw(board.port) as raw:
        assert raw.answer(m.STREAM_SET.code, 1, b"\1\1") == DeviceErrorCode.LENGTH
        assert raw.answer(m.STREAM_SET.code, 2, b"\xff") == DeviceErrorCode.RANGE
        assert raw.answer(0x3E, 3, b"") == DeviceErrorCode.UNKNOWN
        data = m.MODEL_DATA.pack({"offset": 0}, bytes(192))
        assert raw.answer(m.MODEL_DATA.code, 4, data[:-1]) == DeviceErrorCode.LENGTH
        assert raw.answer(m.MODEL_DATA.code, 5, data) == DeviceErrorCode.STATE
        os.write(raw.fd, b"garbage\0" + bytes([5, 1, 2, 3, 4, 0]))
        raw.send(m.ACK.code, 6, m.ACK.pack({"reply_to": 1, "command": 1, "error": 0}))  # an echo
        raw.send(m.STATUS_REQUEST.code, 7, b"")
        message, values = raw.receive()
        assert message is m.STATUS
        assert values["bad_frames"] == 6


def test_whatever_version_it_names_a_host_gets_hello(board):
    with Raw(board.port) as raw:
        raw.send(m.HELLO_REQUEST.code, 1, m.HELLO_REQUEST.pack({"protocol": 77}))
        message, values = raw.receive()
        assert message is m.HELLO
        assert values["protocol"] == m.PROTOCOL_VERSION


def device_time_us(raw: Raw, sequence: int) -> int | None:
    """What its clock shows; None when it does not know."""
    raw.send(m.TIME_REQUEST.code, sequence, b"")
    message, values = raw.receive()
    if message is m.ACK:
        assert values["error"] == DeviceErrorCode.STATE
        return None
    assert (message, values["reply_to"]) == (m.TIME, sequence)
    assert raw.receive()[0] is m.ACK
    return values["t_us"]


def test_the_device_tells_its_time_once_it_has_had_a_reading(board):
    with Raw(board.port) as raw:
        assert device_time_us(raw, 1) is None
        feed(board, 5_000_000_000, 1)
        told = (device_time_us(raw, 2 + index) for index in itertools.count())
        first = next(t_us for t_us in told if t_us is not None)
        assert 5_000_000_000_000 <= first <= next(told)
        raw.send(m.TIME_REQUEST.code, 0xFFFF, b"")
        raw.send(m.TIME_REQUEST.code, 0xFFFF, b"")  # repeated: answered again, with the time it is then
        times = [values["t_us"] for message, values in (raw.receive() for _ in range(4)) if message is m.TIME]
        assert len(times) == 2
        assert times == sorted(times)
