"""The same network by way of TensorFlow and its converter: an independent check of `write_tflite`.

It needs the extra `tensorflow`. The network is built in float with fake quantization of the ranges that
training fixed; the converter then derives integers and scales by itself. The float head is left out: the
file ends at the int8 features.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from psog.errors import MissingExtraError
from psog.net.integer import IntegerNet, Layer, Quantization

_BITS = 8


def convert_with_tensorflow(net: IntegerNet) -> bytes:
    """A .tflite file: int8 input [1, rows, columns, planes] to int8 features [1, features].

    Raises:
        MissingExtraError: TensorFlow is not installed.
    """
    tf = _tensorflow()

    def body(x: Any) -> Any:
        x = _fake_quantized(tf, x, net.input_quantization)
        for layer in net.layers:
            x = _apply(tf, layer, x)
        return x

    signature = tf.TensorSpec((1, *net.layer_shapes()[0]), tf.float32)
    function = tf.function(body, input_signature=[signature]).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def _tensorflow() -> Any:
    try:
        import tensorflow
    except ModuleNotFoundError as error:
        raise MissingExtraError("tensorflow", "tensorflow", "the conversion by TensorFlow") from error
    return tensorflow


def _apply(tf: Any, layer: Layer, x: Any) -> Any:
    """The layer in float, with weights and outputs on their int8 grids."""
    scale = layer.weight_scale
    bias = tf.constant((layer.bias * (np.float64(layer.input.scale) * scale)).astype(np.float32))
    if layer.kind == "conv":
        kernel = (layer.weight * scale[:, None, None, None]).transpose(1, 2, 3, 0)  # TensorFlow's HWIO
        weight = tf.quantization.fake_quant_with_min_max_vars_per_channel(
            tf.constant(kernel), -127 * scale, 127 * scale, _BITS, narrow_range=True
        )
        x = tf.nn.conv2d(x, weight, strides=1, padding=layer.padding.upper())
    else:
        weight = tf.quantization.fake_quant_with_min_max_vars(
            tf.constant((layer.weight * scale).T), -127 * scale[0], 127 * scale[0], _BITS, narrow_range=True
        )
        x = tf.reshape(x, (1, layer.weight.shape[1])) @ weight
    x = tf.nn.bias_add(x, bias)
    return _fake_quantized(tf, tf.nn.relu(x) if layer.relu else x, layer.output)


def _fake_quantized(tf: Any, x: Any, quantization: Quantization) -> Any:
    scale = float(quantization.scale)
    low, high = (scale * (end - quantization.zero_point) for end in (-128, 127))
    return tf.quantization.fake_quant_with_min_max_vars(x, low, high, _BITS)
