"""Arrays out of a device image, each checked to lie in it; what is wrong is told in one line."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from psog.device.identity import CRC_BYTES
from psog.errors import ModelImageError
from psog.firmware_export.image_format import HEADER, LAYER, LayerEntry


def require(condition: bool, otherwise: str) -> None:
    """Refuse the image unless this is so."""
    if not condition:
        raise ModelImageError(f"cannot read model image: {otherwise}; export the model again")


class Parts:
    """Takes arrays out of an image without its signature; they lie between header and checksum."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def array(self, offset: int, kind: str, shape: tuple[int, ...], what: str) -> NDArray[np.generic]:
        dtype = np.dtype(kind)
        count = math.prod(shape)
        end = len(self._data) - CRC_BYTES
        inside = HEADER.size <= offset <= end and dtype.itemsize * count <= end - offset
        require(inside and offset % 4 == 0, f"its {what} at offset {offset} lies outside, or across a word")
        flat = np.frombuffer(self._data, dtype, count, offset)
        return flat.reshape(shape).astype(dtype.newbyteorder("="))

    def floats(self, offset: int, shape: tuple[int, ...], what: str) -> NDArray[np.float32]:
        values = self.array(offset, "<f4", shape, what).astype(np.float32)
        require(bool(np.isfinite(values).all()), f"its {what} holds a number that is not finite")
        return values

    def entries(self, offset: int, count: int) -> list[LayerEntry]:
        table = self.array(offset, "u1", (count, LAYER.size), "layer table").tobytes()
        return [LayerEntry._make(fields) for fields in LAYER.iter_unpack(table)]
