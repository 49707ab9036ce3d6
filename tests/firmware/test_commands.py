"""How the firmware answers commands, bare frames and all, on every board that can run here."""

import os

from psog.device import messages as m
from psog.device.client import open_headset
from psog.device.messages import DeviceErrorCode
from tests.firmware.device import (
    IMAGE,
    OTHER_IMAGE,
    Raw,
    upload,
)


def test_a_repeated_command_is_answered_again_but_not_carried_out_again(board):
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)
    trailer = int.from_bytes(OTHER_IMAGE[-4:], "little")
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
