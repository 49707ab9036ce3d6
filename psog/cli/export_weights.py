"""`psog export --weights int4`: a model's large layers in four bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psog.headset import Headset
    from psog.net.integer import IntegerNet

_USERS, _POSES, _SAMPLES = 200, 2, 16
_SEED = 4
"""Of the simulated users whose readings tell what the layers see."""


def of_four_bits(net: IntegerNet, headset: Headset) -> IntegerNet:
    """The network with four bits in its large layers, as it is where they have them already.

    Raises:
        ModelError: no dense layer is large.
    """
    from psog.errors import ModelError
    from psog.net.int4 import int4_factors
    from psog.net.int4_rounding import large_layers, to_int4
    from psog.net.objectives import OPEN_ENOUGH
    from psog.sim.episodes import make_episodes

    layers = large_layers(net)
    if not layers:
        raise ModelError(
            "cannot export as int4: no dense layer holds a quarter of the weights; leave it int8"
        )
    eight = [layer for layer in layers if int4_factors(net.layers[layer].weight) is None]
    if not eight:
        return net
    episodes = make_episodes(headset, users=_USERS, poses=_POSES, samples=_SAMPLES, seed=_SEED)
    wire = headset.to_wire(episodes.readings[episodes.openness >= OPEN_ENOUGH])
    return to_int4(net, eight, wire)
