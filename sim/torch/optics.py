"""From lit patches to sensors: emitter → Lambertian patch → detector; see `psog.sim.optics`."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from psog.errors import SimulationError
from psog.headset import Headset
from psog.parts import Lobe

_TINY = 1e-12
"""Keeps the derivative of a root finite where a part sees a point at 90°, where the value is zero."""


class Sensors(NamedTuple):
    """A headset's parts: (3, sensors) positions (mm) and aims (unit vectors), and the lobes."""

    detector: Tensor
    detector_aim: Tensor
    emitter: Tensor
    emitter_aim: Tensor
    detector_lobe: Lobe
    emitter_lobe: Lobe


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
        (headset.detector_lobe, headset.emitter_lobe),
    )


def sensors_at(
    detector_mm: Tensor,
    detector_aim_mm: Tensor,
    emitter_mm: Tensor,
    emitter_aim_mm: Tensor,
    lobes: tuple[Lobe, Lobe],
) -> Sensors:
    """Sensors at (3, sensors) places that look at (3, sensors) points; differentiable in all four."""

    def unit(vectors: Tensor) -> Tensor:
        length: Tensor = torch.linalg.vector_norm(vectors, dim=0, keepdim=True)
        return vectors / length

    return Sensors(
        detector_mm,
        unit(detector_aim_mm - detector_mm),
        emitter_mm,
        unit(emitter_aim_mm - emitter_mm),
        *lobes,
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


def power_of_cosine(square: Tensor, lobe: Lobe) -> Tensor:
    """cosⁿ from squared cosines.

    Raises:
        SimulationError: a lobe that is a table.
    """
    if lobe.exponent is None:
        raise SimulationError("the torch backend knows cosⁿ lobes only; this headset has a table")
    return square.clamp_min(_TINY) ** (lobe.exponent / 2)


def respond(patches: Patches, sensors: Sensors) -> Tensor:
    """(..., sensors) what each sensor receives from each patch, as `psog.sim.optics.respond` has it."""
    x, y, z, nx, ny, nz, weight = (item[..., None] for item in patches)
    (dx, dy, dz), (ax, ay, az) = sensors.detector, sensors.detector_aim
    (ex, ey, ez), (bx, by, bz) = sensors.emitter, sensors.emitter_aim
    vx, vy, vz = dx - x, dy - y, dz - z
    wx, wy, wz = ex - x, ey - y, ez - z
    iv = 1 / (vx * vx + vy * vy + vz * vz)
    iw = 1 / (wx * wx + wy * wy + wz * wz)
    emergence = (nx * vx + ny * vy + nz * vz).clamp_min(0)
    incidence = (nx * wx + ny * wy + nz * wz).clamp_min(0)
    to_detector = -(ax * vx + ay * vy + az * vz)
    to_emitter = -(bx * wx + by * wy + bz * wz)
    value = weight * emergence * incidence * iv * iw * (iv * iw).sqrt()
    value = value * power_of_cosine(to_detector * to_detector * iv, sensors.detector_lobe)
    value = value * power_of_cosine(to_emitter * to_emitter * iw, sensors.emitter_lobe)
    return torch.where(torch.minimum(to_detector, to_emitter) > 0, value, 0.0)
