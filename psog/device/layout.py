"""How a message is laid out: fields of fixed kinds, little-endian and unpadded, and perhaps an array."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from psog.errors import ProtocolError

_CODES = {"u8": "B", "u16": "H", "i16": "h", "u32": "I", "u64": "Q", "f32": "f", "name16": "16s"}


@dataclass(frozen=True)
class Field:
    """One value of a payload; `kind` is u8, u16, i16, u32, u64, f32 or name16 (UTF-8, zero padded)."""

    name: str
    kind: str
    doc: str


@dataclass(frozen=True)
class Message:
    """A fixed layout, little-endian and unpadded; `tail` names a trailing array counted by the u8 `count`."""

    name: str
    code: int
    fields: tuple[Field, ...]
    doc: str
    tail: str = ""
    """"" or the element kind of the array that fills the rest of the payload: "u8", "i8" or "u16"."""

    @cached_property
    def layout(self) -> struct.Struct:
        return struct.Struct("<" + "".join(_CODES[field.kind] for field in self.fields))

    def pack(self, values: Mapping[str, Any], tail: bytes = b"") -> bytes:
        """Payload from values by field name; `count` is filled in when there is a tail."""
        if self.tail:
            values = {**values, "count": len(tail) // _TAIL_SIZE[self.tail]}
        ordered = [
            str(values[field.name]).encode() if field.kind == "name16" else values[field.name]
            for field in self.fields
        ]
        return self.layout.pack(*ordered) + tail

    def unpack(self, payload: bytes) -> tuple[dict[str, Any], bytes]:
        """Values by field name and the raw tail.

        Raises:
            ProtocolError: the payload is not exactly as long as the layout asks for.
        """
        fixed = self.layout.size
        if len(payload) < fixed:
            raise ProtocolError(f"{self.name}: payload of {len(payload)} bytes, expected at least {fixed}")
        raw = self.layout.unpack_from(payload)
        values = {
            field.name: value.rstrip(b"\0").decode("utf-8", "replace") if field.kind == "name16" else value
            for field, value in zip(self.fields, raw, strict=True)
        }
        tail = payload[fixed:]
        expected = values["count"] * _TAIL_SIZE[self.tail] if self.tail else 0
        if len(tail) != expected:
            raise ProtocolError(f"{self.name}: {len(tail)} bytes after the fixed part, expected {expected}")
        return values, tail


_TAIL_SIZE = {"u8": 1, "i8": 1, "u16": 2}
