"""Architecture: how many convolutions and dense layers, how wide. The shape of a network before training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from psog.errors import ModelError
from psog.headset import Headset
from psog.net.embedding import MAX_NUMBERS

OUTPUTS = 4
"""What the head gives: gaze_h, gaze_v (deg), openness, and ln of the expected gaze error in degrees."""

OPENNESS, LN_ERROR = 2, 3
"""Places among the outputs. The last is not trained but measured (psog.net.confidence)."""

MAX_LAYERS = 8
MAX_FEATURES = 64
KERNEL = 3
"""Convolutions are 3×3 with stride 1 (docs/SPEC.md)."""


@dataclass(frozen=True)
class Convolution:
    """A 3×3 convolution with ReLU."""

    channels: int
    padding: Literal["same", "valid"] = "valid"


@dataclass(frozen=True)
class Architecture:
    """Sensors on their grid → convolutions → dense layers → features → linear head.

    Every hidden layer has a ReLU, and so has the feature layer. Without convolutions this is an MLP over
    the cells of the grid.

    Attributes:
        dense: widths of the hidden dense layers.
        features: inputs of the head.
        embedding: numbers that describe a user (psog.net.embedding); 0 is none.
        planes: int8 numbers for each input: 1, or 2 with the residual of the first (psog.net.integer).
    """

    convolutions: tuple[Convolution, ...]
    dense: tuple[int, ...]
    features: int = 32
    embedding: int = 0
    planes: int = 1

    def __post_init__(self) -> None:
        layers = len(self.convolutions) + len(self.dense) + 1
        if layers > MAX_LAYERS:
            raise ModelError(f"architecture has {layers} layers, at most {MAX_LAYERS} fit a device image")
        if not 1 <= self.features <= MAX_FEATURES:
            raise ModelError(f"architecture has {self.features} features, 1 to {MAX_FEATURES} expected")
        if not 0 <= self.embedding <= MAX_NUMBERS:
            raise ModelError(f"user embedding of {self.embedding} numbers, 0 to {MAX_NUMBERS} expected")
        if self.planes not in (1, 2):
            raise ModelError(f"architecture has {self.planes} input planes, 1 or 2 expected")
        if min((*(c.channels for c in self.convolutions), *self.dense, 1)) < 1:
            raise ModelError("architecture has a layer without outputs; every width must be at least 1")

    def map_shape(self, grid_shape: tuple[int, int]) -> tuple[int, int, int]:
        """(rows, columns, channels) that the first dense layer flattens.

        Raises:
            ModelError: the grid is too small for this many valid convolutions.
        """
        rows, columns, channels = *grid_shape, self.planes
        for convolution in self.convolutions:
            lost = KERNEL - 1 if convolution.padding == "valid" else 0
            rows, columns, channels = rows - lost, columns - lost, convolution.channels
        if min(rows, columns) < 1:
            raise ModelError(
                f"a grid of {grid_shape[0]}×{grid_shape[1]} cells is too small for "
                f"{len(self.convolutions)} convolutions; use fewer, or padding 'same'"
            )
        return rows, columns, channels

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


Network = Literal["cnn", "mlp", "deep"]
"""The standard network, the baseline without convolutions, and the one that is worth pruning."""


def named(network: Network, headset: Headset) -> Architecture:
    """The architecture of that name for a headset."""
    return {"cnn": standard, "mlp": mlp, "deep": deep}[network](headset)


USER_NUMBERS = 16
"""Of the embedding of a population's network, unless told otherwise; docs/training.md has others."""


def standard(headset: Headset) -> Architecture:
    """The network psog ships for a headset, at most 40k MACs with the head on the built-in ones.

    One valid convolution: at equal cost it did better on third-party signals than same-padded ones
    (0.20/0.16° against 0.27/0.24°, 200 epochs in float). Grids it does not fit get same padding. A wide
    first dense layer averages out the rounding of its inputs: on the same signals in int8, 40-160-80
    reached 0.22/0.17°, 32-96-64 with half the cost 0.26/0.20°. Two input planes: of simulated users of ring16
    (one training of 170 s, 9 points) one had 1.60°, two 1.38°, for 7 % more multiplications.
    """
    rows, columns = headset.grid.shape
    padding: Literal["same", "valid"] = "valid" if min(rows, columns) >= KERNEL else "same"
    lost = KERNEL - 1 if padding == "valid" else 0
    cells = (rows - lost) * (columns - lost)
    channels = max(8, min(40, 256 // cells))  # the first dense layer costs cells · channels · width
    dense = (160, 80) if cells * channels <= 128 else (96, 64)
    return Architecture((Convolution(channels, padding),), dense, planes=2)


def mlp(headset: Headset) -> Architecture:
    """The baseline without convolutions, of about the standard network's cost.

    Its inputs are the cells of the grid, so sensors that wrap a ring are seen more than once.
    """
    return Architecture((), (128, 128) if headset.grid.size <= 16 else (160, 96), planes=2)


def deep(headset: Headset) -> Architecture:
    """Two convolutions of 16 channels: with 256 kernels between them, it is the one that is worth pruning.

    The first is valid where that leaves more than one row and column, so that a ring's repeated columns close
    it and are gone. The second has same padding.
    """
    rows, columns = headset.grid.shape
    first: Literal["valid", "same"] = "valid" if min(rows, columns) > KERNEL else "same"
    return Architecture((Convolution(16, first), Convolution(16, "same")), (48,), planes=2)
