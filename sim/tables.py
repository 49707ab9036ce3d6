"""Per user and pose: what does not change when the eye rotates, summed once.

The sclera is a sphere about the rotation centre, so turning the eye moves only limbus, pupil and lids
over it. For each sensor the tables hold the sum over the whole skin, and running sums along y of what
opening the lids adds (sclera seen, skin moved away) and of the sclera alone. A sample then needs only
differences of running sums.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from psog.sim.compiled import compiled
from psog.sim.optics import PATCH_ROWS, Lobe, respond
from psog.sim.quadrature import ROW_LIMIT_MM, SCLERA_LIMIT_MM, Nodes
from psog.sim.surfaces import EyeShape, eyeball_height, skin_height

_ZERO, _ONE, _TWO = np.float32(0), np.float32(1), np.float32(2)
_PER_PI = np.float32(1 / math.pi)
_ROW_LIMIT = np.float32(ROW_LIMIT_MM)
_HALF = np.float32(0.5)
_TINY = np.float32(1e-9)


class Tables(NamedTuple):
    """All in 1/mm², last axis sensors, so that a look-up reads neighbours."""

    skin: np.ndarray
    """(sensors,) closed lids and face."""
    aperture: np.ndarray
    """(aperture columns, rows + 1, sensors) sclera minus skin, including the columns' weights."""
    sclera: np.ndarray
    """(sclera columns, rows + 1, sensors) sclera per mm of column width."""


@compiled
def put_height(patches: np.ndarray, i: int, x: float, y: float, z: float, slope: float, scale: float) -> None:
    """Patch i on a surface of revolution with height z and slope dz/dr above (x, y).

    Its area is that of the piece above `scale` of the frontal plane.
    """
    r = np.sqrt(x * x + y * y)
    stretch = np.sqrt(_ONE + slope * slope)
    tilt = -slope / (stretch * max(r, _TINY))
    patches[0, i], patches[1, i], patches[2, i] = x, y, z
    patches[3, i], patches[4, i], patches[5, i] = tilt * x, tilt * y, _ONE / stretch
    patches[6, i] = scale * stretch * _PER_PI


@compiled
def put_sclera(patches: np.ndarray, i: int, eye: EyeShape, x: float, y: float, scale: float) -> None:
    z, slope = eyeball_height(eye.radius, np.sqrt(x * x + y * y))
    put_height(patches, i, x, y, z, slope, scale * eye.sclera)


@compiled
def put_skin(patches: np.ndarray, i: int, eye: EyeShape, x: float, y: float, scale: float) -> None:
    z, slope = skin_height(eye.radius, np.sqrt(x * x + y * y))
    put_height(patches, i, x, y, z, slope, scale * eye.skin)


@compiled
def sum_skin(
    eye: EyeShape, sensors: np.ndarray, detector: Lobe, emitter: Lobe, nodes: Nodes, out: np.ndarray
) -> None:
    """out (sensors,): everything reflected by closed lids and face."""
    spokes = len(nodes.skin_cos)
    patches = np.empty((PATCH_ROWS, spokes), np.float32)
    values, work = np.empty(spokes, np.float32), np.empty((2, spokes), np.float32)
    out[:] = _ZERO
    for ring in range(len(nodes.skin_r)):
        r = nodes.skin_r[ring]
        for k in range(spokes):
            x, y = r * nodes.skin_cos[k], r * nodes.skin_sin[k]
            put_skin(patches, k, eye, x, y, nodes.skin_weight[ring])
        for s in range(len(out)):
            respond(patches, spokes, sensors, s, detector, emitter, values, work)
            total = _ZERO
            for k in range(spokes):
                total += values[k]
            out[s] += total


@compiled
def fill_aperture(
    eye: EyeShape, sensors: np.ndarray, detector: Lobe, emitter: Lobe, nodes: Nodes, out: np.ndarray
) -> None:
    """out (aperture columns, rows + 1, sensors): see `Tables`."""
    rows = nodes.rows
    height = _TWO * _ROW_LIMIT / np.float32(rows)
    patches = np.empty((PATCH_ROWS, 2 * rows), np.float32)
    values, work = np.empty(2 * rows, np.float32), np.empty((2, 2 * rows), np.float32)
    for k in range(len(nodes.aperture_x)):
        x = nodes.aperture_x[k] * eye.fissure_half
        scale = nodes.aperture_weight[k] * eye.fissure_half * height
        for j in range(rows):
            y = -_ROW_LIMIT + (np.float32(j) + _HALF) * height
            put_sclera(patches, j, eye, x, y, scale)
            put_skin(patches, rows + j, eye, x, y, -scale)
        for s in range(sensors.shape[1]):
            respond(patches, 2 * rows, sensors, s, detector, emitter, values, work)
            total = _ZERO
            out[k, 0, s] = total
            for j in range(rows):
                total += values[j] + values[rows + j]
                out[k, j + 1, s] = total


@compiled
def fill_sclera(
    eye: EyeShape, sensors: np.ndarray, detector: Lobe, emitter: Lobe, nodes: Nodes, out: np.ndarray
) -> None:
    """out (sclera columns, rows + 1, sensors): see `Tables`."""
    rows = nodes.rows
    height = _TWO * _ROW_LIMIT / np.float32(rows)
    patches = np.empty((PATCH_ROWS, rows), np.float32)
    values, work = np.empty(rows, np.float32), np.empty((2, rows), np.float32)
    for k in range(len(nodes.sclera_x)):
        for j in range(rows):
            y = -_ROW_LIMIT + (np.float32(j) + _HALF) * height
            put_sclera(patches, j, eye, nodes.sclera_x[k], y, height)
        for s in range(sensors.shape[1]):
            respond(patches, rows, sensors, s, detector, emitter, values, work)
            total = _ZERO
            out[k, 0, s] = total
            for j in range(rows):
                total += values[j]
                out[k, j + 1, s] = total


@compiled
def prepare(eye: EyeShape, sensors: np.ndarray, detector: Lobe, emitter: Lobe, nodes: Nodes) -> Tables:
    """The tables of one user and pose; `sensors` (12, s) in head axes."""
    count = sensors.shape[1]
    tables = Tables(
        np.empty(count, np.float32),
        np.empty((len(nodes.aperture_x), nodes.rows + 1, count), np.float32),
        np.empty((len(nodes.sclera_x), nodes.rows + 1, count), np.float32),
    )
    sum_skin(eye, sensors, detector, emitter, nodes, tables.skin)
    fill_aperture(eye, sensors, detector, emitter, nodes, tables.aperture)
    fill_sclera(eye, sensors, detector, emitter, nodes, tables.sclera)
    return tables


@compiled
def add_at(column: np.ndarray, y: float, weight: float, out: np.ndarray) -> None:
    """out += weight × running sum at height y, linear between rows; column (rows + 1, sensors)."""
    rows = column.shape[0] - 1
    at = (y + _ROW_LIMIT) * (np.float32(rows) / (_TWO * _ROW_LIMIT))
    j = min(max(int(at), 0), rows - 1)
    upper = weight * (at - np.float32(j))
    lower = weight - upper
    for s in range(len(out)):
        out[s] += lower * column[j, s] + upper * column[j + 1, s]


SCLERA_LIMIT = np.float32(SCLERA_LIMIT_MM)


@compiled
def add_sclera_at(sclera: np.ndarray, x: float, y: float, weight: float, out: np.ndarray) -> None:
    """out += weight × running sum at (x, y), linear between columns."""
    columns = sclera.shape[0] - 1
    at = (x + SCLERA_LIMIT) * (np.float32(columns) / (_TWO * SCLERA_LIMIT))
    k = min(max(int(at), 0), columns - 1)
    right = weight * (at - np.float32(k))
    add_at(sclera[k], y, weight - right, out)
    add_at(sclera[k + 1], y, right, out)
