"""Which model an image is: by its CRC-32, which lies before its signature (docs/SPEC.md, Model image)."""

from __future__ import annotations

CRC_BYTES = 4
SIGNATURE_BYTES = 64


def model_crc32(image: bytes) -> int:
    """The CRC-32 trailer of an image: what a headset calls its model by. Whoever signed it."""
    return int.from_bytes(image[-SIGNATURE_BYTES - CRC_BYTES : -SIGNATURE_BYTES], "little")
