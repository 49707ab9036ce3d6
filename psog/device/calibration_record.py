"""A user's calibration as a headset keeps it (docs/SPEC.md), read from there and written back."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from psog.device import messages
from psog.device.conversation import BYTES, Conversation
from psog.device.installing import FLASH_TIMEOUT_S
from psog.errors import CalibrationError, ProtocolError

if TYPE_CHECKING:
    from psog.net.integer import Normalisation

_HEADER = struct.Struct("<4sHHIIHBB")
_MAGIC, _VERSION = b"PCAL", 4
_GAZE_ROWS = 2
_MOST_FEATURES, _MOST_BIASES = 64, 768
_MOST_SENSORS, _MOST_SHIFT = 64, 30
_LARGEST_OFFSET, _LARGEST_MULTIPLIER = 65_535, 16_383
_MOST_BYTES = 4072
"""A whole block of 4 KB less the marks: what a headset tells is not believed beyond it."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a headset knows of its user. It says something of the shape of their eye.

    Attributes:
        model_crc32: of the model it belongs to, as `DeviceInfo.model_crc32` tells it.
        head: (2, features + 1) float32, gaze rows over real features and 1; degrees, right and up positive.
        biases: (N,) int32 of all layers of a network that has been told whose eye it sees; else (0,).
        normalisation: (S, 2) int32 offset and multiplier of each sensor where the headset is standardised;
            else (0, 2).
        shift: of that normalisation; else 0.
    """

    model_crc32: int
    head: NDArray[np.float32]
    biases: NDArray[np.int32]
    normalisation: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    shift: int = 0

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
        pairs = np.asarray(self.normalisation, "<i4")
        if head.ndim != 2 or biases.ndim != 1 or pairs.ndim != 2:
            raise _malformed(f"head {head.shape}, biases {biases.shape}, normalisation {pairs.shape}")
        features = head.shape[1] - 1
        _check_user(features, head, biases.size)
        _check_normalisation(pairs, self.shift)
        sizes = biases.size, len(pairs), self.shift
        header = _HEADER.pack(_MAGIC, _VERSION, features, 0, self.model_crc32, *sizes)
        body = header + head.tobytes() + biases.tobytes() + pairs.tobytes()
        record = body + bytes(-len(body) % 8)
        if len(record) > _MOST_BYTES:
            raise _malformed(f"{len(record)} bytes, at most {_MOST_BYTES}")
        return record

    def seen_by(self, own: Normalisation) -> Normalisation:
        """How the headset sees its sensors with this calibration; `own` is the model's."""
        if not len(self.normalisation):
            return own
        return replace(
            own, offset=self.normalisation[:, 0], multiplier=self.normalisation[:, 1], shift=self.shift
        )

    @classmethod
    def from_bytes(cls, record: bytes) -> Calibration:
        """From a record up to its marks; its sequence number is of no interest.

        Raises:
            CalibrationError: it is malformed.
        """
        if len(record) < _HEADER.size:
            raise _malformed(f"{len(record)} bytes")
        magic, version, features, _, model_crc32, count, sensors, shift = _HEADER.unpack_from(record)
        if (magic, version) != (_MAGIC, _VERSION):
            raise _malformed(f"magic {magic!r}, version {version}")
        values = _GAZE_ROWS * (features + 1)
        size = _HEADER.size + 4 * (values + count + 2 * sensors)
        if len(record) != size + -size % 8 or len(record) > _MOST_BYTES:
            raise _malformed(
                f"{len(record)} bytes of {features} features, {count} biases and {sensors} sensors"
            )
        head = np.frombuffer(record, "<f4", values, _HEADER.size).reshape(_GAZE_ROWS, -1)
        _check_user(features, head, count)
        biases = np.frombuffer(record, "<i4", count, _HEADER.size + 4 * values)
        pairs = np.frombuffer(record, "<i4", 2 * sensors, _HEADER.size + 4 * (values + count)).reshape(-1, 2)
        _check_normalisation(pairs, shift)
        parts = head.astype(np.float32), biases.astype(np.int32), pairs.astype(np.int32)
        return cls(model_crc32, *parts, shift)


def _check_normalisation(pairs: NDArray[np.int32], shift: int) -> None:
    if pairs.shape[1] != 2 or len(pairs) > _MOST_SENSORS:
        raise _malformed(f"a normalisation {pairs.shape}")
    offset, multiplier = pairs.T
    sound = (offset >= 0) & (offset <= _LARGEST_OFFSET) & (multiplier >= 1)
    sound &= multiplier <= _LARGEST_MULTIPLIER
    if not sound.all() or not ((1 <= shift <= _MOST_SHIFT) if len(pairs) else shift == 0):
        raise _malformed("a normalisation that is out of range")


def _check_user(features: int, head: NDArray[np.float32], biases: int) -> None:
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
