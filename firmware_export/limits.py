"""What a device can run: the limits of docs/SPEC.md, checked before anything is written."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from psog.errors import ModelError
from psog.headset import MAX_SENSORS, Headset
from psog.net.architecture import MAX_FEATURES, MAX_LAYERS
from psog.net.arithmetic import DeviceLayer
from psog.net.integer import IntegerNet
from psog.net.told import told_bias_limit

MAX_ROWS, MAX_COLUMNS = 16, 32
MAX_ACTIVATION_BYTES = 16384
MIN_SHIFT, MAX_SHIFT = -31, 7
MAX_BIASES = 768
"""Outputs of all layers of a network that is told whose eye it sees: a calibration of so many biases and the
largest head fits an erase block of 4 KB."""


def activation_bytes(net: IntegerNet) -> int:
    """Largest sum of one layer's input and output: the working memory of an inference."""
    sizes = [int(np.prod(shape)) for shape in net.layer_shapes()]
    return max(a + b for a, b in pairwise(sizes))


def check_exportable(net: IntegerNet, headset: Headset) -> None:
    """Refuse what a device could not run, or would not compute to the bit.

    Raises:
        ModelError: made for another headset, beyond the limits of the image, or a layer whose sums can
            overflow 32 bits.
    """
    _check_headset(net, headset)
    rows, columns = net.layout.shape
    last = net.layers[-1]
    sizes = {
        "sensors": (headset.sensor_count, MAX_SENSORS),
        "grid rows": (rows, MAX_ROWS),
        "grid columns": (columns, MAX_COLUMNS),
        "layers": (len(net.layers), MAX_LAYERS),
        "features": (net.feature_count, MAX_FEATURES),
        "bytes of activations": (activation_bytes(net), MAX_ACTIVATION_BYTES),
    }
    if net.embedding is not None:
        sizes["biases to tell"] = (sum(layer.out_channels for layer in net.layers), MAX_BIASES)
    for what, (found, largest) in sizes.items():
        if found > largest:
            raise ModelError(f"cannot export: {found} {what}, at most {largest} fit; train a smaller network")
    if last.kind != "dense":
        raise ModelError("cannot export: the last layer is a convolution; a dense feature layer is expected")
    if not np.isfinite(net.head.weight).all() or not 0 < np.float32(net.head.ridge) < np.inf:
        raise ModelError("cannot export: the head or its ridge is not finite; train again")
    _check_arithmetic(net)


def fits_when_told(layer: DeviceLayer) -> bool:
    """Whether no sum can overflow 32 bits, whatever biases a user's numbers bring."""
    return replace(layer, bias=told_bias_limit(layer)).fits_32_bits


def _check_headset(net: IntegerNet, headset: Headset) -> None:
    if net.headset != headset.name:
        raise ModelError(
            f"the model is for headset {net.headset!r}, given {headset.name!r}; "
            f"pass --headset {net.headset}, or a model for {headset.name}"
        )
    if not np.array_equal(net.layout, headset.grid):
        raise ModelError(
            f"cannot export: the layout of headset {headset.name!r} has changed since the model was trained; "
            "train again or restore the headset file"
        )


def _check_arithmetic(net: IntegerNet) -> None:
    for index, layer in enumerate(net.layers):
        device = layer.device()
        shifts = (int(device.shift.min()), int(device.shift.max()))
        if shifts[0] < MIN_SHIFT or shifts[1] > MAX_SHIFT:
            raise ModelError(
                f"cannot export: layer {index} scales its sums by 2^{shifts[0]} to 2^{shifts[1]}, "
                f"2^{MIN_SHIFT} to 2^{MAX_SHIFT} expected; train again"
            )
        if not (device.fits_32_bits if net.embedding is None else fits_when_told(device)):
            raise ModelError(
                f"cannot export: sums of layer {index} can overflow 32 bits; "
                "train a narrower network, or with more weight decay"
            )
