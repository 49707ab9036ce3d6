"""What `psog bench precision` compares: one trained network in several precisions, and what each has cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.headset import Headset
from psog.net.calibrated import Form, float_features, int8_features
from psog.net.int4_rounding import large_layers, to_int4, to_nearest
from psog.net.int4_tuning import tuned, tuning_config
from psog.net.int16 import int16_features
from psog.net.integer import IntegerNet
from psog.net.objectives import OPEN_ENOUGH
from psog.net.store import Model

INT8, INT4 = "int8", "int4, rounded together"
TUNED_INT8, TUNED_INT4 = "int8, trained on", "int4, trained on"
ROUNDING_USERS = 200
"""Whose readings tell what a layer sees."""
_ROUNDING_SAMPLES = 16
"""Of each of the first two poses."""


@dataclass(frozen=True)
class Training:
    """What int4 is trained on with, and int8 beside it."""

    users: int
    steps: int
    seed: int


def ways(
    model: Model, episodes: Episodes, headset: Headset, training: Training
) -> Iterator[tuple[str, IntegerNet, Form]]:
    """Each way's name, network and how its features are computed; the standing one first.

    Args:
        episodes: simulated users to round and train with.
    """
    net, layers = model.net, large_layers(model.net)
    yield INT8, net, int8_features
    yield "float", net, float_features
    yield "int16 activations", net, int16_features
    yield "int4, each weight by itself", to_nearest(net, layers), int8_features
    yield INT4, to_int4(net, layers, seen_readings(episodes, headset)), int8_features
    if training.steps > 0:
        config = tuning_config(training.steps, training.seed)
        for name, of_four_bits in ((TUNED_INT8, []), (TUNED_INT4, layers)):
            yield (
                name,
                tuned(model, episodes, headset, config=config, layers=of_four_bits)[0],
                int8_features,
            )


def single_layers(net: IntegerNet, episodes: Episodes, headset: Headset) -> Iterator[tuple[int, IntegerNet]]:
    """Each dense layer's index, and the network with its weights alone in four bits."""
    wire = seen_readings(episodes, headset)
    for index, layer in enumerate(net.layers):
        if layer.kind == "dense":
            yield index, to_int4(net, [index], wire)


def seen_readings(episodes: Episodes, headset: Headset) -> NDArray[np.uint16]:
    """(n, sensors) wire readings of open eyes of some of the users."""
    some = (slice(ROUNDING_USERS), slice(2), slice(_ROUNDING_SAMPLES))
    is_open = episodes.openness[some] >= OPEN_ENOUGH
    return headset.to_wire(episodes.readings[some][is_open])


def image_parts(net: IntegerNet) -> dict[str, int]:
    """Bytes of a plain image by what they are for, without header and signature."""
    outputs = sum(layer.out_channels for layer in net.layers)
    weights = {
        f"weights of layer {index} ({layer.kind} {'×'.join(map(str, layer.weight.shape))})": layer.weight.size
        for index, layer in enumerate(net.layers)
    }
    of_output = 4 + 4 + 1 + 4  # bias, multiplier, shift, correction
    told = 0 if net.embedding is None else net.embedding.device(net).device_bytes
    return {
        **weights,
        "bias and scaling of each output": of_output * outputs,
        "user embedding": told,
        "head": 4 * net.head.weight.size,
    }
