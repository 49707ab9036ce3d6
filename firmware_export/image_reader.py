"""Reading a device image: nothing in it is used before it is checked, in the order of docs/SPEC.md."""

from __future__ import annotations

import math
import zlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from psog.device.identity import CRC_BYTES, SIGNATURE_BYTES
from psog.errors import ModelImageError
from psog.firmware_export.image_format import (
    HEADER,
    KINDS,
    LAYER,
    MAGIC,
    MAX_CONTENT_BYTES,
    MAX_VERSION,
    NAME_BYTES,
    PADDINGS,
    VERSION,
    Header,
    LayerEntry,
    ModelImage,
    image_packing,
)
from psog.firmware_export.keys import is_signed_by
from psog.firmware_export.limits import (
    MAX_ACTIVATION_BYTES,
    MAX_BIASES,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_SHIFT,
    MIN_SHIFT,
    fits_when_told,
)
from psog.firmware_export.packing import (
    Place,
    Shape,
    can_be_paired,
    corrections,
    from_paired_requantization,
    packed_bytes,
    packs_as_int8,
    unpack,
)
from psog.firmware_export.packings import LAYER_PACKINGS, Packing
from psog.firmware_export.sparse import SPARSE_HEADER_BYTES, sparse_bytes
from psog.firmware_export.test_vector import HEAD_TOLERANCE, TestVector
from psog.headset import MAX_CELLS, MAX_SENSORS, WIRE_BITS
from psog.net.architecture import KERNEL, MAX_FEATURES, MAX_LAYERS, OUTPUTS
from psog.net.arithmetic import DeviceLayer, Int32
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
    _require(public_key is None or is_signed_by(data, public_key), "it is not signed by the expected key")
    content = data[:-SIGNATURE_BYTES]
    _check_frame(content)
    header = Header._make(HEADER.unpack_from(content))
    _check_header(header)
    parts = _Parts(content)
    layout = parts.array(header.layout_at, "u1", (header.rows, header.columns), "layout").astype(np.int64)
    _require(int(layout.max()) < header.sensors, "the layout names a sensor that does not exist")
    entries = parts.entries(header.layers_at, header.layers)
    planes = entries[0].in_channels
    _require(1 <= planes <= MAX_PLANES, f"its first layer takes {planes} input planes, 1 or 2 expected")
    packing = _packing(entries)
    layers = _read_layers(parts, header, entries)
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
    _require(
        needed == header.activation_bytes <= MAX_ACTIVATION_BYTES,
        f"its layers need {needed} bytes of activations, the header says {header.activation_bytes}",
    )
    _check_test_vector(image)
    return image


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ModelImageError(f"cannot read model image: {otherwise}; export the model again")


def _check_frame(data: bytes) -> None:
    """Magic, version, length and checksum: whether the bytes are an image at all, and whole."""
    size = len(data)
    smallest = HEADER.size + CRC_BYTES
    what = f"it has {size} bytes before its signature"
    _require(size >= smallest, f"{what}, at least {smallest} expected")
    _require(size <= MAX_CONTENT_BYTES, f"{what}, at most {MAX_CONTENT_BYTES} expected")
    _require(data[:4] == MAGIC, f"it begins with {bytes(data[:4])!r}, {MAGIC!r} expected")
    version, stated = int.from_bytes(data[4:6], "little"), int.from_bytes(data[8:12], "little")
    _require(version == VERSION, f"its format version is {version}, {VERSION} expected")
    _require(stated == size and size % 4 == 0, f"{what}, its header says {stated}")
    found, expected = zlib.crc32(data[:-CRC_BYTES]), int.from_bytes(data[-CRC_BYTES:], "little")
    _require(found == expected, f"its checksum is {found:08x}, {expected:08x} expected")


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
        _require(low <= found <= high, f"its {what} is {found}, {low} to {high} expected")
    _require(math.isfinite(header.calibration_ln), "its change of expected error is not finite")
    _require(header.numbers > 0 or header.embedding_at == 0, "it has a user embedding without numbers")
    numbers = {
        "feature scale": header.feature_scale,
        "ridge strength": header.ridge,
        "field width": header.field_h_deg,
        "field height": header.field_v_deg,
    }
    for what, number in numbers.items():
        _require(math.isfinite(number) and number > 0, f"its {what} is {number}, a number above 0 expected")


def _name(field: bytes) -> str:
    text = field.rstrip(b"\0")
    printable = all(0x20 < byte < 0x7F for byte in text)
    _require(0 < len(text) < NAME_BYTES and printable, f"its headset name is {field!r}")
    return text.decode("ascii")


class _Parts:
    """Takes arrays out of an image, each checked to lie between header and checksum."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def array(self, offset: int, kind: str, shape: tuple[int, ...], what: str) -> NDArray[np.generic]:
        dtype = np.dtype(kind)
        count = math.prod(shape)
        end = len(self._data) - CRC_BYTES
        inside = HEADER.size <= offset <= end and dtype.itemsize * count <= end - offset
        _require(inside and offset % 4 == 0, f"its {what} at offset {offset} lies outside, or across a word")
        flat = np.frombuffer(self._data, dtype, count, offset)
        return flat.reshape(shape).astype(dtype.newbyteorder("="))

    def floats(self, offset: int, shape: tuple[int, ...], what: str) -> NDArray[np.float32]:
        values = self.array(offset, "<f4", shape, what).astype(np.float32)
        _require(bool(np.isfinite(values).all()), f"its {what} holds a number that is not finite")
        return values

    def entries(self, offset: int, count: int) -> list[LayerEntry]:
        table = self.array(offset, "u1", (count, LAYER.size), "layer table").tobytes()
        return [LayerEntry._make(fields) for fields in LAYER.iter_unpack(table)]


def _read_normalisation(parts: _Parts, header: Header, planes: int) -> Normalisation:
    pairs = parts.array(header.normalisation_at, "<i4", (header.sensors, 2), "normalisation").astype(np.int32)
    offset, multiplier = pairs[:, 0].copy(), pairs[:, 1].copy()
    in_range = (offset >= 0) & (offset < 1 << WIRE_BITS) & (multiplier >= 1) & (multiplier <= 16383)
    _require(bool(in_range.all()), "its normalisation is out of range")
    least = 1 + (planes - 1) * RESIDUAL_BITS
    _require(
        header.normalisation_shift >= least,
        f"its normalisation shift is {header.normalisation_shift}, at least {least} expected with two planes",
    )
    return Normalisation(offset, multiplier, header.normalisation_shift, planes)


def _packing(entries: list[LayerEntry]) -> Packing:
    """Of the image: layers are plain, or paired in one way or another."""
    for index, entry in enumerate(entries):
        _require(entry.packing < len(LAYER_PACKINGS), f"layer {index} is packed in an unknown way")
    plain = {LAYER_PACKINGS[entry.packing] == "plain" for entry in entries}
    _require(len(plain) == 1, "it has plain layers and paired ones")
    return image_packing(entries)


def _read_layers(parts: _Parts, header: Header, entries: list[LayerEntry]) -> tuple[DeviceLayer, ...]:
    """The layers, each fed by the one before."""
    shape, zero = (header.rows, header.columns, entries[0].in_channels), header.input_zero
    layers = []
    for index, entry in enumerate(entries):
        what = f"layer {index}"
        fed = (entry.rows, entry.columns, entry.in_channels) == shape and entry.input_zero == zero
        _require(fed, f"{what} does not take what the layer before it gives")
        output = _output_shape(entry, what)
        bytes_needed = math.prod(shape) + math.prod(output)
        _require(
            bytes_needed <= MAX_ACTIVATION_BYTES,
            f"{what} needs {bytes_needed} bytes of activations, at most {MAX_ACTIVATION_BYTES} expected",
        )
        layers.append(_read_layer(parts, entry, output, what))
        shape, zero = output, entry.output_zero
    features_fit = KINDS[entry.kind] == "dense" and shape[2] == header.features
    _require(features_fit and zero == header.feature_zero, "its last layer does not give its features")
    return tuple(layers)


def _output_shape(entry: LayerEntry, what: str) -> Shape:
    """What a layer gives; refuses kinds that do not exist and grids that are too small."""
    _require(entry.kind < len(KINDS) and entry.padding < len(PADDINGS), f"{what} is of an unknown kind")
    _require(entry.out_channels > 0 and entry.low <= entry.high, f"{what} gives nothing")
    valid = PADDINGS[entry.padding] == "valid"
    if KINDS[entry.kind] == "dense":
        _require(valid, f"{what} is dense with padding")
        return 1, 1, entry.out_channels
    lost = KERNEL - 1 if valid else 0
    rows, columns = entry.rows - lost, entry.columns - lost
    _require(rows >= 1 and columns >= 1, f"{what} is a convolution on a grid smaller than its kernel")
    return rows, columns, entry.out_channels


def _read_layer(parts: _Parts, entry: LayerEntry, output: Shape, what: str) -> DeviceLayer:
    out, channels = entry.out_channels, entry.in_channels
    dense = KINDS[entry.kind] == "dense"
    place = Place(LAYER_PACKINGS[entry.packing], (entry.rows, entry.columns, channels), output)
    multiplier, shift = _read_requantization(parts, entry, what)
    layer = DeviceLayer(
        kind="dense" if dense else "conv",
        padding="same" if PADDINGS[entry.padding] == "same" else "valid",
        weight=_read_weights(parts, entry, place, what),
        bias=parts.array(entry.biases_at, "<i4", (out,), f"{what} biases").astype(np.int32),
        input_zero=entry.input_zero,
        output_zero=entry.output_zero,
        low=entry.low,
        high=entry.high,
        multiplier=multiplier,
        shift=shift,
    )
    in_range = (layer.multiplier == 0) | (layer.multiplier >= 1 << 30)
    in_range &= (layer.shift >= MIN_SHIFT) & (layer.shift <= MAX_SHIFT)
    _require(bool(in_range.all()), f"{what} has a multiplier or shift out of range")
    if place.packing == "plain":
        layer = _uncorrected(layer, parts.array(entry.corrections_at, "<i4", (out,), f"{what} corrections"))
    else:
        _require(can_be_paired(layer), f"{what} is not what paired kernels compute")
    _require(layer.fits_32_bits, f"{what} can overflow 32 bits")
    return layer


def _read_requantization(parts: _Parts, entry: LayerEntry, what: str) -> tuple[Int32, Int32]:
    out = entry.out_channels
    if LAYER_PACKINGS[entry.packing] == "plain":
        multiplier = parts.array(entry.multipliers_at, "<i4", (out,), f"{what} multipliers").astype(np.int32)
        shift = parts.array(entry.shifts_at, "i1", (out,), f"{what} shifts").astype(np.int32)
        return multiplier, shift
    pairs = parts.array(entry.multipliers_at, "<i4", (out, 2), f"{what} multipliers").astype(np.int64)
    found = from_paired_requantization(pairs)
    if found is None:
        raise ModelImageError(
            f"cannot read model image: {what} has a multiplier or shift out of range; export the model again"
        )
    return found


def _uncorrected(layer: DeviceLayer, found: NDArray[np.generic]) -> DeviceLayer:
    """What an image adds beyond the zero point's share is as good as a bias; it wraps as sums do."""
    bias = layer.bias + found.astype(np.int64) - corrections(layer)
    return replace(layer, bias=bias.astype(np.int32))


def _read_weights(parts: _Parts, entry: LayerEntry, place: Place, what: str) -> NDArray[np.int8]:
    out, channels = entry.out_channels, entry.in_channels
    dense = KINDS[entry.kind] == "dense"
    inputs = (entry.rows * entry.columns * channels,) if dense else (KERNEL, KERNEL, channels)
    whole = dense or place.packing != "int8" or packs_as_int8(channels)
    _require(whole, f"{what} has too few channels for its packing")
    _require(not dense or place.packing != "sparse", f"{what} is dense, and packed as a sparse convolution")
    size = packed_bytes((out, *inputs), place)
    if place.packing == "sparse":
        header = parts.array(entry.weights_at, "u1", (SPARSE_HEADER_BYTES,), f"{what} weights")
        size = max(sparse_bytes(header.tobytes()), SPARSE_HEADER_BYTES)
    packed = parts.array(entry.weights_at, "u1", (size,), f"{what} weights").tobytes()
    weight = unpack(packed, (out, *inputs), place)
    if weight is None:
        raise ModelImageError(
            f"cannot read model image: {what} has weights beyond int8, or not where they belong; "
            "export the model again"
        )
    return weight


def _read_embedding(parts: _Parts, header: Header, layers: tuple[DeviceLayer, ...]) -> DeviceEmbedding | None:
    if header.numbers == 0:
        return None
    widths = [layer.out_channels for layer in layers]
    outputs = sum(widths)
    _require(outputs <= MAX_BIASES, f"it tells {outputs} biases, at most {MAX_BIASES} expected")
    _require(all(map(fits_when_told, layers)), "it can overflow 32 bits when told whose eye it sees")
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


def _read_test_vector(parts: _Parts, header: Header) -> TestVector:
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
    _require(bool((features == vector.features).all()), "it does not reproduce its test vector")
    with np.errstate(over="ignore", invalid="ignore"):  # absurd heads: the comparison below refuses them
        output = image.head(image.feature_quantization.real(features[None]))[0]
        close = np.abs(output - vector.output) <= HEAD_TOLERANCE
    _require(bool(close.all()), "its head does not reproduce its test vector")
