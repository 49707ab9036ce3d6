"""Between the trained network in torch and the integers that run on the device."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from psog.errors import ModelError
from psog.net.architecture import KERNEL, LN_ERROR, OUTPUTS
from psog.net.arithmetic import to_bias
from psog.net.embedding import MOMENTS, Embedding
from psog.net.int4 import int4_factors
from psog.net.integer import UNMEASURED_DEG, Head, IntegerNet, Layer, Quantization
from psog.net.normalise import INPUT
from psog.net.qat import GazeNet, UserEmbedding
from psog.net.quantized_layer import QuantizedLayer
from psog.net.ridge import GAZE_OUTPUTS, GAZE_UNIT_DEG


def to_integer(net: GazeNet) -> IntegerNet:
    """The integers of a network trained with quantization.

    Raises:
        ModelError: the network diverged (a weight or range is not finite), or no activation range was seen.
    """
    layers: list[Layer] = []
    source = INPUT
    for layer in net.layers:
        assert isinstance(layer, QuantizedLayer)
        layers.append(_integer_layer(layer, source, len(layers)))
        source = layers[-1].output
    trained = net.head_deg().detach().numpy().astype(np.float32)
    ridge = float(np.float32(net.ridge().item()))
    if not (np.isfinite(trained).all() and 0 < ridge < np.inf):
        raise ModelError("training diverged: the head is not finite; train again with another seed")
    rest = net.measured or _unmeasured(trained.shape[1])
    return IntegerNet(
        headset=net.headset,
        layout=net.layout.numpy().copy(),
        normalisation=net.normalisation,
        layers=tuple(layers),
        head=replace(rest, weight=np.concatenate([trained, rest.weight[LN_ERROR:]]), ridge=ridge),
        embedding=None if net.embedding is None else _integer_embedding(net.embedding),
    )


def from_integer(net: IntegerNet) -> GazeNet:
    """A trainable network that computes what `net` computes: to train further, or to run without rounding.

    Dense layers whose weights four bits hold (psog.net.int4) go on with weights of four bits. Its ranges are
    frozen and its arithmetic quantized; set `quantized` to False for the float form.
    """
    generator = torch.Generator().manual_seed(0)  # every random value is overwritten
    layers = []
    for layer in net.layers:
        inputs = int(layer.weight[0].size)
        module = QuantizedLayer(
            layer.kind, layer.padding, inputs, layer.out_channels, relu=layer.relu, generator=generator
        )
        _fill(module, layer)
        layers.append(module)
    gaze_net = GazeNet(net.headset, net.layout, net.normalisation, layers, generator)
    head = net.head.weight[:LN_ERROR].astype(np.float32).copy()
    head[:GAZE_OUTPUTS] /= GAZE_UNIT_DEG
    with torch.no_grad():
        gaze_net.head.copy_(torch.from_numpy(head))
        gaze_net.log_ridge.fill_(float(np.log(net.head.ridge)))
    if net.embedding is not None:
        gaze_net.embedding = _embedding(net.embedding, generator)
    gaze_net.measured = net.head
    gaze_net.quantize()
    gaze_net.freeze_ranges()
    return gaze_net


def _unmeasured(width: int) -> Head:
    weight = np.zeros((OUTPUTS, width), np.float32)
    weight[LN_ERROR, -1] = np.log(UNMEASURED_DEG)
    return Head(weight, 1.0)


def _integer_embedding(module: UserEmbedding) -> Embedding:
    found = Embedding(
        weight=module.weight.detach().numpy().copy(),
        bias=module.bias.detach().numpy().copy(),
        shifts=tuple(shift.detach().numpy().copy() for shift in module.shifts),
    )
    if not all(np.isfinite(part).all() for part in (found.weight, found.bias, *found.shifts)):
        raise ModelError("training diverged: the embedding is not finite; train again with another seed")
    return found


def _embedding(embedding: Embedding, generator: torch.Generator) -> UserEmbedding:
    widths = [len(shift) for shift in embedding.shifts]
    sensors = embedding.weight.shape[1] // MOMENTS
    module = UserEmbedding(embedding.count, sensors, widths, generator)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(embedding.weight))
        module.bias.copy_(torch.from_numpy(embedding.bias))
        for parameter, shift in zip(module.shifts, embedding.shifts, strict=True):
            parameter.copy_(torch.from_numpy(shift))
    return module


def _integer_layer(layer: QuantizedLayer, source: Quantization, index: int) -> Layer:
    if not bool(layer.output.seen):
        raise ModelError(f"layer {index} has no activation range; train with quantization before converting")
    weight, bias = layer.weight.detach(), layer.bias.detach()
    high = float(layer.output.high)
    if not (bool(weight.isfinite().all()) and bool(bias.isfinite().all()) and np.isfinite(high)):
        raise ModelError(f"training diverged: layer {index} is not finite; train again with another seed")
    scale = layer.weight_scale()
    quantized = layer.weight_steps().clamp(-127, 127).to(torch.int8).numpy()
    if layer.kind == "conv":
        quantized = quantized.reshape(len(quantized), KERNEL, KERNEL, -1)
    bias_scale = float(source.scale) * scale.numpy().astype(np.float64)
    return Layer(
        kind=layer.kind,
        padding=layer.padding,
        weight=quantized,
        bias=to_bias(bias.numpy() / bias_scale),
        weight_scale=scale.numpy().astype(np.float32),
        input=source,
        output=layer.output.quantization(),
        relu=layer.relu,
    )


def _fill(module: QuantizedLayer, layer: Layer) -> None:
    scale = layer.weight_scale.astype(np.float32)
    weight = layer.weight.reshape(layer.out_channels, -1).astype(np.float32) * scale[:, None]
    bias = layer.bias.astype(np.float64) * (float(layer.input.scale) * scale.astype(np.float64))
    step, zero_point = float(layer.output.scale), layer.output.zero_point
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weight))
        module.bias.copy_(torch.from_numpy(bias.astype(np.float32)))
    if layer.kind == "dense" and int4_factors(layer.weight) is not None:
        module.bits, module.given_scale = 4, torch.from_numpy(scale)
    module.output.set(step * (-128 - zero_point), step * (127 - zero_point))
