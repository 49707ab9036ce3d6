"""From lit patches to sensors: emitter → Lambertian patch → detector, with cosⁿ lobes at both ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog import parts
from psog.errors import SimulationError
from psog.headset import Headset
from psog.sim.compiled import compiled, kernel

_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)


class Lobe(NamedTuple):
    """cosⁿ as (cos²)^whole · (cos²)^rest, so that the common exponents need products only."""

    whole: int
    rest: np.float32
    """0 for even n, 0.5 for odd n, anything below 1 for other exponents."""


class Sensors(NamedTuple):
    """A headset's parts as the kernels take them."""

    table: np.ndarray
    """(12, sensors) float32: detector position (mm) and aim (unit vector), emitter position and aim."""
    detector: Lobe
    emitter: Lobe


class Patches(NamedTuple):
    """Room for lit pieces of surface and for what a sensor receives from them."""

    geometry: np.ndarray
    """(7, n): x, y, z (mm), unit normal, and area × reflectance / π (mm²)."""
    values: np.ndarray
    """(n,) the response of one sensor to each."""
    work: np.ndarray
    """(2, n) scratch."""


def lobe(exponent: float) -> Lobe:
    """The lobe cosⁿ for any exponent n >= 0."""
    whole = int(exponent // 2)
    return Lobe(whole, np.float32(exponent / 2 - whole))


def sensors_of(headset: Headset) -> Sensors:
    """The sensors in headset axes."""
    parts = []
    for at, aim in (("detector_mm", "detector_aim_mm"), ("emitter_mm", "emitter_aim_mm")):
        position = np.array([getattr(sensor, at) for sensor in headset.sensors], dtype=np.float64)
        direction = np.array([getattr(sensor, aim) for sensor in headset.sensors]) - position
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        parts += [position.T, direction.T]
    table = np.concatenate(parts).astype(np.float32)
    return Sensors(table, _power(headset.detector_lobe), _power(headset.emitter_lobe))


def _power(part: parts.Lobe) -> Lobe:
    if part.exponent is None:
        raise SimulationError("lobes given as tables cannot be rendered yet; give an exponent")
    return lobe(part.exponent)


def placed_table(headset: Headset, pose: NDArray[np.float32]) -> NDArray[np.float64]:
    """(12, sensors) as in `Sensors.table`, in head axes.

    Args:
        pose: (4,) a row of `psog.sim.render.pose_rows`.
    """
    return np.asarray(_placed(sensors_of(headset), pose), dtype=np.float64)


@compiled
def _placed(sensors: Sensors, pose: np.ndarray) -> np.ndarray:
    return sensors_in_head(sensors, pose).table


@kernel
def sensors_in_head(sensors: Sensors, pose: np.ndarray) -> Sensors:
    """The sensors in head axes.

    Args:
        pose: (4,) shift of the headset (mm, headset axes) and its roll (radians; x turns towards y).
    """
    table = np.empty_like(sensors.table)
    c, s = np.cos(pose[3]), np.sin(pose[3])
    for i in range(table.shape[1]):
        for part in (0, 3, 6, 9):
            moves = _ONE if part in (0, 6) else _ZERO
            x = sensors.table[part, i] + moves * pose[0]
            y = sensors.table[part + 1, i] + moves * pose[1]
            table[part, i] = c * x - s * y
            table[part + 1, i] = s * x + c * y
            table[part + 2, i] = sensors.table[part + 2, i] + moves * pose[2]
    return Sensors(table, sensors.detector, sensors.emitter)


@kernel
def make_patches(count: int) -> Patches:
    """Room for `count` patches."""
    return Patches(
        np.empty((7, count), np.float32), np.empty(count, np.float32), np.empty((2, count), np.float32)
    )


@kernel
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


@kernel
def respond(patches: Patches, count: int, sensors: Sensors, s: int) -> None:
    """Into patches.values: what sensor `s` receives from each of the first `count` patches.

    Per unit radiant intensity of its emitter (1/mm²): ρ/π · area · cosⁿ(emitter) · cos(incidence) / d² ·
    cos(emergence) · cosⁿ(detector) / d²; the detector's lobe includes the cosine of its own face.
    """
    geometry, values, cos2_detector, cos2_emitter = (
        patches.geometry,
        patches.values,
        patches.work[0],
        patches.work[1],
    )
    table = sensors.table
    dx, dy, dz = table[0, s], table[1, s], table[2, s]
    ax, ay, az = table[3, s], table[4, s], table[5, s]
    ex, ey, ez = table[6, s], table[7, s], table[8, s]
    bx, by, bz = table[9, s], table[10, s], table[11, s]
    for i in range(count):
        x, y, z = geometry[0, i], geometry[1, i], geometry[2, i]
        nx, ny, nz = geometry[3, i], geometry[4, i], geometry[5, i]
        vx, vy, vz = dx - x, dy - y, dz - z
        wx, wy, wz = ex - x, ey - y, ez - z
        iv = _ONE / (vx * vx + vy * vy + vz * vz)
        iw = _ONE / (wx * wx + wy * wy + wz * wz)
        emergence = max(nx * vx + ny * vy + nz * vz, _ZERO)
        incidence = max(nx * wx + ny * wy + nz * wz, _ZERO)
        to_detector = -(ax * vx + ay * vy + az * vz)
        to_emitter = -(bx * wx + by * wy + bz * wz)
        value = geometry[6, i] * emergence * incidence * iv * iw * np.sqrt(iv * iw)
        values[i] = value if min(to_detector, to_emitter) > _ZERO else _ZERO
        cos2_detector[i] = to_detector * to_detector * iv
        cos2_emitter[i] = to_emitter * to_emitter * iw
    multiply_by_lobe(values, cos2_detector, count, sensors.detector)
    multiply_by_lobe(values, cos2_emitter, count, sensors.emitter)


@kernel
def add_responses(patches: Patches, count: int, sensors: Sensors, out: np.ndarray) -> None:
    """out[s] += what sensor s receives from the first `count` patches together."""
    for s in range(len(out)):
        respond(patches, count, sensors, s)
        total = _ZERO
        for i in range(count):
            total += patches.values[i]
        out[s] += total
