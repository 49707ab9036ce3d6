"""From lit patches to sensors: emitter → Lambertian patch → detector, with cosⁿ lobes at both ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.sim.compiled import compiled

PATCH_ROWS = 7
"""Rows of a patch array: x, y, z (mm), unit normal, and area × reflectance / π (mm²)."""

_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)


class Lobe(NamedTuple):
    """cosⁿ as (cos²)^whole · (cos²)^rest, so that the common exponents need products only."""

    whole: int
    rest: float
    """0 for even n, 0.5 for odd n, anything in between for other exponents."""


def lobe(exponent: float) -> Lobe:
    """The lobe cosⁿ for any exponent n >= 0."""
    whole = int(exponent // 2)
    return Lobe(whole, np.float32(exponent / 2 - whole))


def sensor_table(headset: Headset) -> NDArray[np.float32]:
    """(12, sensors): detector position, detector aim, emitter position, emitter aim, in headset axes."""
    parts = []
    for at, aim in (("detector_mm", "detector_aim_mm"), ("emitter_mm", "emitter_aim_mm")):
        position = np.array([getattr(sensor, at) for sensor in headset.sensors], dtype=np.float64)
        direction = np.array([getattr(sensor, aim) for sensor in headset.sensors]) - position
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        parts += [position.T, direction.T]
    return np.concatenate(parts).astype(np.float32)


@compiled
def sensors_in_head(sensors: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """The sensor table in head axes.

    Args:
        sensors: (12, s) in headset axes.
        pose: (4,) shift of the headset (mm, headset axes) and its roll (radians; x turns towards y).
    """
    out = np.empty_like(sensors)
    c, s = np.cos(pose[3]), np.sin(pose[3])
    for i in range(sensors.shape[1]):
        for part in (0, 3, 6, 9):
            shift = _ONE if part in (0, 6) else _ZERO
            x = sensors[part, i] + shift * pose[0]
            y = sensors[part + 1, i] + shift * pose[1]
            out[part, i] = c * x - s * y
            out[part + 1, i] = s * x + c * y
            out[part + 2, i] = sensors[part + 2, i] + shift * pose[2]
    return out


@compiled
def multiply_by_lobe(values: np.ndarray, cos2: np.ndarray, count: int, power: Lobe) -> None:
    """values *= cosⁿ for the first `count` entries; `cos2` (squared cosines) is used up."""
    if power.rest == _HALF:
        for i in range(count):
            values[i] *= np.sqrt(cos2[i])
    elif power.rest > _ZERO:
        for i in range(count):
            values[i] *= cos2[i] ** power.rest
    whole = power.whole
    while whole > 0:
        if whole & 1:
            for i in range(count):
                values[i] *= cos2[i]
        whole >>= 1
        if whole > 0:
            for i in range(count):
                cos2[i] *= cos2[i]


@compiled
def respond(
    patches: np.ndarray,
    count: int,
    sensors: np.ndarray,
    s: int,
    detector: Lobe,
    emitter: Lobe,
    values: np.ndarray,
    work: np.ndarray,
) -> None:
    """What sensor `s` receives from each patch, per unit radiant intensity of its emitter (1/mm²).

    ρ/π · cosⁿ(emitter) · cos(incidence) / d² · cos(emergence) · cosⁿ(detector) / d² · area; the detector's
    lobe includes the cosine of its own face.

    Args:
        patches: (PATCH_ROWS, at least count).
        sensors: (12, s) in head axes.
        values: (at least count,) receives the result.
        work: (2, at least count) scratch.
    """
    dx, dy, dz = sensors[0, s], sensors[1, s], sensors[2, s]
    ax, ay, az = sensors[3, s], sensors[4, s], sensors[5, s]
    ex, ey, ez = sensors[6, s], sensors[7, s], sensors[8, s]
    bx, by, bz = sensors[9, s], sensors[10, s], sensors[11, s]
    for i in range(count):
        x, y, z = patches[0, i], patches[1, i], patches[2, i]
        nx, ny, nz = patches[3, i], patches[4, i], patches[5, i]
        vx, vy, vz = dx - x, dy - y, dz - z
        wx, wy, wz = ex - x, ey - y, ez - z
        iv = _ONE / (vx * vx + vy * vy + vz * vz)
        iw = _ONE / (wx * wx + wy * wy + wz * wz)
        emergence = max(nx * vx + ny * vy + nz * vz, _ZERO)
        incidence = max(nx * wx + ny * wy + nz * wz, _ZERO)
        cd = -(ax * vx + ay * vy + az * vz)
        ce = -(bx * wx + by * wy + bz * wz)
        value = patches[6, i] * emergence * incidence * iv * iw * np.sqrt(iv * iw)
        values[i] = value if min(cd, ce) > _ZERO else _ZERO
        work[0, i] = cd * cd * iv
        work[1, i] = ce * ce * iw
    multiply_by_lobe(values, work[0], count, detector)
    multiply_by_lobe(values, work[1], count, emitter)
