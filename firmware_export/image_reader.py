"""Reading a device image: nothing in it is used before it is checked, in the order of docs/SPEC.md."""

from __future__ import annotations

import math
import zlib

import numpy as np

from psog.device.identity import CRC_BYTES, SIGNATURE_BYTES
from psog.firmware_export.image_format import (
    HEADER,
    MAGIC,
    MAX_CONTENT_BYTES,
    MAX_VERSION,
    NAME_BYTES,
    VERSION,
    Header,
    ModelImage,
)
from psog.firmware_export.image_layers import packing_of, read_layers
from psog.firmware_export.image_parts import Parts, require
from psog.firmware_export.keys import is_signed_by
from psog.firmware_export.limits import (
    MAX_ACTIVATION_BYTES,
    MAX_BIASES,
    MAX_COLUMNS,
    MAX_ROWS,
    fits_when_told,
)
from psog.firmware_export.test_vector import HEAD_TOLERANCE, TestVector
from psog.headset import MAX_CELLS, MAX_SENSORS, WIRE_BITS
from psog.net.architecture import MAX_FEATURES, MAX_LAYERS, OUTPUTS
from psog.net.arithmetic import DeviceLayer
from psog.net.embedding import MAX_NUMBERS
from psog.net.integer import MAX_PLANES, RESIDUAL_BITS, Head, Normalisation, Quantization
from psog.net.told import STATISTICS, DeviceEmbedding


def read_image(data: bytes, public_key: bytes | None = None) -> ModelImage:
    """The model of a device image. It reproduces its own test vector, or it is refused.

    Args:
        public_key: whose signature it has to have; by default anybody's.
    Raises:
        ModelImageError: whatever else these bytes are.
    """
    require(public_key is None or is_signed_by(data, public_key), "it is not signed by the expected key")
    content = data[:-SIGNATURE_BYTES]
    _check_frame(content)
    header = Header._make(HEADER.unpack_from(content))
    _check_header(header)
    parts = Parts(content)
    layout = parts.array(header.layout_at, "u1", (header.rows, header.columns), "layout").astype(np.int64)
    require(int(layout.max()) < header.sensors, "the layout names a sensor that does not exist")
    entries = parts.entries(header.layers_at, header.layers)
    planes = entries[0].in_channels
    require(1 <= planes <= MAX_PLANES, f"its first layer takes {planes} input planes, 1 or 2 expected")
    packing = packing_of(entries)
    layers = read_layers(parts, header, entries)
    head = parts.floats(header.head_at, (OUTPUTS, header.features + 1), "head")
    image = ModelImage(
        headset=_name(header.headset),
        layout=layout,
        normalisation=_read_normalisation(parts, header, planes),
        layers=layers,
        feature_quantization=Quantization(np.float32(header.feature_scale), header.feature_zero),
        head=Head(head, header.ridge, header.calibration_ln),
        field_deg=(header.field_h_deg, header.field_v_deg),
        packing=packing,
        test_vector=_read_test_vector(parts, header),
        embedding=_read_embedding(parts, header, layers),
        version=header.version_counter,
    )
    needed = image.activation_bytes
    require(
        needed == header.activation_bytes <= MAX_ACTIVATION_BYTES,
        f"its layers need {needed} bytes of activations, the header says {header.activation_bytes}",
    )
    _check_test_vector(image)
    return image


def _check_frame(data: bytes) -> None:
    """Magic, version, length and checksum: whether the bytes are an image at all, and whole."""
    size = len(data)
    smallest = HEADER.size + CRC_BYTES
    what = f"it has {size} bytes before its signature"
    require(size >= smallest, f"{what}, at least {smallest} expected")
    require(size <= MAX_CONTENT_BYTES, f"{what}, at most {MAX_CONTENT_BYTES} expected")
    require(data[:4] == MAGIC, f"it begins with {bytes(data[:4])!r}, {MAGIC!r} expected")
    version, stated = int.from_bytes(data[4:6], "little"), int.from_bytes(data[8:12], "little")
    require(version == VERSION, f"its format version is {version}, {VERSION} expected")
    require(stated == size and size % 4 == 0, f"{what}, its header says {stated}")
    found, expected = zlib.crc32(data[:-CRC_BYTES]), int.from_bytes(data[-CRC_BYTES:], "little")
    require(found == expected, f"its checksum is {found:08x}, {expected:08x} expected")


def _check_header(header: Header) -> None:
    ranges = {
        "header length": (header.header_bytes, HEADER.size, HEADER.size),
        "version counter": (header.version_counter, 0, MAX_VERSION),
        "number of sensors": (header.sensors, 1, MAX_SENSORS),
        "number of rows": (header.rows, 1, MAX_ROWS),
        "number of columns": (header.columns, 1, MAX_COLUMNS),
        "number of cells": (header.rows * header.columns, 1, MAX_CELLS),
        "number of layers": (header.layers, 1, MAX_LAYERS),
        "number of outputs": (header.outputs, OUTPUTS, OUTPUTS),
        "number of features": (header.features, 1, MAX_FEATURES),
        "normalisation shift": (header.normalisation_shift, 1, 30),
        "feature zero point": (header.feature_zero, -128, 127),
        "activation size": (header.activation_bytes, 0, MAX_ACTIVATION_BYTES),
        "number of user numbers": (header.numbers, 0, MAX_NUMBERS),
        "number of statistics": (header.statistics, *(2 * [STATISTICS if header.numbers else 0])),
    }
    for what, (found, low, high) in ranges.items():
        require(low <= found <= high, f"its {what} is {found}, {low} to {high} expected")
    require(math.isfinite(header.calibration_ln), "its change of expected error is not finite")
    require(header.numbers > 0 or header.embedding_at == 0, "it has a user embedding without numbers")
    numbers = {
        "feature scale": header.feature_scale,
        "ridge strength": header.ridge,
        "field width": header.field_h_deg,
        "field height": header.field_v_deg,
    }
    for what, number in numbers.items():
        require(math.isfinite(number) and number > 0, f"its {what} is {number}, a number above 0 expected")


def _name(field: bytes) -> str:
    text = field.rstrip(b"\0")
    printable = all(0x20 < byte < 0x7F for byte in text)
    require(0 < len(text) < NAME_BYTES and printable, f"its headset name is {field!r}")
    return text.decode("ascii")


def _read_normalisation(parts: Parts, header: Header, planes: int) -> Normalisation:
    pairs = parts.array(header.normalisation_at, "<i4", (header.sensors, 2), "normalisation").astype(np.int32)
    offset, multiplier = pairs[:, 0].copy(), pairs[:, 1].copy()
    in_range = (offset >= 0) & (offset < 1 << WIRE_BITS) & (multiplier >= 1) & (multiplier <= 16383)
    require(bool(in_range.all()), "its normalisation is out of range")
    least = 1 + (planes - 1) * RESIDUAL_BITS
    require(
        header.normalisation_shift >= least,
        f"its normalisation shift is {header.normalisation_shift}, at least {least} expected with two planes",
    )
    return Normalisation(offset, multiplier, header.normalisation_shift, planes)


def _read_embedding(parts: Parts, header: Header, layers: tuple[DeviceLayer, ...]) -> DeviceEmbedding | None:
    if header.numbers == 0:
        return None
    widths = [layer.out_channels for layer in layers]
    outputs = sum(widths)
    require(outputs <= MAX_BIASES, f"it tells {outputs} biases, at most {MAX_BIASES} expected")
    require(all(map(fits_when_told, layers)), "it can overflow 32 bits when told whose eye it sees")
    by_statistic = header.statistics * header.sensors * header.numbers
    first = header.numbers + by_statistic
    floats = parts.floats(header.embedding_at, (first + outputs,), "user embedding")
    shifts_at = header.embedding_at + 4 * len(floats)
    shifts = parts.array(shifts_at, "i1", (outputs, header.numbers), "user embedding").astype(np.int8)
    ends = np.cumsum(widths)[:-1]
    return DeviceEmbedding(
        bias=floats[: header.numbers],
        weight=floats[header.numbers : first].reshape(header.sensors, header.statistics, header.numbers),
        scales=tuple(np.split(floats[first:], ends)),
        shifts=tuple(np.split(shifts, ends)),
    )


def _read_test_vector(parts: Parts, header: Header) -> TestVector:
    features_at = header.test_vector_at + _round_up(2 * header.sensors)
    output_at = features_at + _round_up(header.features)
    return TestVector(
        reading=parts.array(header.test_vector_at, "<u2", (header.sensors,), "test vector").astype(np.uint16),
        features=parts.array(features_at, "i1", (header.features,), "test vector").astype(np.int8),
        output=parts.floats(output_at, (OUTPUTS,), "test vector"),
    )


def _round_up(size: int) -> int:
    return size + -size % 4


def _check_test_vector(image: ModelImage) -> None:
    vector = image.test_vector
    features = image.features(vector.reading[None])[0]
    require(bool((features == vector.features).all()), "it does not reproduce its test vector")
    with np.errstate(over="ignore", invalid="ignore"):  # absurd heads: the comparison below refuses them
        output = image.head(image.feature_quantization.real(features[None]))[0]
        close = np.abs(output - vector.output) <= HEAD_TOLERANCE
    require(bool(close.all()), "its head does not reproduce its test vector")
