"""A user's calibration as a headset keeps it (docs/SPEC.md), read from there and written back."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.device import messages
from psog.device.conversation import BYTES, Conversation
from psog.device.installing import FLASH_TIMEOUT_S
from psog.errors import CalibrationError, ProtocolError

_HEADER = struct.Struct("<4sHHIIHH")
_MAGIC, _VERSION = b"PCAL", 4
_GAZE_ROWS = 2
_MOST_FEATURES, _MOST_BIASES = 64, 768
_MOST_BYTES = 4096
"""More than the longest record, 3,632 bytes: what a headset tells is not believed beyond it."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a headset knows of its user. It says something of the shape of their eye.

    Attributes:
        model_crc32: of the model it belongs to, as `DeviceInfo.model_crc32` tells it.
        head: (2, features + 1) float32, gaze rows over real features and 1; degrees, right and up positive.
        biases: (N,) int32 of all layers of a network that has been told whose eye it sees; else (0,).
    """

    model_crc32: int
    head: NDArray[np.float32]
    biases: NDArray[np.int32]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calibration) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def to_bytes(self) -> bytes:
        """The record up to its marks, with the sequence number 0.

        Raises:
            CalibrationError: the arrays are none that a record can hold.
        """
        head, biases = np.asarray(self.head, "<f4"), np.asarray(self.biases, "<i4")
        if head.ndim != 2 or biases.ndim != 1:
            raise _malformed(f"head {head.shape} and biases {biases.shape}")
        features = head.shape[1] - 1
        _check_content(features, head, biases.size)
        header = _HEADER.pack(_MAGIC, _VERSION, features, 0, self.model_crc32, biases.size, 0)
        body = header + head.tobytes() + biases.tobytes()
        return body + bytes(-len(body) % 8)

    @classmethod
    def from_bytes(cls, record: bytes) -> Calibration:
        """From a record up to its marks; its sequence number is of no interest.

        Raises:
            CalibrationError: it is malformed.
        """
        if len(record) < _HEADER.size:
            raise _malformed(f"{len(record)} bytes")
        magic, version, features, _, model_crc32, count, reserved = _HEADER.unpack_from(record)
        if (magic, version, reserved) != (_MAGIC, _VERSION, 0):
            raise _malformed(f"magic {magic!r}, version {version}")
        values = _GAZE_ROWS * (features + 1)
        size = _HEADER.size + 4 * (values + count)
        if len(record) != size + -size % 8:
            raise _malformed(f"{len(record)} bytes of {features} features and {count} biases")
        head = np.frombuffer(record, "<f4", values, _HEADER.size).reshape(_GAZE_ROWS, -1)
        _check_content(features, head, count)
        biases = np.frombuffer(record, "<i4", count, _HEADER.size + 4 * values)
        return cls(model_crc32, head.astype(np.float32), biases.astype(np.int32))


def _check_content(features: int, head: NDArray[np.float32], biases: int) -> None:
    sizes = 1 <= features <= _MOST_FEATURES and biases <= _MOST_BIASES
    if not sizes or len(head) != _GAZE_ROWS or not np.isfinite(head).all():
        raise _malformed(f"{features} features, {biases} biases, or a value that is no number")


def _malformed(found: str) -> CalibrationError:
    return CalibrationError(
        f"this is no calibration: {found}; expected a record of format {_VERSION} as docs/SPEC.md has it; "
        "calibrate again with psog-calibrate"
    )


def read_record(talk: Conversation) -> bytes:
    """The record of the calibration in use.

    Raises:
        CommandRefusedError: none is in use (STATE).
        ProtocolError: the pieces do not fit together.
    """
    found, total = b"", 1
    while len(found) < total:
        report = messages.CALIBRATION_PIECE
        values = talk.command(messages.CALIBRATION_READ, {"offset": len(found)}, report=report)
        piece, total, crc32 = values[BYTES], values["total"], values["crc32"]
        if values["offset"] != len(found) or not piece or not len(found) + len(piece) <= total <= _MOST_BYTES:
            raise _unfitting(talk)
        found += piece
    if zlib.crc32(found) != crc32:
        raise _unfitting(talk)
    return found


def _unfitting(talk: Conversation) -> ProtocolError:
    return ProtocolError(
        f"the headset at {talk.link.port} told pieces of a calibration that do not fit together; "
        "is another program calibrating it? read it again"
    )


def write_record(talk: Conversation, record: bytes) -> None:
    """Have the headset check, store and use a record.

    Raises:
        CommandRefusedError: it is malformed (RANGE), of another model (OTHER_MODEL), or now is not the time:
            a model is on trial or a calibration in progress (STATE).
    """
    told = {"total": len(record), "crc32": zlib.crc32(record)}
    for offset in range(0, len(record), messages.MAX_DATA):
        piece = record[offset : offset + messages.MAX_DATA]
        talk.command(messages.CALIBRATION_WRITE, {"offset": offset, **told}, piece, timeout_s=FLASH_TIMEOUT_S)
