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

from psog.sim.compiled import kernel
from psog.sim.optics import Patches, Sensors, add_responses, make_patches, respond, sensors_in_head
from psog.sim.quadrature import ROW_LIMIT_MM, SCLERA_LIMIT_MM, Nodes
from psog.sim.surfaces import EyeShape, eye_shape, eyeball_height, skin_height

_ZERO, _ONE, _TWO = np.float32(0), np.float32(1), np.float32(2)
_PER_PI = np.float32(1 / math.pi)
_ROW_LIMIT = np.float32(ROW_LIMIT_MM)
_SCLERA_LIMIT = np.float32(SCLERA_LIMIT_MM)
_HALF = np.float32(0.5)
_TINY = np.float32(1e-9)


Pair = tuple[np.float32, np.float32]


class Tables(NamedTuple):
    """One user and pose; sums in 1/mm², their last axis sensors, so that a look-up reads neighbours."""

    eye: np.ndarray
    """A row of `psog.sim.surfaces.eye_shapes`."""
    pose: np.ndarray
    """A row of `psog.sim.render.pose_rows`."""
    skin: np.ndarray
    """(sensors,) closed lids and face."""
    aperture: np.ndarray
    """(aperture columns, rows + 1, sensors) sclera minus skin, including the columns' weights."""
    sclera: np.ndarray
    """(sclera columns, rows + 1, sensors) sclera per mm of column width."""


@kernel
def prepare(sensors: Sensors, nodes: Nodes, eye_row: np.ndarray, pose: np.ndarray) -> Tables:
    """The tables of one user and pose; `sensors` in headset axes."""
    eye, placed = eye_shape(eye_row), sensors_in_head(sensors, pose)
    count = placed.table.shape[1]
    skin = np.zeros(count, np.float32)
    aperture = np.zeros((len(nodes.aperture_x), nodes.rows + 1, count), np.float32)
    sclera = np.zeros((len(nodes.sclera_x), nodes.rows + 1, count), np.float32)
    sum_skin(eye, placed, nodes, skin)
    fill_aperture(eye, placed, nodes, aperture)
    fill_sclera(eye, placed, nodes, sclera)
    return Tables(eye_row, pose, skin, aperture, sclera)


@kernel
def put_height(
    geometry: np.ndarray,
    i: int,
    at: Pair,
    height_and_slope: Pair,
    scale: np.float32,
) -> None:
    """Patch i on a surface of revolution with height z and slope dz/dr at (x, y).

    `scale` is reflectance times the area of its shadow on the frontal plane.
    """
    x, y = at
    z, slope = height_and_slope
    stretch = np.sqrt(_ONE + slope * slope)
    tilt = -slope / (stretch * max(np.sqrt(x * x + y * y), _TINY))
    geometry[0, i], geometry[1, i], geometry[2, i] = x, y, z
    geometry[3, i], geometry[4, i], geometry[5, i] = tilt * x, tilt * y, _ONE / stretch
    geometry[6, i] = scale * stretch * _PER_PI


@kernel
def put_sclera(geometry: np.ndarray, i: int, eye: EyeShape, at: Pair, area: np.float32) -> None:
    """Patch i on the eyeball, above `area` mm² of the frontal plane."""
    height = eyeball_height(eye.radius, np.sqrt(at[0] * at[0] + at[1] * at[1]))
    put_height(geometry, i, at, height, area * eye.sclera)


@kernel
def put_skin(geometry: np.ndarray, i: int, eye: EyeShape, at: Pair, area: np.float32) -> None:
    """Patch i on lids or face, above `area` mm² of the frontal plane."""
    height = skin_height(eye.radius, np.sqrt(at[0] * at[0] + at[1] * at[1]))
    put_height(geometry, i, at, height, area * eye.skin)


@kernel
def sum_skin(eye: EyeShape, sensors: Sensors, nodes: Nodes, out: np.ndarray) -> None:
    """out (sensors,) += everything reflected by closed lids and face."""
    spokes = len(nodes.skin_cos)
    patches = make_patches(spokes)
    for ring in range(len(nodes.skin_r)):
        r = nodes.skin_r[ring]
        for k in range(spokes):
            at = (r * nodes.skin_cos[k], r * nodes.skin_sin[k])
            put_skin(patches.geometry, k, eye, at, nodes.skin_weight[ring])
        add_responses(patches, spokes, sensors, out)


@kernel
def row_height(rows: int) -> np.float32:
    """Of a row of the running sums, mm."""
    return _TWO * _ROW_LIMIT / np.float32(rows)


@kernel
def row_middle(j: int, height: np.float32) -> np.float32:
    """y of the middle of row j, mm."""
    return -_ROW_LIMIT + (np.float32(j) + _HALF) * height


@kernel
def fill_aperture(eye: EyeShape, sensors: Sensors, nodes: Nodes, out: np.ndarray) -> None:
    """out (aperture columns, rows + 1, sensors): see `Tables`."""
    rows, height = nodes.rows, row_height(nodes.rows)
    patches = make_patches(2 * rows)
    for k in range(len(nodes.aperture_x)):
        x = nodes.aperture_x[k] * eye.fissure_half
        area = nodes.aperture_weight[k] * eye.fissure_half * height
        for j in range(rows):
            at = (x, row_middle(j, height))
            put_sclera(patches.geometry, j, eye, at, area)
            put_skin(patches.geometry, rows + j, eye, at, -area)
        for s in range(out.shape[2]):
            respond(patches, 2 * rows, sensors, s)
            for j in range(rows):
                patches.values[j] += patches.values[rows + j]
            accumulate(patches, out[k, :, s])


@kernel
def fill_sclera(eye: EyeShape, sensors: Sensors, nodes: Nodes, out: np.ndarray) -> None:
    """out (sclera columns, rows + 1, sensors): see `Tables`."""
    rows, height = nodes.rows, row_height(nodes.rows)
    patches = make_patches(rows)
    for k in range(len(nodes.sclera_x)):
        for j in range(rows):
            put_sclera(patches.geometry, j, eye, (nodes.sclera_x[k], row_middle(j, height)), height)
        for s in range(out.shape[2]):
            respond(patches, rows, sensors, s)
            accumulate(patches, out[k, :, s])


@kernel
def accumulate(patches: Patches, out: np.ndarray) -> None:
    """out (rows + 1,): running sum of the values."""
    total = _ZERO
    for j in range(len(out) - 1):
        total += patches.values[j]
        out[j + 1] = total


@kernel
def add_at(column: np.ndarray, y: np.float32, weight: np.float32, out: np.ndarray) -> None:
    """out += weight × running sum at height y, linear between rows; column (rows + 1, sensors)."""
    rows = column.shape[0] - 1
    at = (y + _ROW_LIMIT) / row_height(rows)
    j = min(max(int(at), 0), rows - 1)
    above = weight * (at - np.float32(j))
    below = weight - above
    for s in range(len(out)):
        out[s] += below * column[j, s] + above * column[j + 1, s]


@kernel
def add_sclera_at(sclera: np.ndarray, at: Pair, weight: np.float32, out: np.ndarray) -> None:
    """out += weight × running sum at (x, y), linear between columns."""
    x, y = at
    columns = sclera.shape[0] - 1
    position = (x + _SCLERA_LIMIT) * np.float32(columns) / (_TWO * _SCLERA_LIMIT)
    k = min(max(int(position), 0), columns - 1)
    right = weight * (position - np.float32(k))
    add_at(sclera[k], y, weight - right, out)
    add_at(sclera[k + 1], y, right, out)
