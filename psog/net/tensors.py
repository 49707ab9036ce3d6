"""An integer network as named tensors and a JSON description, and back with every value checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import ModelError
from psog.headset import MAX_CELLS, MAX_SENSORS, WIRE_BITS
from psog.net.architecture import KERNEL, MAX_FEATURES, MAX_LAYERS, OUTPUTS
from psog.net.embedding import MAX_NUMBERS, MOMENTS, Embedding
from psog.net.integer import MAX_PLANES, RESIDUAL_BITS, Head, IntegerNet, Layer, Normalisation, Quantization

Tensors = dict[str, NDArray[Any]]


def pack(net: IntegerNet) -> tuple[dict[str, Any], Tensors]:
    """A JSON description (headset, layout, layers) and the tensors it names."""
    quantizations = [net.input_quantization, *(layer.output for layer in net.layers)]
    tensors: Tensors = {
        "normalisation.offset": net.normalisation.offset.astype(np.int32),
        "normalisation.multiplier": net.normalisation.multiplier.astype(np.int32),
        "activation.scale": np.array([q.scale for q in quantizations], np.float32),
        "activation.zero_point": np.array([q.zero_point for q in quantizations], np.int32),
        "head.weight": np.ascontiguousarray(net.head.weight, np.float32),
    }
    for index, layer in enumerate(net.layers):
        tensors[f"layer{index}.weight"] = np.ascontiguousarray(layer.weight)
        tensors[f"layer{index}.bias"] = layer.bias.astype(np.int32)
        tensors[f"layer{index}.weight_scale"] = layer.weight_scale.astype(np.float32)
    if net.embedding is not None:
        tensors |= {"embedding.weight": net.embedding.weight, "embedding.bias": net.embedding.bias}
        tensors |= {f"embedding.shift{i}": shift for i, shift in enumerate(net.embedding.shifts)}
    description = {
        "headset": net.headset,
        "layout": net.layout.tolist(),
        "normalisation_shift": net.normalisation.shift,
        "input_planes": net.normalisation.planes,
        "layers": [
            {"kind": layer.kind, "padding": layer.padding, "relu": layer.relu} for layer in net.layers
        ],
        "ridge": net.head.ridge,
        "calibration_ln": net.head.calibration_ln,
        "leverage_deg": net.head.leverage_deg,
        "leverage_power": net.head.leverage_power,
        **({} if net.embedding is None else {"embedding": net.embedding.count}),
    }
    return description, tensors


def unpack(description: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> IntegerNet:
    """The network of a description and its tensors.

    Raises:
        ModelError: a key or tensor is missing, has the wrong type or shape, or a value out of range.
    """
    reader = _Reader(description, tensors)
    layout = reader.layout()
    sensors = int(layout.max()) + 1
    kinds = reader.layer_kinds()
    quantizations = reader.quantizations(len(kinds) + 1)
    layers: list[Layer] = []
    normalisation = reader.normalisation(sensors)
    shape = (layout.shape[0], layout.shape[1], normalisation.planes)
    for index, kind in enumerate(kinds):
        layers.append(reader.layer(index, kind, shape, quantizations[index], quantizations[index + 1]))
        shape = layers[-1].output_shape(shape)
        if min(shape) < 1:
            raise ModelError(f"layer {index} leaves nothing of its input")
    if layers[-1].kind != "dense" or layers[-1].out_channels > MAX_FEATURES:
        raise ModelError(f"the last layer must be dense with at most {MAX_FEATURES} features")
    return IntegerNet(
        headset=reader.value("headset", str),
        layout=layout,
        normalisation=normalisation,
        layers=tuple(layers),
        head=reader.head(layers[-1].out_channels),
        embedding=reader.embedding(sensors, layers) if "embedding" in description else None,
    )


class _Reader:
    """Takes values out of untrusted JSON and tensors, one checked piece at a time."""

    def __init__(self, description: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> None:
        self._description = description
        self._tensors = tensors

    def value(self, key: str, kind: type) -> Any:
        found = self._description.get(key)
        if not isinstance(found, kind) or isinstance(found, bool):
            raise ModelError(f"{key} is {found!r}, expected {kind.__name__}")
        return found

    def tensor(
        self,
        name: str,
        kind: type,
        shape: tuple[int, ...],
        low: float | None = None,
        high: float | None = None,
    ) -> NDArray[Any]:
        found = self._tensors.get(name)
        if found is None or found.dtype != np.dtype(kind) or found.shape != shape:
            what = "missing" if found is None else f"{found.dtype} of shape {found.shape}"
            raise ModelError(f"tensor {name} is {what}, expected {np.dtype(kind)} of shape {shape}")
        if not np.isfinite(found).all():
            raise ModelError(f"tensor {name} has a value that is not finite")
        too_low = low is not None and bool((found < low).any())
        if too_low or (high is not None and bool((found > high).any())):
            raise ModelError(f"tensor {name} has a value outside {low} … {high}")
        return found

    def layout(self) -> NDArray[np.int64]:
        rows = self.value("layout", list)
        whole = all(isinstance(row, list) and all(type(cell) is int for cell in row) for row in rows)
        if not whole or len({len(row) for row in rows}) != 1 or not rows[0]:
            raise ModelError("layout is not a rectangle of sensor numbers")
        if len(rows) * len(rows[0]) > MAX_CELLS or any(not 0 <= c < MAX_SENSORS for row in rows for c in row):
            raise ModelError(f"layout exceeds {MAX_CELLS} cells or names a sensor beyond {MAX_SENSORS}")
        return np.array(rows, np.int64)

    def layer_kinds(self) -> list[dict[str, Any]]:
        layers = self.value("layers", list)
        if not 1 <= len(layers) <= MAX_LAYERS:
            raise ModelError(f"{len(layers)} layers, 1 to {MAX_LAYERS} expected")
        for layer in layers:
            known = isinstance(layer, dict) and (layer.get("kind"), layer.get("padding")) in _KINDS
            if not known or not isinstance(layer.get("relu"), bool):
                raise ModelError(f"layer {layer!r} is unknown; expected kind, padding and relu")
        return list(layers)

    def quantizations(self, count: int) -> list[Quantization]:
        scales = self.tensor("activation.scale", np.float32, (count,), low=1e-30)
        zero_points = self.tensor("activation.zero_point", np.int32, (count,), -128, 127)
        return [Quantization(scale, int(zero)) for scale, zero in zip(scales, zero_points, strict=True)]

    def normalisation(self, sensors: int) -> Normalisation:
        planes = self.value("input_planes", int)
        if not 1 <= planes <= MAX_PLANES:
            raise ModelError(f"input_planes is {planes}, 1 to {MAX_PLANES} expected")
        shift, least = self.value("normalisation_shift", int), 1 + (planes - 1) * RESIDUAL_BITS
        if not least <= shift <= 30:
            raise ModelError(f"normalisation_shift is {shift}, {least} to 30 expected")
        offset = self.tensor("normalisation.offset", np.int32, (sensors,), 0, (1 << WIRE_BITS) - 1)
        multiplier = self.tensor("normalisation.multiplier", np.int32, (sensors,), 1, 16383)
        return Normalisation(offset, multiplier, shift, planes)

    def layer(
        self,
        index: int,
        kind: dict[str, Any],
        shape: tuple[int, int, int],
        source: Quantization,
        output: Quantization,
    ) -> Layer:
        name = f"layer{index}"
        bias = self._tensors.get(f"{name}.bias")
        outputs = 0 if bias is None else int(bias.size)
        if outputs < 1:
            raise ModelError(f"tensor {name}.bias is missing or empty")
        conv = kind["kind"] == "conv"
        weight_shape = (outputs, KERNEL, KERNEL, shape[2]) if conv else (outputs, int(np.prod(shape)))
        return Layer(
            kind=kind["kind"],
            padding=kind["padding"],
            weight=self.tensor(f"{name}.weight", np.int8, weight_shape, -127, 127),
            bias=self.tensor(f"{name}.bias", np.int32, (outputs,)),
            weight_scale=self.tensor(
                f"{name}.weight_scale", np.float32, (outputs,) if conv else (1,), low=1e-30
            ),
            input=source,
            output=output,
            relu=kind["relu"],
        )

    def head(self, features: int) -> Head:
        ridge = self.value("ridge", float)
        if not 0 < ridge < float("inf"):
            raise ModelError(f"ridge is {ridge}, expected a number above 0")
        measured = {
            name: self.value(name, float) for name in ("calibration_ln", "leverage_deg", "leverage_power")
        }
        for name, found in measured.items():
            if not math.isfinite(found):
                raise ModelError(f"{name} is {found}, expected a finite number")
        return Head(self.tensor("head.weight", np.float32, (OUTPUTS, features + 1)), ridge, **measured)

    def embedding(self, sensors: int, layers: list[Layer]) -> Embedding:
        count = self.value("embedding", int)
        if not 1 <= count <= MAX_NUMBERS:
            raise ModelError(f"embedding is {count}, 1 to {MAX_NUMBERS} numbers expected")
        return Embedding(
            weight=self.tensor("embedding.weight", np.float32, (count, MOMENTS * sensors)),
            bias=self.tensor("embedding.bias", np.float32, (count,)),
            shifts=tuple(
                self.tensor(f"embedding.shift{index}", np.float32, (layer.out_channels, count))
                for index, layer in enumerate(layers)
            ),
        )


_KINDS = (("conv", "same"), ("conv", "valid"), ("dense", "valid"))
