"""Device image (`gaze.psog`): its structures, and what is inside as Python sees it. docs/SPEC.md."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.firmware_export.packing import Shape, activation_bytes
from psog.firmware_export.packings import LAYER_PACKINGS, Packing
from psog.firmware_export.test_vector import TestVector
from psog.net.architecture import KERNEL
from psog.net.arithmetic import DeviceLayer, Int8
from psog.net.integer import Float32, Head, Normalisation, Quantization
from psog.net.told import DeviceEmbedding

MAGIC = b"PSOG"
VERSION = 4
MAX_VERSION = (1 << 32) - 1
NAME_BYTES = 16
MAX_CONTENT_BYTES = 1 << 20
"""Without the signature."""
HEADER = struct.Struct("<4sHHII16sHBBBBHBbBBIIIIIfifIfffI")
LAYER = struct.Struct("<BBBBHHbbbbIIIIII")
KINDS = ("conv", "dense")
PADDINGS = ("valid", "same")


class Header(NamedTuple):
    """The first 96 bytes; `*_at` are offsets."""

    magic: bytes
    version: int
    header_bytes: int
    image_bytes: int
    version_counter: int
    headset: bytes
    sensors: int
    rows: int
    columns: int
    layers: int
    outputs: int
    features: int
    normalisation_shift: int
    input_zero: int
    numbers: int
    statistics: int
    normalisation_at: int
    layout_at: int
    layers_at: int
    head_at: int
    test_vector_at: int
    feature_scale: float
    feature_zero: int
    ridge: float
    activation_bytes: int
    field_h_deg: float
    field_v_deg: float
    calibration_ln: float
    embedding_at: int


class LayerEntry(NamedTuple):
    """One row of the layer table."""

    kind: int
    padding: int
    rows: int
    columns: int
    in_channels: int
    out_channels: int
    input_zero: int
    output_zero: int
    low: int
    high: int
    weights_at: int
    biases_at: int
    multipliers_at: int
    shifts_at: int
    corrections_at: int
    packing: int


def told_sizes(image: bytes) -> tuple[int, int]:
    """How many numbers a user has in a sound image, and how many biases the layers; 0 numbers is none."""
    entries = layer_entries(image)
    return Header._make(HEADER.unpack_from(image)).numbers, sum(entry.out_channels for entry in entries)


def input_planes(image: bytes) -> int:
    """How many numbers the network of a sound image takes for each sensor."""
    return layer_entries(image)[0].in_channels


def head_of(image: bytes) -> Float32:
    """(4, features + 1) the population's head in a sound image."""
    header = Header._make(HEADER.unpack_from(image))
    count = header.outputs * (header.features + 1)
    weight = np.frombuffer(image, "<f4", count, header.head_at)
    return weight.astype(np.float32).reshape(header.outputs, -1)


def packing_of(image: bytes) -> Packing:
    """How a sound image holds its weights."""
    return image_packing(layer_entries(image))


def image_packing(entries: Sequence[LayerEntry]) -> Packing:
    """The packing that these layers make up together."""
    found = {LAYER_PACKINGS[entry.packing] for entry in entries}
    order: tuple[Packing, ...] = ("plain4", "plain", "int4", "int8")
    return next((packing for packing in order if packing in found), "int16")


def layer_entries(image: bytes) -> list[LayerEntry]:
    """The layer table of a sound image."""
    header = Header._make(HEADER.unpack_from(image))
    table = image[header.layers_at :][: LAYER.size * header.layers]
    return [LayerEntry._make(row) for row in LAYER.iter_unpack(table)]


def _after(layer: DeviceLayer, source: Shape) -> Shape:
    if layer.kind == "dense":
        return 1, 1, layer.out_channels
    lost = KERNEL - 1 if layer.padding == "valid" else 0
    return source[0] - lost, source[1] - lost, layer.out_channels


@dataclass(frozen=True)
class ModelImage:
    """A model as a device holds it: it runs to the bit, but has no scales to train or convert with.

    Attributes:
        headset: name of the headset it is made for.
        layout: (rows, columns) sensor index of each input cell.
        feature_quantization: turns features into real numbers for the head.
        field_deg: half width and half height of the gaze field.
        packing: how the image holds the weights; its arithmetic does not depend on it.
        test_vector: the stored reading, which this image has been seen to reproduce.
        version: counts up from release to release; a headset takes no older one than it has had.
        embedding: how it is told whose eye it sees.
    """

    headset: str
    layout: NDArray[np.int64]
    normalisation: Normalisation
    layers: tuple[DeviceLayer, ...]
    feature_quantization: Quantization
    head: Head
    field_deg: tuple[float, float]
    packing: Packing
    test_vector: TestVector
    embedding: DeviceEmbedding | None = None
    version: int = 0

    @property
    def shapes(self) -> list[Shape]:
        """(rows, columns, channels) before the first layer and after each."""
        shapes = [(*self.layout.shape, self.normalisation.planes)]
        for layer in self.layers:
            shapes.append(_after(layer, shapes[-1]))
        return shapes

    @property
    def activation_bytes(self) -> int:
        """Working memory of an inference."""
        return activation_bytes([layer.kind for layer in self.layers], self.shapes, self.packing)

    def features(self, wire: NDArray[np.uint16]) -> Int8:
        """(n, sensors) wire readings to (n, features) int8."""
        x = self.normalisation(wire)[:, self.layout]
        for layer in self.layers:
            x = layer(x)
        return x.reshape(len(x), -1)

    def gaze(self, wire: NDArray[np.uint16]) -> Float32:
        """(n, sensors) wire readings to (n, 4) float32: gaze right and up (deg), openness, ln of error."""
        return self.head(self.feature_quantization.real(self.features(wire)))
