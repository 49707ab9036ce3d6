"""Spiking networks in the Neuromorphic Intermediate Representation (NIR), for simulators and chips.

What NIR has no word for: its neurons reset to a potential and start at zero, ours lose their threshold and
start at half of it. Both stand in the metadata of every spiking node; a reader that does not look there gets
another, worse network (docs/spiking.md has by how much).

Source: Pedersen et al., Nature Communications 15:8122 (2024); the package nir 1.0.8.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import MissingExtraError
from psog.net.spiking.network import SpikingLayer, SpikingNet

if TYPE_CHECKING:
    from nir import NIRGraph, NIRNode

Shape = tuple[int, int, int]


def check_can_write_nir() -> Any:
    """The package nir.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import nir
    except ImportError as error:
        raise MissingExtraError("nir", "spiking", "writing a NIR graph") from error
    return nir


def to_nir(net: SpikingNet) -> NIRGraph:
    """The graph input → weights → neurons → … → integrator → output, in whole numbers.

    A time unit is a step. Maps are (channels, rows, columns), the order of NIR's convolutions, and dense
    layers take them flattened so. The input is the int8 input tensor less its zero point, the same in every
    step; the output is the integrator's membrane: features are its value · feature_unit / T, cut at zero.

    Raises:
        MissingExtraError: the package nir is not installed.
    """
    nir = check_can_write_nir()
    shapes = net.shapes()
    nodes: dict[str, NIRNode] = {"input": nir.Input({"input": np.array(_channels_first(shapes[0]))})}
    for index, (layer, before, after) in enumerate(zip(net.layers, shapes, shapes[1:], strict=False)):
        if layer.kind == "dense" and max(before[:2]) > 1:
            place = {"input": np.array(_channels_first(before))}
            nodes[f"flatten{index}"] = nir.Flatten(place, start_dim=0, end_dim=-1)
        nodes[f"weights{index}"] = _weights(nir, layer, before)
        if layer.threshold is None:
            nodes["read"] = nir.I(r=np.ones(after[2]))
        else:
            nodes[f"spikes{index}"] = _neurons(nir, net, layer, after)
    nodes["output"] = nir.Output({"output": np.array([shapes[-1][2]])})
    names = list(nodes)
    return nir.NIRGraph(nodes=nodes, edges=list(pairwise(names)))


def write_nir(path: Path, net: SpikingNet) -> None:
    """Write the graph as a .nir file (HDF5)."""
    check_can_write_nir().write(path, to_nir(net))


def _channels_first(shape: Shape) -> tuple[int, ...]:
    """Of (rows, columns, channels); a dense layer's is its width alone."""
    rows, columns, channels = shape
    return (channels,) if rows == columns == 1 else (channels, rows, columns)


def _weights(nir: Any, layer: SpikingLayer, before: Shape) -> NIRNode:
    """In units of the membranes."""
    weight = layer.weight.astype(np.float64) * 2**layer.fraction_bits
    bias = layer.bias.astype(np.float64)
    if layer.kind == "dense":
        in_order = weight.reshape(-1, *before).transpose(0, 3, 1, 2).reshape(len(weight), -1)
        return nir.Affine(in_order, bias)
    return nir.Conv2d(
        input_shape=before[:2],
        weight=np.ascontiguousarray(weight.transpose(0, 3, 1, 2)),
        stride=1,
        padding=1 if layer.padding == "same" else 0,
        dilation=1,
        groups=1,
        bias=bias,
    )


def _neurons(nir: Any, net: SpikingNet, layer: SpikingLayer, shape: Shape) -> NIRNode:
    assert layer.threshold is not None
    metadata = {"reset": net.reset, "start": _each(layer.start, shape)}
    threshold = _each(layer.threshold, shape)
    common = {"v_threshold": threshold, "v_reset": np.zeros_like(threshold), "metadata": metadata}
    if net.leak_shift == 0:
        return nir.IF(r=np.ones_like(threshold), **common)
    # Steps of 1: v += (−v + r I) / tau is the leak, and r = tau leaves the current as it is.
    tau = np.full_like(threshold, 2.0**net.leak_shift)
    return nir.LIF(tau=tau, r=tau.copy(), v_leak=np.zeros_like(threshold), **common)


def _each(of_channels: NDArray[np.int32], shape: Shape) -> NDArray[np.float64]:
    """A value for each neuron from one for each channel."""
    rows, columns, channels = shape
    each = np.broadcast_to(of_channels[:, None, None], (channels, rows, columns))
    return each.reshape(_channels_first(shape)).astype(np.float64)
