"""What an exported model is made of: sizes, operations, layer by layer."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from psog.firmware_export.limits import activation_bytes
from psog.net.integer import IntegerNet, Layer

FORMAT = "psog-export"
VERSION = 1

_BIAS_BYTES = 4
_REQUANTIZATION_BYTES = 5  # a multiplier and a shift for each channel, in the device image


def make_report(net: IntegerNet, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The content of report.json, JSON types only.

    Args:
        files: name and content of what was exported.
    Returns:
        "macs" and "parameters" with the head, "layers" one by one, "bytes" by purpose, "sizes" and "sha256"
        by file.
    """
    shapes = net.layer_shapes()
    layers = [_layer(layer, *pair) for layer, *pair in zip(net.layers, shapes[:-1], shapes[1:], strict=True)]
    outputs = sum(layer.out_channels for layer in net.layers)
    return {
        "format": FORMAT,
        "version": VERSION,
        "headset": net.headset,
        "sensors": len(net.normalisation.offset),
        "features": net.feature_count,
        "macs": net.macs,
        "parameters": net.parameters,
        "activation_bytes": activation_bytes(net),
        "bytes": {
            "weights": sum(layer.weight.size for layer in net.layers),
            "biases": _BIAS_BYTES * outputs,
            "requantization": _REQUANTIZATION_BYTES * outputs,
            "head": int(net.head.weight.astype(np.float32).nbytes),
            **({"user_embedding": net.embedding.device(net).device_bytes} if net.embedding else {}),
        },
        "layers": layers,
        "sizes": {name: len(content) for name, content in files.items()},
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }


def _layer(layer: Layer, source: tuple[int, int, int], output: tuple[int, int, int]) -> dict[str, Any]:
    return {
        "kind": layer.kind,
        "padding": layer.padding,
        "relu": layer.relu,
        "input": list(source),
        "output": list(output),
        "macs": layer.macs(source),
        "macs_without_padding": _macs_without_padding(layer, source),
        "parameters": int(layer.weight.size + layer.bias.size),
        "zero_weights": int(np.count_nonzero(layer.weight == 0)),
        "activation_bytes": math.prod(source) + math.prod(output),
    }


def _macs_without_padding(layer: Layer, source: tuple[int, int, int]) -> int:
    """Multiply-accumulates on cells that exist: what a kernel that skips the padding does."""
    macs = layer.macs(source)
    if layer.padding == "valid":
        return macs
    rows, columns, _ = source
    # Along an axis of n cells, 3n taps of which the first and the last fall outside.
    return macs * (3 * rows - 2) * (3 * columns - 2) // (9 * rows * columns)
