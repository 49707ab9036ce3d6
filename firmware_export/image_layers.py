"""Reading the layers of a device image: shapes that fit each other, weights in any packing, no overflow."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from psog.errors import ModelImageError
from psog.firmware_export.image_format import KINDS, PADDINGS, Header, LayerEntry, image_packing
from psog.firmware_export.image_parts import Parts, require
from psog.firmware_export.limits import MAX_ACTIVATION_BYTES, MAX_SHIFT, MIN_SHIFT
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
from psog.firmware_export.packings import INT4, LAYER_PACKINGS, PLAIN, Packing
from psog.firmware_export.sparse import SPARSE_HEADER_BYTES, sparse_bytes
from psog.net.architecture import KERNEL
from psog.net.arithmetic import DeviceLayer, Int32


def packing_of(entries: list[LayerEntry]) -> Packing:
    """Of the image: layers are plain, or paired in one way or another."""
    for index, entry in enumerate(entries):
        require(entry.packing < len(LAYER_PACKINGS), f"layer {index} is packed in an unknown way")
    plain = {LAYER_PACKINGS[entry.packing] in PLAIN for entry in entries}
    require(len(plain) == 1, "it has plain layers and paired ones")
    return image_packing(entries)


def read_layers(parts: Parts, header: Header, entries: list[LayerEntry]) -> tuple[DeviceLayer, ...]:
    """The layers, each fed by the one before."""
    shape, zero = (header.rows, header.columns, entries[0].in_channels), header.input_zero
    layers = []
    for index, entry in enumerate(entries):
        what = f"layer {index}"
        fed = (entry.rows, entry.columns, entry.in_channels) == shape and entry.input_zero == zero
        require(fed, f"{what} does not take what the layer before it gives")
        output = _output_shape(entry, what)
        bytes_needed = math.prod(shape) + math.prod(output)
        require(
            bytes_needed <= MAX_ACTIVATION_BYTES,
            f"{what} needs {bytes_needed} bytes of activations, at most {MAX_ACTIVATION_BYTES} expected",
        )
        layers.append(_read_layer(parts, entry, output, what))
        shape, zero = output, entry.output_zero
    features_fit = KINDS[entry.kind] == "dense" and shape[2] == header.features
    require(features_fit and zero == header.feature_zero, "its last layer does not give its features")
    return tuple(layers)


def _output_shape(entry: LayerEntry, what: str) -> Shape:
    """What a layer gives; refuses kinds that do not exist and grids that are too small."""
    require(entry.kind < len(KINDS) and entry.padding < len(PADDINGS), f"{what} is of an unknown kind")
    require(entry.out_channels > 0 and entry.low <= entry.high, f"{what} gives nothing")
    valid = PADDINGS[entry.padding] == "valid"
    if KINDS[entry.kind] == "dense":
        require(valid, f"{what} is dense with padding")
        return 1, 1, entry.out_channels
    lost = KERNEL - 1 if valid else 0
    rows, columns = entry.rows - lost, entry.columns - lost
    require(rows >= 1 and columns >= 1, f"{what} is a convolution on a grid smaller than its kernel")
    return rows, columns, entry.out_channels


def _read_layer(parts: Parts, entry: LayerEntry, output: Shape, what: str) -> DeviceLayer:
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
    require(bool(in_range.all()), f"{what} has a multiplier or shift out of range")
    if place.packing in PLAIN:
        layer = _uncorrected(layer, parts.array(entry.corrections_at, "<i4", (out,), f"{what} corrections"))
    else:
        require(can_be_paired(layer), f"{what} is not what paired kernels compute")
        none = entry.shifts_at == entry.corrections_at == 0
        require(none, f"{what} is paired and has shifts or corrections")
    require(layer.fits_32_bits, f"{what} can overflow 32 bits")
    return layer


def _read_requantization(parts: Parts, entry: LayerEntry, what: str) -> tuple[Int32, Int32]:
    out = entry.out_channels
    if LAYER_PACKINGS[entry.packing] in PLAIN:
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


def _read_weights(parts: Parts, entry: LayerEntry, place: Place, what: str) -> NDArray[np.int8]:
    out, channels = entry.out_channels, entry.in_channels
    dense = KINDS[entry.kind] == "dense"
    inputs = (entry.rows * entry.columns * channels,) if dense else (KERNEL, KERNEL, channels)
    whole = dense or place.packing != "int8" or packs_as_int8(channels)
    require(whole, f"{what} has too few channels for its packing")
    require(not dense or place.packing != "sparse", f"{what} is dense, and packed as a sparse convolution")
    require(dense or place.packing not in INT4, f"{what} is a convolution, and packed as int4")
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
