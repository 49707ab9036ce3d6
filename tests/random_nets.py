"""Random integer networks with the headset they fit: what every runtime is held to.

Scales follow the activations of random readings, as training's ranges would, so that few outputs are cut off
and few are zero. With `corners`, layers get what training never makes but the formats allow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.net.embedding import MOMENTS, Embedding
from psog.net.integer import Head, IntegerNet, Layer, Normalisation, Quantization

Shape = tuple[int, int, int]
_SAMPLE = 256
_UNIT = Quantization(np.float32(1), 0)
_INPUT_SCALE = np.float32(1 / 32)
_LARGEST_FACTOR = 2.0**6.9  # shifts up to 7 (docs/SPEC.md)
_LARGEST_PAIRED_FACTOR = 2.0**-1.1  # right shifts of 1 and more


@dataclass(frozen=True)
class LayerPlan:
    """Kind and width of a layer."""

    kind: Literal["conv", "dense"]
    out: int
    padding: Literal["same", "valid"] = "valid"


PLANS: dict[str, tuple[LayerPlan, ...]] = {
    "same": (LayerPlan("conv", 16, "same"), LayerPlan("conv", 16, "same"), LayerPlan("dense", 10)),
    "valid": (LayerPlan("conv", 32, "valid"), LayerPlan("dense", 48), LayerPlan("dense", 32)),
    "mixed": (LayerPlan("conv", 6, "same"), LayerPlan("conv", 9, "valid"), LayerPlan("dense", 7)),
    "dense": (LayerPlan("dense", 64), LayerPlan("dense", 64), LayerPlan("dense", 32)),
    "single": (LayerPlan("dense", 1),),
    "deep": (*[LayerPlan("conv", 5, "same")] * 6, LayerPlan("dense", 13), LayerPlan("dense", 64)),
}
"""Layers by name; all of them fit a grid of at least 3×3."""


def grid_headset(rows: int, columns: int) -> Headset:
    """A headset with one sensor for each cell of a grid."""
    count = rows * columns
    sensor = {
        "detector_mm": [0, 0, 30],
        "detector_aim_mm": [0, 0, 12],
        "emitter_mm": [5, 0, 30],
        "emitter_aim_mm": [0, 0, 12],
    }
    return Headset.model_validate(
        {
            "schema": 1,
            "name": f"grid{rows}x{columns}",
            "description": "made for a test",
            "rate_hz": 1000,
            "field_deg": [20, 15],
            "layout": np.arange(count).reshape(rows, columns).tolist(),
            "adc": {"bits": 12},
            "noise": {"snr": 1000},
            "lobes": {"detector_exponent": 1, "emitter_exponent": 1},
            "sensors": [sensor] * count,
        }
    )


def random_net(
    seed: int,
    plan: str | tuple[LayerPlan, ...] = "same",
    headset: Headset | None = None,
    corners: bool = False,
    planes: int | None = None,
    *,
    pairable: bool = False,
    keep: float = 1,
    coarse: bool = False,
) -> tuple[IntegerNet, Headset]:
    """A random network, a function of its arguments alone.

    Args:
        plan: a name of PLANS, or the layers themselves.
        headset: a 3×5 grid by default.
        planes: of the input; by default one for even seeds and two for odd ones.
        corners: random input zero points, zero points at the ends of int8, heavy saturation, left shifts up
            to 7, right shifts down to 31, channels whose multiplier is 0, kernels of zeros and of ±127.
        pairable: every layer has a ReLU and zero point -128 and scales its sums by less than a half, as
            training makes them and paired kernels need them; with `corners`, of those what is left.
        keep: share of the kernels that stay in convolutions of several channels, with four weights each.
        coarse: dense layers have weights of four bits (psog.net.int4), −8 times a factor among them.
    """
    rng = np.random.default_rng(seed)
    headset = headset or grid_headset(3, 5)
    normalisation = _normalisation(rng, headset.sensor_count, planes or 1 + seed % 2)
    source = Quantization(_INPUT_SCALE, int(rng.integers(-128, 128)) if corners else 0)
    readings = random_readings(rng, normalisation, _SAMPLE)
    x = normalisation(readings)[:, headset.grid]
    layers = []
    for step in PLANS[plan] if isinstance(plan, str) else plan:
        layer = _layer(rng, step, x, source, corners=corners, pairable=pairable, keep=keep, coarse=coarse)
        x, source = layer(x), layer.output
        layers.append(layer)
    head = rng.normal(size=(4, layers[-1].out_channels + 1)).astype(np.float32)
    head[:, :-1] /= float(source.scale) * 64 * np.sqrt(head.shape[1])
    head[:2] *= 10  # about ±10 degrees
    net = IntegerNet(headset.name, headset.grid, normalisation, tuple(layers), Head(head, 0.01, -0.5))
    return net, headset


def with_embedding(net: IntegerNet, seed: int, numbers: int) -> IntegerNet:
    """The network with a random user embedding: numbers of order one, shifts of some steps of each output."""
    rng = np.random.default_rng(seed)
    statistics = MOMENTS * len(net.normalisation.offset)
    embedding = Embedding(
        weight=(rng.normal(size=(numbers, statistics)) / np.sqrt(statistics)).astype(np.float32),
        bias=rng.normal(size=numbers).astype(np.float32),
        shifts=tuple(
            (rng.normal(size=(layer.out_channels, numbers)) * 8 * float(layer.output.scale)).astype(
                np.float32
            )
            for layer in net.layers
        ),
    )
    return replace(net, embedding=embedding)


def random_readings(rng: np.random.Generator, normalisation: Normalisation, count: int) -> NDArray[np.uint16]:
    """(count, sensors) readings: mostly inside the int8 input, some saturated, some anywhere."""
    shape = (count, len(normalisation.offset))
    reach = 128 * 2.0**normalisation.shift / normalisation.multiplier
    near = normalisation.offset + rng.normal(0, 0.4, shape) * reach
    anywhere = rng.integers(0, 1 << 16, shape)
    ends = rng.choice(np.array([0, (1 << 16) - 1]), shape)
    kind = rng.choice(3, shape, p=[0.9, 0.08, 0.02])
    wire: NDArray[np.uint16] = np.clip(np.choose(kind, [near, anywhere, ends]), 0, 65535).astype(np.uint16)
    return wire


def _normalisation(rng: np.random.Generator, sensors: int, planes: int) -> Normalisation:
    offset = rng.integers(15_000, 45_000, sensors).astype(np.int32)
    reach = rng.uniform(3_000, 15_000, sensors)  # wire values that fill the int8 input
    shift = 20
    multiplier = np.clip(128 * 2.0**shift / reach, 1, 16383).astype(np.int32)
    return Normalisation(offset, multiplier, shift, planes)


def _layer(
    rng: np.random.Generator,
    plan: LayerPlan,
    x: NDArray[np.int8],
    source: Quantization,
    *,
    corners: bool,
    pairable: bool,
    keep: float,
    coarse: bool,
) -> Layer:
    """A layer whose output range follows its sums on the activations `x`."""
    shape: Shape = x.shape[1:]
    inputs = (3, 3, shape[2]) if plan.kind == "conv" else (int(np.prod(shape)),)
    channels = plan.out if plan.kind == "conv" else 1
    weight = np.clip(np.rint(rng.normal(0, 45, (plan.out, *inputs))), -127, 127).astype(np.int8)
    spread = rng.choice([0.7, 8.0]) if corners else 0.5
    scale = (0.01 * np.exp(rng.normal(0, spread, channels))).astype(np.float32)
    if corners:
        weight[rng.random(plan.out) < 0.1] = 0
        weight[rng.random(plan.out) < 0.1] = rng.choice(np.array([-127, 127], np.int8), inputs)
    if plan.kind == "conv" and shape[2] > 1 and keep < 1:
        weight *= _kept(rng, plan.out, shape[2], keep)
    if coarse and plan.kind == "dense":
        factors = rng.integers(1, 16, (plan.out, 1))
        weight = (np.clip(np.rint(weight / factors), -8, 7) * factors).astype(np.int8)
    relu = bool(rng.random() < 0.7) or pairable
    zeros = np.zeros(plan.out, np.int32)
    draft = Layer(plan.kind, plan.padding, weight, zeros, scale, source, _UNIT, relu)
    sums = draft.device().sums(x)
    bias = np.rint(rng.normal(0, 0.5, plan.out) * sums.std(axis=(0, 1, 2))).astype(np.int32)
    factor = float(source.scale) * scale.astype(np.float64)
    output = _range(rng, (sums + bias) * factor, relu=relu, corners=corners)
    if pairable:
        output = Quantization(output.scale, -128)
    smallest = float(factor.max()) / (_LARGEST_PAIRED_FACTOR if pairable else _LARGEST_FACTOR)
    output = Quantization(np.float32(max(float(output.scale), smallest)), output.zero_point)
    layer = replace(draft, bias=bias, output=output)
    while not layer.device().fits_32_bits:  # left shifts of large sums
        output = Quantization(output.scale * np.float32(2), output.zero_point)
        layer = replace(layer, output=output)
    return layer


def _kept(rng: np.random.Generator, out: int, channels: int, keep: float) -> NDArray[np.int8]:
    """(out, 3, 3, channels) 1 where a weight stays."""
    patterns = np.argsort(rng.random((out, channels, 9)), axis=-1) < 4
    kept = patterns & (rng.random((out, channels, 1)) < keep)
    return kept.reshape(out, channels, 3, 3).transpose(0, 2, 3, 1).astype(np.int8)


def _range(rng: np.random.Generator, real: NDArray[np.float64], *, relu: bool, corners: bool) -> Quantization:
    low, high = np.quantile(real, (0.001, 0.999))
    low = 0.0 if relu else min(low, 0.0)
    scale = max(high - low, 1e-9) / 255
    zero_point = int(np.clip(np.rint(-128 - low / scale), -128, 127))
    if corners:
        scale *= float(rng.choice([1.0, 1 / 16, 4.0, 1e-4]))
        ends = [-128, -127, 126] if relu else [-128, 127]  # ReLU at 127 would leave a constant
        zero_point = int(rng.choice([*ends, *rng.integers(-128, 100, 3)]))
    return Quantization(np.float32(scale), zero_point)
