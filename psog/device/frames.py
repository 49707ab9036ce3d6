"""Frames on the wire: COBS(header · payload · CRC-32) and a zero byte, both ways."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from cobs import cobs

from psog.device.messages import CRC, HEADER, MAX_PAYLOAD
from psog.errors import ProtocolError

SEQUENCE_MODULUS = 1 << 16
_SHORTEST = HEADER.size + CRC.size
_LONGEST_BODY = MAX_PAYLOAD + _SHORTEST + 2  # COBS adds at most two bytes below 508


class Frame(NamedTuple):
    """An intact frame: type (a code of psog.device.messages), the sender's sequence number, payload."""

    type: int
    seq: int
    payload: bytes


def encode(frame: Frame) -> bytes:
    """The bytes to send, closing zero included.

    Raises:
        ProtocolError: the payload is longer than a frame can carry.
    """
    if len(frame.payload) > MAX_PAYLOAD:
        raise ProtocolError(
            f"a frame carries at most {MAX_PAYLOAD} bytes, {len(frame.payload)} given; send it in pieces"
        )
    content = HEADER.pack(frame.type, 0, frame.seq % SEQUENCE_MODULUS) + frame.payload
    return bytes(cobs.encode(content + CRC.pack(zlib.crc32(content)))) + b"\0"


class Decoder:
    """Finds the intact frames in a stream of bytes, however it is cut into reads.

    Never raises and never holds more than one frame's worth of bytes, whatever arrives. It may start in the
    middle of a stream: what comes before the first zero or the first intact frame is not counted as damaged.

    Attributes:
        damaged: stretches between two zeros that were no intact frame.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._open_body = b""
        self._in_step = False

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order."""
        *bodies, rest = (self._open_body + data).split(b"\0")
        # One byte more than the longest frame is enough to know that this one is damaged.
        self._open_body = rest[: _LONGEST_BODY + 1]
        frames = []
        for body in bodies:
            if body:
                frame = _intact(body)
                if frame is not None:
                    frames.append(frame)
                elif self._in_step:
                    self.damaged += 1
            self._in_step = True
        return frames


def _intact(body: bytes) -> Frame | None:
    if len(body) > _LONGEST_BODY:
        return None
    try:
        raw = bytes(cobs.decode(body))
    except cobs.DecodeError:
        return None
    if not _SHORTEST <= len(raw) <= MAX_PAYLOAD + _SHORTEST:
        return None
    content, (crc,) = raw[: -CRC.size], CRC.unpack(raw[-CRC.size :])
    if zlib.crc32(content) != crc:
        return None
    kind, reserved, seq = HEADER.unpack_from(content)
    if reserved != 0:
        return None
    return Frame(kind, seq, content[HEADER.size :])
