"""An interpreter of NIR graphs of its own: it knows nothing of psog, only what NIR says each node means.

Time is in steps of 1 (Euler); spikes pass through all nodes within a step, as in most simulators.
"""

from __future__ import annotations

import nir
import numpy as np


def run(graph: nir.NIRGraph, x: np.ndarray, steps: int, *, metadata: bool = True) -> np.ndarray:
    """What arrives at the output after so many steps of one constant input.

    Args:
        metadata: whether neurons follow "reset" and "start" there; without, as NIR defines them: from zero,
            and back to v_reset.
    """
    order = in_order(graph)
    state = {name: start(node, metadata=metadata) for name, node in graph.nodes.items()}
    for _ in range(steps):
        value = x.astype(np.float64)
        for name in order:
            value = step(graph.nodes[name], state[name], value, metadata=metadata)
    return value


def in_order(graph: nir.NIRGraph) -> list[str]:
    """Nodes of a chain from input to output."""
    following = dict(graph.edges)
    assert len(following) == len(graph.edges) == len(graph.nodes) - 1
    names = [next(name for name, node in graph.nodes.items() if isinstance(node, nir.Input))]
    while names[-1] in following:
        names.append(following[names[-1]])
    return names


def start(node: nir.NIRNode, *, metadata: bool) -> np.ndarray | None:
    if isinstance(node, nir.I):
        return np.zeros(node.r.shape)
    if isinstance(node, nir.IF | nir.LIF):
        return node.metadata["start"].copy() if metadata else np.zeros(node.r.shape)
    return None


def step(node: nir.NIRNode, v: np.ndarray | None, x: np.ndarray, *, metadata: bool) -> np.ndarray:
    match node:
        case nir.Input() | nir.Output():
            return x
        case nir.Flatten():
            return x.reshape(-1)
        case nir.Affine():
            return node.weight @ x + node.bias
        case nir.Conv2d():
            return convolution(node, x)
        case nir.I():
            v += node.r * x
            return v
        case nir.LIF():
            v += (node.v_leak - v + node.r * x) / node.tau
        case nir.IF():
            v += node.r * x
        case _:
            raise AssertionError(f"no such node was expected: {node}")
    spikes = v > node.v_threshold
    softly = metadata and node.metadata["reset"] == "subtract"
    v[:] = np.where(spikes, v - node.v_threshold if softly else node.v_reset, v)
    return spikes.astype(np.float64)


def convolution(node: nir.Conv2d, x: np.ndarray) -> np.ndarray:
    out, _, height, width = node.weight.shape
    pad = np.atleast_1d(node.padding)[0]
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    rows, columns = x.shape[1] - height + 1, x.shape[2] - width + 1
    y = np.empty((out, rows, columns))
    for row in range(rows):
        for column in range(columns):
            window = x[:, row : row + height, column : column + width]
            y[:, row, column] = np.tensordot(node.weight, window, 3) + node.bias
    return y
