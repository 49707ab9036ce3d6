"""Writing a device image."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from psog.firmware_export.image_format import (
    CRC_BYTES,
    HEADER,
    KINDS,
    LAYER,
    MAGIC,
    PADDINGS,
    VERSION,
    Header,
    LayerEntry,
)
from psog.firmware_export.limits import activation_bytes, check_exportable
from psog.firmware_export.test_vector import TestVector, make_test_vector
from psog.headset import Headset
from psog.net.architecture import OUTPUTS
from psog.net.integer import IntegerNet, Layer, Normalisation
from psog.net.told import STATISTICS, DeviceEmbedding


def write_image(net: IntegerNet, headset: Headset) -> bytes:
    """The network as a device image; a function of its arguments alone.

    Raises:
        ModelError: made for another headset, or more than a device can run.
    """
    check_exportable(net, headset)
    body = _Body(HEADER.size)
    rows, columns = net.layout.shape
    quantization = net.feature_quantization
    header = Header(
        magic=MAGIC,
        version=VERSION,
        header_bytes=HEADER.size,
        image_bytes=0,
        version_counter=0,
        headset=net.headset.encode("ascii"),
        sensors=len(net.normalisation.offset),
        rows=rows,
        columns=columns,
        layers=len(net.layers),
        outputs=OUTPUTS,
        features=net.feature_count,
        normalisation_shift=net.normalisation.shift,
        input_zero=net.input_quantization.zero_point,
        numbers=0 if net.embedding is None else net.embedding.count,
        statistics=0 if net.embedding is None else STATISTICS,
        normalisation_at=body.add(_normalisation(net.normalisation)),
        layout_at=body.add(net.layout.astype("u1").tobytes()),
        head_at=body.add(net.head.weight.astype("<f4").tobytes()),
        test_vector_at=body.add(_test_vector(make_test_vector(net))),
        layers_at=body.add(_layers(net, body)),
        embedding_at=0 if net.embedding is None else body.add(_embedding(net.embedding.device(net))),
        feature_scale=float(quantization.scale),
        feature_zero=quantization.zero_point,
        ridge=net.head.ridge,
        activation_bytes=activation_bytes(net),
        field_h_deg=headset.field_deg[0],
        field_v_deg=headset.field_deg[1],
        calibration_ln=net.head.calibration_ln,
    )
    header = header._replace(image_bytes=body.end + CRC_BYTES)
    content = HEADER.pack(*header) + body.content
    return content + zlib.crc32(content).to_bytes(CRC_BYTES, "little")


def _embedding(embedding: DeviceEmbedding) -> bytes:
    floats = (embedding.bias, embedding.weight, *embedding.scales)
    shifts = b"".join(shift.tobytes() for shift in embedding.shifts)
    return b"".join(part.astype("<f4").tobytes() for part in floats) + shifts


class _Body:
    """What follows the header: parts one after the other, each at a multiple of 4."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._content = bytearray()

    def add(self, part: bytes) -> int:
        """Append a part; returns its offset in the image."""
        offset = self.end
        self._content += _padded(part)
        return offset

    @property
    def end(self) -> int:
        """Offset of the next part."""
        return self._start + len(self._content)

    @property
    def content(self) -> bytes:
        """All parts."""
        return bytes(self._content)


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % 4)


def _normalisation(normalisation: Normalisation) -> bytes:
    pairs = np.stack([normalisation.offset, normalisation.multiplier], axis=1)
    return pairs.astype("<i4").tobytes()


def _test_vector(vector: TestVector) -> bytes:
    reading, features = vector.reading.astype("<u2").tobytes(), vector.features.tobytes()
    return _padded(reading) + _padded(features) + vector.output.astype("<f4").tobytes()


def _layers(net: IntegerNet, body: _Body) -> bytes:
    """The layer table; what it refers to goes into `body`."""
    shapes = net.layer_shapes()
    return b"".join(
        LAYER.pack(*_entry(layer, shape, body)) for layer, shape in zip(net.layers, shapes, strict=False)
    )


def _entry(layer: Layer, shape: tuple[int, int, int], body: _Body) -> LayerEntry:
    device = layer.device()
    return LayerEntry(
        kind=KINDS.index(device.kind),
        padding=PADDINGS.index(device.padding),
        rows=shape[0],
        columns=shape[1],
        in_channels=shape[2],
        out_channels=device.out_channels,
        input_zero=device.input_zero,
        output_zero=device.output_zero,
        low=device.low,
        high=device.high,
        weights_at=body.add(_bytes(device.weight, "i1")),
        biases_at=body.add(_bytes(device.bias, "<i4")),
        multipliers_at=body.add(_bytes(device.multiplier, "<i4")),
        shifts_at=body.add(_bytes(device.shift, "i1")),
        reserved=0,
    )


def _bytes(values: NDArray[np.signedinteger], kind: str) -> bytes:
    return values.astype(kind).tobytes()
