"""Writing `gaze.tflite` straight from the network's integers, with nothing estimated anew.

int8 input [1, rows, columns, planes] → CONV_2D … → FULLY_CONNECTED … → int8 features [1, D]
→ DEQUANTIZE → float FULLY_CONNECTED → gaze [1, 4] (right, up in degrees, openness, ln of the
expected error in degrees).

Outputs are the features and the gaze, in this order. FULLY_CONNECTED flattens its input (row, column,
channel) by itself, so there is no RESHAPE to carry. Dense layers are quantized per tensor: per-channel dense
was silently wrong in TFLite Micro before May 2024.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from psog.firmware_export.flatbuffer import GraphBuilder
from psog.firmware_export.limits import check_exportable
from psog.firmware_export.test_vector import make_test_vector
from psog.headset import Headset
from psog.net.architecture import OUTPUTS
from psog.net.integer import IntegerNet, Layer, Normalisation

METADATA = "psog"
"""Name of psog's entry in the file's metadata table: UTF-8 JSON."""

_METADATA_VERSION = 2

_FINE = "fine = ((wire - offset) * multiplier + 2**(shift - 4)) >> (shift - 3)"
_FORMULAS = {
    1: "clip(((wire - offset) * multiplier + 2**(shift - 1)) >> shift, -128, 127)",
    2: f"{_FINE}; coarse = clip((fine + 4) >> 3, -128, 127); residual = clip(fine - 8 * coarse, -128, 127)",
}
"""How a reading becomes the input of its cells, one formula for each number of planes."""


def write_tflite(net: IntegerNet, headset: Headset) -> bytes:
    """The network as a TFLite flatbuffer; a function of its arguments alone.

    The TFLite Micro interpreter gives the features of `net.features` to the bit.

    Raises:
        ModelError: made for another headset, or more than a device can run.
    """
    check_exportable(net, headset)
    graph = GraphBuilder()
    shapes = net.layer_shapes()
    source = graph.activation("input", shapes[0], net.input_quantization)
    features = source
    for index, (layer, shape) in enumerate(zip(net.layers, shapes[1:], strict=True)):
        features = add_layer(graph, layer, f"layer{index}_{layer.kind}", features, shape)
    gaze = _add_head(graph, net, features)
    graph.metadata(METADATA, _metadata(net, headset))
    return graph.finish([source], [features, gaze])


def read_metadata(data: bytes) -> dict[str, Any]:
    """psog's entry in the metadata table of a file written by `write_tflite`; empty without one."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(data, 0)
    for entry in model.metadata or []:
        if entry.name == METADATA.encode():
            content: dict[str, Any] = json.loads(bytes(model.buffers[entry.buffer].data))
            return content
    return {}


def add_layer(graph: GraphBuilder, layer: Layer, name: str, source: int, shape: tuple[int, int, int]) -> int:
    """A layer on the tensor `source`; returns the tensor of its output, which has `shape`."""
    weight = graph.constant(f"{name}_weight", layer.weight, layer.weight_scale)
    bias_scale = layer.input.scale * layer.weight_scale
    bias = graph.constant(f"{name}_bias", layer.bias, bias_scale.astype(np.float32))
    output = graph.activation(name, shape if layer.kind == "conv" else shape[2:], layer.output)
    if layer.kind == "conv":
        graph.convolution(source, weight, bias, output, same=layer.padding == "same", relu=layer.relu)
    else:
        graph.dense(source, weight, bias, output, relu=layer.relu)
    return output


def _add_head(graph: GraphBuilder, net: IntegerNet, features: int) -> int:
    real = graph.real("features_real", (net.feature_count,))
    weight = graph.constant("head_weight", net.head.weight[:, :-1].astype(np.float32))
    bias = graph.constant("head_bias", net.head.weight[:, -1].astype(np.float32))
    gaze = graph.real("gaze", (OUTPUTS,))
    graph.dequantize(features, real)
    graph.dense(real, weight, bias, gaze, relu=False)
    return gaze


def _metadata(net: IntegerNet, headset: Headset) -> bytes:
    """What a user of the file needs besides the graph: how readings become its input, and a check."""
    vector = make_test_vector(net)
    content = {
        "version": _METADATA_VERSION,
        "headset": headset.name,
        "field_deg": headset.field_deg,
        "layout": net.layout.tolist(),
        "wire": {"bits": 16, "adc_bits": headset.adc.bits, "alignment": "left"},
        "normalisation": _normalisation(net.normalisation),
        "outputs": ["features", "gaze"],
        "gaze": ["gaze_h_deg", "gaze_v_deg", "openness", "ln_expected_error_deg"],
        "calibration_ln": net.head.calibration_ln,
        "ridge": net.head.ridge,
        "test_vector": {
            "reading": vector.reading.tolist(),
            "features": vector.features.tolist(),
            "gaze": [float(value) for value in vector.output],
        },
    }
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


def _normalisation(normalisation: Normalisation) -> dict[str, Any]:
    return {
        "planes": normalisation.planes,
        "formula": _FORMULAS[normalisation.planes],
        "offset": normalisation.offset.tolist(),
        "multiplier": normalisation.multiplier.tolist(),
        "shift": normalisation.shift,
    }
