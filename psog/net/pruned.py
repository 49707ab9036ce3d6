"""What pruning left of a network, as reports tell it, and how runtimes find a kernel's pattern."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import ModelError
from psog.net.architecture import KERNEL
from psog.net.integer import IntegerNet
from psog.net.patterns import TAPS, Pattern, PoolName, fixed_pool
from psog.net.pruning import to_kernels
from psog.net.qat import GazeNet
from psog.net.quantized_layer import QuantizedLayer

NO_PATTERN = -1


def describe(trained: GazeNet, net: IntegerNet, patterns: PoolName) -> dict[str, Any]:
    """What was removed, JSON types only.

    Args:
        trained: the network with its masks.
        net: the integers made from it.
        patterns: the pool its kernels chose from.
    Returns:
        "patterns" (the pool's name), "pool" (tap indices of each pattern; for a pool made from the data those
        in use), "layers" (one entry for each convolution that was pruned) and multiply-accumulates: "macs" of
        all convolutions, "macs_effective" without removed weights, and "network_macs_effective" with dense
        layers and head. Like all MACs here they count padding.
    """
    layers, pool = [], set()
    convolution_macs, removed_macs = 0, 0
    for index, (module, layer, shape) in enumerate(
        zip(trained.layers, net.layers, net.layer_shapes(), strict=False)
    ):
        assert isinstance(module, QuantizedLayer)
        if layer.kind == "conv":
            convolution_macs += layer.macs(shape)
        if not bool(module.hard):
            continue
        kernels = to_kernels(module.mask).numpy() > 0
        kept = kernels[kernels.any(axis=-1)]
        macs_effective = layer.macs(shape) * int(kernels.sum()) // kernels.size
        removed_macs += layer.macs(shape) - macs_effective
        pool |= {tuple(np.flatnonzero(kernel).tolist()) for kernel in kept}
        layers.append(
            {
                "layer": index,
                "kernels": kernels.size // TAPS,
                "kernels_kept": len(kept),
                "weights_kept": int(kernels.sum()),
                "macs": layer.macs(shape),
                "macs_effective": macs_effective,
            }
        )
    return {
        "patterns": patterns,
        "pool": [list(pattern) for pattern in fixed_pool(patterns) or sorted(pool)],
        "layers": layers,
        "macs": convolution_macs,
        "macs_effective": convolution_macs - removed_macs,
        "network_macs_effective": net.macs - removed_macs,
    }


def patterns_of(weight: NDArray[np.int8], pool: tuple[Pattern, ...]) -> NDArray[np.int64]:
    """(out, in) index of the pattern of `pool` that covers each kernel of an int8 (out, 3, 3, in) weight.

    NO_PATTERN where a kernel is zero throughout. A weight that was kept may have been rounded to 0; of
    several patterns that cover what is left, the first is taken.

    Raises:
        ModelError: a kernel has weights outside every pattern of the pool.
    """
    kernels = (weight.reshape(len(weight), TAPS, -1) != 0).transpose(0, 2, 1)
    outside = np.ones((len(pool), TAPS), np.int64)
    for row, pattern in zip(outside, pool, strict=True):
        row[list(pattern)] = 0
    covered = kernels.astype(np.int64) @ outside.T == 0
    wrong = np.argwhere(~covered.any(axis=-1))
    if wrong.size:
        out, source = wrong[0]
        raise ModelError(
            f"the {KERNEL}×{KERNEL} kernel from channel {source} to {out} has weights outside every pattern "
            "of the pool; it was not pruned with these patterns"
        )
    return np.where(kernels.any(axis=-1), covered.argmax(axis=-1), NO_PATTERN)
