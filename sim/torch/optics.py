"""From lit patches to sensors: emitter → Lambertian patch → detector; see `sim/kernels/optics.h`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from psog.headset import Headset
from psog.parts import Lobe
from psog.sim import anatomy
from psog.sim.crosstalk import emitter_mixing
from psog.sim.effects import Effects
from psog.sim.torch.surfaces import EyeShape

_LOBE_STEPS = 512
_LENS_CLEARANCE_MM = 0.1
_TINY = 1e-12
"""Keeps the derivative of a root finite where a part sees a point at 90°, where the value is zero."""


class Sensors(NamedTuple):
    """A headset's parts: (3, sensors) positions (mm) and aims (unit vectors), lobes, crosstalk."""

    detector: Tensor
    detector_aim: Tensor
    emitter: Tensor
    emitter_aim: Tensor
    detector_lobe: Lobe
    emitter_lobe: Lobe
    mixing: Tensor | None = None
    """(sensors, sensors) how much of each emitter's light (column) counts in each reading; None: its own."""
    detector_gain: Tensor | None = None
    emitter_gain: Tensor | None = None
    """(sensors,) what a spectacle lens makes of a part's response; None: 1."""


class Patches(NamedTuple):
    """Lit pieces of surface, any shape: place (mm), unit normal, and area × reflectance / π (mm²)."""

    x: Tensor
    y: Tensor
    z: Tensor
    nx: Tensor
    ny: Tensor
    nz: Tensor
    weight: Tensor


def sensors_of(
    headset: Headset, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
) -> Sensors:
    """The sensors in headset axes."""

    def points(name: str) -> Tensor:
        rows = [getattr(sensor, name) for sensor in headset.sensors]
        return torch.tensor(rows, dtype=dtype, device=device).T

    return sensors_at(
        points("detector_mm"),
        points("detector_aim_mm"),
        points("emitter_mm"),
        points("emitter_aim_mm"),
        headset,
    )


def sensors_at(
    detector_mm: Tensor,
    detector_aim_mm: Tensor,
    emitter_mm: Tensor,
    emitter_aim_mm: Tensor,
    headset: Headset,
) -> Sensors:
    """Sensors at (3, sensors) places that look at (3, sensors) points; differentiable in all four.

    Lobes and crosstalk are the headset's.
    """

    def unit(vectors: Tensor) -> Tensor:
        length: Tensor = torch.linalg.vector_norm(vectors, dim=0, keepdim=True)
        return vectors / length

    mixing = torch.as_tensor(emitter_mixing(headset), dtype=detector_mm.dtype, device=detector_mm.device)
    alone = torch.equal(mixing, torch.eye(headset.sensor_count, dtype=mixing.dtype, device=mixing.device))
    return Sensors(
        detector_mm,
        unit(detector_aim_mm - detector_mm),
        emitter_mm,
        unit(emitter_aim_mm - emitter_mm),
        headset.detector_lobe,
        headset.emitter_lobe,
        None if alone else mixing,
    )


def sensors_in_head(sensors: Sensors, pose: Tensor) -> Sensors:
    """The sensors in head axes.

    Args:
        pose: (4,) shift of the headset (mm, headset axes) and its roll (radians; x turns towards y).
    """
    c, s = pose[3].cos(), pose[3].sin()

    def turned(vectors: Tensor) -> Tensor:
        x, y, z = vectors.unbind(0)
        return torch.stack([c * x - s * y, s * x + c * y, z])

    shift = pose[:3, None]
    return sensors._replace(
        detector=turned(sensors.detector + shift),
        detector_aim=turned(sensors.detector_aim),
        emitter=turned(sensors.emitter + shift),
        emitter_aim=turned(sensors.emitter_aim),
    )


def place_sensors(sensors: Sensors, eye: EyeShape, pose: Tensor, effects: Effects) -> Sensors:
    """The sensors in head axes, as the eye sees them through its spectacles."""
    placed = sensors_in_head(sensors, pose)
    if not effects.spectacles:
        return placed
    detector, detector_aim, detector_gain = through_lens(placed.detector, placed.detector_aim, eye.lens_power)
    emitter, emitter_aim, emitter_gain = through_lens(placed.emitter, placed.emitter_aim, eye.lens_power)
    return placed._replace(
        detector=detector,
        detector_aim=detector_aim,
        emitter=emitter,
        emitter_aim=emitter_aim,
        detector_gain=detector_gain,
        emitter_gain=emitter_gain,
    )


def through_lens(place: Tensor, aim: Tensor, power: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Images of parts (3, parts) in a thin lens, what they aim at, and their gains (parts,).

    Parts on the eye's side of the lens stay, and so do all where there is no lens.
    """
    u = place[2] - anatomy.LENS_MM
    there = (u >= _LENS_CLEARANCE_MM) & (power != 0)
    ratio = 1 / (1 - u * power)
    on_lens = place[:2] - u / aim[2] * aim[:2]
    image = torch.cat([place[:2] * ratio, (anatomy.LENS_MM + u * ratio)[None]])
    way = torch.cat([on_lens - image[:2], (-u * ratio)[None]])
    length: Tensor = torch.linalg.vector_norm(way, dim=0)
    gain = torch.where(there, ratio**2 * anatomy.LENS_TRANSMISSION, torch.ones_like(u))
    return torch.where(there, image, place), torch.where(there, way / length, aim), gain


def response(square: Tensor, lobe: Lobe) -> Tensor:
    """A part's response from squared cosines with its aim: cosⁿ, or its table, read linearly in the cosine
    (at least one dimension)."""
    if lobe.exponent is not None:
        return square.clamp_min(_TINY) ** (lobe.exponent / 2)
    nodes = lobe.at(np.linspace(0, 1, _LOBE_STEPS + 1))
    table = torch.as_tensor(nodes, dtype=square.dtype, device=square.device)
    at = square.clamp(_TINY, 1).sqrt() * _LOBE_STEPS
    j = at.detach().long().clamp_max(_LOBE_STEPS - 1)
    return table[j] + (at - j) * (table[j + 1] - table[j])


def respond(patches: Patches, sensors: Sensors) -> Tensor:
    """(..., sensors) what each sensor receives from each patch, emitters mixed (1/mm²)."""
    received = _one_end(patches, sensors.detector, sensors.detector_aim, sensors.detector_lobe)
    light = _one_end(patches, sensors.emitter, sensors.emitter_aim, sensors.emitter_lobe)
    if sensors.detector_gain is not None and sensors.emitter_gain is not None:
        received, light = received * sensors.detector_gain, light * sensors.emitter_gain
    if sensors.mixing is not None:
        light = light @ sensors.mixing.T
    return patches.weight[..., None] * received * light


def _one_end(patches: Patches, place: Tensor, aim: Tensor, lobe: Lobe) -> Tensor:
    """(..., parts) lobe · cosine at the patch / d² between each part and each patch."""
    x, y, z, nx, ny, nz, _ = (item[..., None] for item in patches)
    vx, vy, vz = place[0] - x, place[1] - y, place[2] - z
    inverse = 1 / (vx * vx + vy * vy + vz * vz)
    cosine = (nx * vx + ny * vy + nz * vz).clamp_min(0)
    off_axis = -(aim[0] * vx + aim[1] * vy + aim[2] * vz)
    value = cosine * inverse * inverse.sqrt() * response(off_axis * off_axis * inverse, lobe)
    return torch.where(off_axis > 0, value, 0.0)
