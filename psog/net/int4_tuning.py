"""A trained network trained on with weights of four bits in its large layers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psog.episodes import Episodes
from psog.headset import Headset
from psog.net.adapt import trainable
from psog.net.adapt_pruned import pruning_of
from psog.net.integer import IntegerNet
from psog.net.loop import ProgressCallback, TrainingConfig, fit
from psog.net.qat import GazeNet
from psog.net.quantized_layer import QuantizedLayer
from psog.net.store import Model
from psog.net.training import finish, objective_on

LEARNING_RATE = 1e-3
"""At the start; no other was tried."""


def tuning_config(steps: int, seed: int, learning_rate: float = LEARNING_RATE) -> TrainingConfig:
    """A short run of a network that is trained already, rounding from its first step."""
    return TrainingConfig(steps=steps, seed=seed, learning_rate=learning_rate, warm_up=0.0, quantize_from=0.0)


def tuned(
    parent: Model,
    episodes: Episodes,
    headset: Headset,
    *,
    config: TrainingConfig,
    layers: Collection[int],
    progress: ProgressCallback | None = None,
) -> tuple[IntegerNet, dict[str, Any]]:
    """The network trained on, rounding as a device does.

    It begins with weights of eight bits: rounded ones would have to go half a large step before they change.

    Args:
        episodes: of the headset, such as `psog.sim.episodes.make_episodes` simulates.
        config: as `tuning_config` makes it.
        layers: indices of the dense layers whose weights have four bits; the others' have eight.
    Returns:
        The integers, and a report as of psog.net.training.train.
    """
    net = trainable(parent, parent.net)
    coarsen(net, layers)
    happened = fit(net, objective_on(episodes, headset, net.normalisation, config), config, progress)
    users, poses, samples = episodes.readings.shape[:3]
    data = {"kind": "episodes", "users": users, "poses": poses, "samples": samples, "seed": episodes.seed}
    made, report = finish(net, config, happened, data)
    return made, {**report, "parent": parent.origin, **pruning_of(parent)}


def coarsen(net: GazeNet, layers: Collection[int]) -> None:
    """Let some dense layers of a network round to four bits once it rounds, the others to eight."""
    for index, layer in enumerate(net.layers):
        assert isinstance(layer, QuantizedLayer)
        layer.bits = 4 if index in layers else 8
        if layer.bits == 8:
            layer.given_scale = None
