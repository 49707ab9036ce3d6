"""From a trained network to spikes: weight normalisation, thresholds, and weights of fewer bits.

Every layer's activations are scaled by one number, so that a neuron's largest rate, a spike a step, stands
for a high percentile of what activations come to on data; the few above it saturate. Weights, biases and
thresholds follow from that, layer by layer.

Source: data-based weight normalisation, Diehl et al., IJCNN 2015; its robust form with a percentile instead
of the maximum, Rueckauer et al., Front. Neurosci. 11:682 (2017), who take 99.9 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import ModelError
from psog.net.arithmetic import Int32
from psog.net.embedding import personal
from psog.net.integer import IntegerNet, Layer
from psog.net.spiking.network import FRACTION_BITS, Reset, SpikingLayer, SpikingNet

PERCENTILE = 99.9
"""Of a layer's activations. Source: Rueckauer et al. 2017."""

MAX_TIMESTEPS = 1024
_MAX_LEAK_SHIFT = 15
_LARGEST = np.iinfo(np.int32).max


@dataclass(frozen=True)
class SpikingConfig:
    """How a network spikes.

    Attributes:
        timesteps: T, 1 to 1024: a rate has about T + 1 values.
        threshold: of all neurons that spike, where 1 lets a spike in every step stand for the percentile. A
            lower one resolves small activations better and cuts off more of the large ones.
        weight_bits: of the weights that spikes meet, 2 to 8, sign included. The first layer keeps 8: it
            takes readings, not spikes, and its weights of the residual plane are an eighth of the others.
        leak_shift: k of a leak v -= v / 2^k in every step, a time constant of 2^k steps; 0 is none.
        start: of membranes, in thresholds.
        reset: "subtract" is the soft reset, "zero" loses what a membrane is above its threshold.
    """

    timesteps: int = 64
    threshold: float = 1.0
    weight_bits: int = 8
    leak_shift: int = 0
    start: float = 0.5
    reset: Reset = "subtract"

    def __post_init__(self) -> None:
        limits = {
            "timesteps": (self.timesteps, 1, MAX_TIMESTEPS),
            "threshold": (self.threshold, 0.01, 100),
            "weight bits": (self.weight_bits, 2, 8),
            "leak shift": (self.leak_shift, 0, _MAX_LEAK_SHIFT),
            "start": (self.start, 0, 1),
        }
        for name, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise ModelError(f"cannot convert to spikes: {name} {value:g}, expected {low:g} to {high:g}")


def activation_scales(
    net: IntegerNet,
    wire: NDArray[np.uint16],
    target_deg: NDArray[np.floating],
    percentile: float = PERCENTILE,
) -> NDArray[np.float64]:
    """(hidden layers,) that percentile of each layer's activations.

    Args:
        wire: (users, poses, n, sensors) readings; pose 0 is a calibration, which tells the network whose eye
            it sees.
        target_deg: (users, n, 2) where they were asked to look.
    Raises:
        ModelError: a hidden layer without a ReLU, whose negative values no rate can tell, or one that is
            silent on these readings.
    """
    if not all(layer.relu for layer in net.layers[:-1]):
        raise ModelError("cannot convert to spikes: a hidden layer has no ReLU, and rates are not negative")
    found: list[list[NDArray[np.float32]]] = [[] for _ in net.layers[:-1]]
    for readings, targets in zip(wire, target_deg, strict=True):
        own = personal(net, readings[0], targets)
        x = own.input(readings.reshape(-1, readings.shape[-1]))
        for layer, kept in zip(own.layers[:-1], found, strict=True):
            x = layer(x)
            kept.append(layer.output.real(x).ravel())
    scales = np.array([np.percentile(np.concatenate(kept), percentile) for kept in found], np.float64)
    if not (scales > 0).all():
        raise ModelError(
            f"cannot convert to spikes: layer {int(np.argmin(scales))} is silent on the readings given; "
            "give readings of users who look around"
        )
    return scales


def convert(net: IntegerNet, scales: NDArray[np.floating], config: SpikingConfig) -> SpikingNet:
    """The spiking form of a network with its biases as they are: of a stranger, or of whom it was told of.

    Args:
        scales: (hidden layers,) as of `activation_scales`, of readings of any users.
    Raises:
        ModelError: no hidden layer, or a membrane might overflow 32 bits in so many steps.
    """
    if len(net.layers) < 2:
        raise ModelError("cannot convert to spikes: the network has no hidden layer that could spike")
    values = [config.threshold * float(scale) for scale in scales]
    layers, unit = [], np.empty(0)
    for index, layer in enumerate(net.layers):
        arriving = values[index - 1] if index else float(layer.input.scale)
        value = values[index] if index < len(values) else None
        made, unit = _spiking_layer(layer, arriving, value, config, first=index == 0)
        layers.append(made)
    spiking = SpikingNet(
        input_shape=net.layer_shapes()[0],
        input_zero=net.input_quantization.zero_point,
        layers=tuple(layers),
        spike_values=np.array(values),
        feature_unit=unit,
        relu=net.layers[-1].relu,
        leak_shift=config.leak_shift,
        reset=config.reset,
    )
    _check_range(spiking, config.timesteps)
    return spiking


def _spiking_layer(
    layer: Layer, arriving: float, value: float | None, config: SpikingConfig, *, first: bool
) -> tuple[SpikingLayer, NDArray[np.float64]]:
    """A layer, and (out,) what a unit of its membranes stands for.

    Args:
        arriving: what a unit of an input stands for: a step of the input tensor, or a spike.
        value: what a spike of this layer stands for; None for the one that is read.
    """
    weight, steps = (layer.weight, np.ones(1)) if first else _rounded(layer, config.weight_bits)
    scale = np.broadcast_to(layer.weight_scale.astype(np.float64), (layer.out_channels,))
    fraction_bits = 0 if first else FRACTION_BITS
    unit = arriving * scale * steps / 2.0**fraction_bits
    real_bias = layer.bias * (float(layer.input.scale) * scale)
    threshold, start = None, np.zeros(layer.out_channels, np.int32)
    if value is not None:
        threshold = np.maximum(_whole(value / unit), 1)
        start = _whole(config.start * threshold)
    bias = _whole(real_bias / unit)
    made = SpikingLayer(layer.kind, layer.padding, weight, bias, threshold, fraction_bits, start)
    return made, unit


def _rounded(layer: Layer, bits: int) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Weights of so many bits, and (out,) how many of the old steps one of theirs has.

    Of fewer than 8 bits a neuron's weights have a scale of their own, since it has a threshold of its own.
    """
    if bits == 8:
        return layer.weight, np.ones(layer.out_channels)
    largest = np.abs(layer.weight.reshape(layer.out_channels, -1).astype(np.int64)).max(axis=1)
    steps = np.maximum(largest, 1) / (2 ** (bits - 1) - 1)
    shape = (-1, *[1] * (layer.weight.ndim - 1))
    return np.rint(layer.weight / steps.reshape(shape)).astype(np.int8), steps


def _whole(x: NDArray[np.floating]) -> Int32:
    whole: Int32 = np.clip(np.rint(x), -_LARGEST, _LARGEST).astype(np.int32)
    return whole


def _check_range(net: SpikingNet, timesteps: int) -> None:
    """Raise where a membrane that only ever takes the most it can would leave 32 bits."""
    for index, layer in enumerate(net.layers):
        farthest = max(127 - net.input_zero, net.input_zero + 128) if index == 0 else 1
        flat = np.abs(layer.weight.astype(np.int64)).reshape(layer.out_channels, -1).sum(axis=1)
        step = ((flat * farthest) << layer.fraction_bits) + np.abs(layer.bias.astype(np.int64))
        if (step * timesteps + np.abs(layer.start) > _LARGEST).any():
            most = math.floor(_LARGEST / int(step.max()))
            raise ModelError(
                f"cannot convert to spikes: in {timesteps} steps a membrane of layer {index} might leave 32 "
                f"bits; take at most {most}"
            )
