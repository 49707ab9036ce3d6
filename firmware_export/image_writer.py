"""Writing a device image."""

from __future__ import annotations

import zlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from psog.device.identity import CRC_BYTES
from psog.errors import ModelError
from psog.firmware_export.image_format import (
    HEADER,
    KINDS,
    LAYER,
    MAGIC,
    MAX_VERSION,
    PADDINGS,
    VERSION,
    Header,
    LayerEntry,
    ModelImage,
)
from psog.firmware_export.image_reader import read_image
from psog.firmware_export.keys import DEVELOPMENT_KEY, SigningKey
from psog.firmware_export.limits import MAX_ACTIVATION_BYTES, check_exportable
from psog.firmware_export.packing import (
    Place,
    corrections,
    for_pairs,
    layer_packings,
    pack,
    paired_requantization,
)
from psog.firmware_export.packings import LAYER_PACKINGS, PLAIN, Packing
from psog.firmware_export.test_vector import TestVector, make_test_vector
from psog.headset import Headset
from psog.net.architecture import OUTPUTS
from psog.net.arithmetic import DeviceLayer
from psog.net.integer import IntegerNet, Normalisation
from psog.net.told import STATISTICS, DeviceEmbedding


def write_image(
    net: IntegerNet,
    headset: Headset,
    packing: Packing = "plain",
    *,
    version: int = 0,
    key: SigningKey = DEVELOPMENT_KEY,
) -> bytes:
    """The network as a signed device image; a function of its arguments alone.

    Args:
        version: its version counter, 0 to 4,294,967,295.
        key: signs it.
    Raises:
        ModelError: made for another headset, more than a device can run, not to be packed so, or a version
            that is out of range.
    """
    check_exportable(net, headset)
    if not 0 <= version <= MAX_VERSION:
        raise ModelError(f"cannot export: the version is {version}, 0 to {MAX_VERSION:,} expected")
    return encode_image(
        ModelImage(
            headset=net.headset,
            layout=net.layout,
            normalisation=net.normalisation,
            layers=tuple(layer.device() for layer in net.layers),
            feature_quantization=net.feature_quantization,
            head=net.head,
            field_deg=headset.field_deg,
            packing=packing,
            test_vector=make_test_vector(net),
            embedding=None if net.embedding is None else net.embedding.device(net),
            version=version,
        ),
        key,
    )


def repacked(data: bytes, packing: Packing, key: SigningKey) -> bytes:
    """The same model for another kind of core, signed by this key.

    Raises:
        ModelImageError: these bytes are no sound image.
        ModelError: it cannot be packed so.
    """
    return encode_image(replace(read_image(data), packing=packing), key)


def encode_image(image: ModelImage, key: SigningKey = DEVELOPMENT_KEY) -> bytes:
    """The bytes of an image, signed.

    Raises:
        ModelError: its layers cannot be packed as it says, or need too much memory then.
    """
    needed = image.activation_bytes
    if needed > MAX_ACTIVATION_BYTES:
        raise ModelError(
            f"cannot export: {needed} bytes of activations, at most {MAX_ACTIVATION_BYTES} fit; "
            "train a smaller network"
        )
    body = _Body(HEADER.size)
    rows, columns = image.layout.shape
    quantization = image.feature_quantization
    header = Header(
        magic=MAGIC,
        version=VERSION,
        header_bytes=HEADER.size,
        image_bytes=0,
        version_counter=image.version,
        headset=image.headset.encode("ascii"),
        sensors=len(image.normalisation.offset),
        rows=rows,
        columns=columns,
        layers=len(image.layers),
        outputs=OUTPUTS,
        features=image.layers[-1].out_channels,
        normalisation_shift=image.normalisation.shift,
        input_zero=image.layers[0].input_zero,
        numbers=0 if image.embedding is None else image.embedding.count,
        statistics=0 if image.embedding is None else STATISTICS,
        normalisation_at=body.add(_normalisation(image.normalisation)),
        layout_at=body.add(image.layout.astype("u1").tobytes()),
        head_at=body.add(image.head.weight.astype("<f4").tobytes()),
        test_vector_at=body.add(_test_vector(image.test_vector)),
        layers_at=body.add(_layers(image, body)),
        embedding_at=0 if image.embedding is None else body.add(_embedding(image.embedding)),
        feature_scale=float(quantization.scale),
        feature_zero=quantization.zero_point,
        ridge=image.head.ridge,
        activation_bytes=needed,
        field_h_deg=image.field_deg[0],
        field_v_deg=image.field_deg[1],
        calibration_ln=image.head.calibration_ln,
    )
    header = header._replace(image_bytes=body.end + CRC_BYTES)
    content = HEADER.pack(*header) + body.content
    return key.signed(content + zlib.crc32(content).to_bytes(CRC_BYTES, "little"))


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


def _layers(image: ModelImage, body: _Body) -> bytes:
    """The layer table; what it refers to goes into `body`."""
    packings = layer_packings(image.layers, image.packing)
    places = [
        Place(packing, *shapes) for packing, shapes in zip(packings, pairwise(image.shapes), strict=True)
    ]
    return b"".join(
        LAYER.pack(*_entry(layer, place, body)) for layer, place in zip(image.layers, places, strict=True)
    )


def _entry(layer: DeviceLayer, place: Place, body: _Body) -> LayerEntry:
    plain = place.packing in PLAIN
    layer = layer if plain else for_pairs(layer)
    return LayerEntry(
        kind=KINDS.index(layer.kind),
        padding=PADDINGS.index(layer.padding),
        rows=place.source[0],
        columns=place.source[1],
        in_channels=place.source[2],
        out_channels=layer.out_channels,
        input_zero=layer.input_zero,
        output_zero=layer.output_zero,
        low=layer.low,
        high=layer.high,
        weights_at=body.add(pack(layer.weight, place)),
        biases_at=body.add(_bytes(layer.bias, "<i4")),
        multipliers_at=body.add(_bytes(layer.multiplier if plain else paired_requantization(layer), "<i4")),
        shifts_at=body.add(_bytes(layer.shift, "i1")) if plain else 0,
        corrections_at=body.add(_bytes(corrections(layer), "<i4")) if plain else 0,
        packing=LAYER_PACKINGS.index(place.packing),
    )


def _bytes(values: NDArray[np.signedinteger], kind: str) -> bytes:
    return values.astype(kind).tobytes()
