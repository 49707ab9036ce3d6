"""The four networks of the ETRA 2019 paper, and the PCA whitening before them, many side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

GRID = (3, 5)
SENSORS = 15
KERNEL = 3
GAZE = 2
_FLATTEST = 1e-6
"""A direction in which readings vary less than this, against the widest one, is not stretched further."""


@dataclass(frozen=True)
class PaperNet:
    """A network of the paper: convolutions without activation, dense layers with ReLU, two linear outputs.

    Networks of one kind are trained side by side: `weights` are (m, parameters), a row for each of m
    networks, and inputs are (m, n, 15).

    Attributes:
        convolutions, channels: 3×3 kernels with zero padding on the 3×5 grid. Without an activation the
            stack is one linear map.
        dense, width: hidden dense layers.
    """

    convolutions: int
    channels: int
    dense: int
    width: int

    @property
    def macs(self) -> int:
        """Multiplications of one estimate; padding counts, as in the paper."""
        cells = SENSORS if self.convolutions else 1
        convolved = sum(math.prod(shape[:2]) for shape, kind in self._shapes if kind == "conv") * cells
        return convolved + sum(math.prod(shape) for shape, kind in self._shapes if kind == "dense")

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(self._sizes)

    def initial(self, count: int, random: np.random.Generator) -> Tensor:
        """(count, parameters) weights as Keras draws them: uniform (Glorot and Bengio 2010), no bias."""
        parts: list[Tensor] = []
        for (inputs, outputs), kind in self._shapes:
            fan = inputs + (KERNEL * KERNEL * outputs if kind == "conv" else outputs)
            drawn = random.uniform(-1, 1, (count, inputs * outputs)) * math.sqrt(6 / fan)
            parts += [torch.from_numpy(drawn.astype(np.float32)), torch.zeros(count, outputs)]
        return torch.cat(parts, dim=1)

    def __call__(self, weights: Tensor, x: Tensor) -> Tensor:
        """(m, parameters) and (m, n, 15) whitened readings to (m, n, 2) gaze in degrees."""
        parts = torch.split(weights, self._sizes, dim=1)
        last = len(self._shapes) - 1
        for k, ((inputs, outputs), kind) in enumerate(self._shapes):
            kernel, bias = parts[2 * k], parts[2 * k + 1]
            if kind == "conv":
                matrix = nn.functional.pad(kernel, (0, 1))[:, self._taps[k]]
                x = torch.baddbmm(bias.repeat(1, SENSORS)[:, None], x, matrix)
            else:
                x = torch.baddbmm(bias[:, None], x, kernel.reshape(-1, inputs, outputs))
                x = x if k == last else x.relu()
        return x

    def mask(self, *, dense: bool) -> Tensor:
        """(parameters,) 1 where a fine-tuning trains (`dense`: all dense layers), or where the L2 penalty
        acts (kernels of the hidden dense layers)."""
        values: list[Tensor] = []
        last = len(self._shapes) - 1
        for k, ((inputs, outputs), kind) in enumerate(self._shapes):
            chosen = kind == "dense"
            values.append(torch.full((inputs * outputs,), float(chosen and (dense or k != last))))
            values.append(torch.full((outputs,), float(chosen and dense)))
        return torch.cat(values)

    @cached_property
    def _shapes(self) -> tuple[tuple[tuple[int, int], str], ...]:
        """(inputs, outputs) of each layer's kernel, and of which kind it is; nine taps are nine inputs."""
        shapes, inputs = [], 1
        for _ in range(self.convolutions):
            shapes.append(((KERNEL * KERNEL * inputs, self.channels), "conv"))
            inputs = self.channels
        inputs *= SENSORS
        for width in (*[self.width] * self.dense, GAZE):
            shapes.append(((inputs, width), "dense"))
            inputs = width
        return tuple(shapes)

    @cached_property
    def _sizes(self) -> list[int]:
        return [size for (inputs, outputs), _ in self._shapes for size in (inputs * outputs, outputs)]

    @cached_property
    def _taps(self) -> list[Tensor]:
        """Of each convolution, (15 · in, 15 · out): which weight connects these two cells and channels."""
        return [
            _taps(inputs // KERNEL**2, outputs) for (inputs, outputs), kind in self._shapes if kind == "conv"
        ]


LOW_MLP = PaperNet(0, 0, dense=6, width=20)
LOW_CNN = PaperNet(4, 4, dense=4, width=20)
HIGH_MLP = PaperNet(0, 0, dense=4, width=96)
HIGH_CNN = PaperNet(1, 4, dense=3, width=96)


def _taps(inputs: int, outputs: int) -> Tensor:
    """A zero-padded 3×3 convolution as a matrix of indices into its kernel (taps, in, out).

    Cells are flattened channels last, as Keras does. Where a kernel does not reach, the index is one beyond
    its end.
    """
    rows, columns = GRID
    cell = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1).reshape(-1, 2)
    tap = cell[:, None] - cell[None] + KERNEL // 2  # (from, to, 2)
    inside = (tap >= 0) & (tap < KERNEL)
    reached = (inside[..., 0] & inside[..., 1])[:, None, :, None]
    tap = (tap[..., 0] * KERNEL + tap[..., 1])[:, None, :, None]
    channel = np.arange(inputs)[None, :, None, None], np.arange(outputs)[None, None, None, :]
    index = (tap * inputs + channel[0]) * outputs + channel[1]
    index = np.where(reached, index, KERNEL * KERNEL * inputs * outputs)
    return torch.from_numpy(index.reshape(SENSORS * inputs, SENSORS * outputs))


class Whitening:
    """Full PCA whitening: inputs without correlation and of unit variance, in order of their variance.

    What comes out no longer belongs to a place on the grid; the paper lays it out as 3×5 all the same.
    """

    def __init__(self, readings: NDArray[np.floating]) -> None:
        """Fit to (n, sensors)."""
        centred = readings.astype(np.float64) - readings.mean(axis=0, dtype=np.float64)
        _, spread, axes = np.linalg.svd(centred, full_matrices=False)
        spread = np.maximum(spread, spread[0] * _FLATTEST) / math.sqrt(len(centred) - 1)
        self._mean = readings.mean(axis=0, dtype=np.float64)
        self._matrix = axes.T / spread

    def __call__(self, readings: NDArray[np.floating]) -> NDArray[np.float32]:
        """(n, sensors) to as many components."""
        components = (readings.astype(np.float64) - self._mean) @ self._matrix
        return np.asarray(components, dtype=np.float32)


def padded(arrays: Sequence[NDArray[np.float32]]) -> Tensor:
    """Arrays (n_k, c) as one (m, largest n, c), with zeros at the ends."""
    return nn.utils.rnn.pad_sequence([torch.from_numpy(array) for array in arrays], batch_first=True)
