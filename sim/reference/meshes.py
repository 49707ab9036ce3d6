"""The surfaces of the reference scene as triangles.

Each is a grid of points: rows and columns, neighbours joined by two triangles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.sim import anatomy
from psog.sim.reference.eye import Array, Eye

_AROUND = 256
"""Points around the eye: the sphere's chords are 0.9 µm below it."""
_BALL_RINGS, _CAP_RINGS = 80, 64
_BALL_REACH_MM = 18.0
"""How far the eyeball's cone runs under the skin."""
_FISSURE_COLUMNS, _SIDE_COLUMNS, _SKIN_ROWS, _WALL_ROWS = 160, 32, 80, 8
_ROW_GRADING = 1.6
"""Rows of skin crowd at the lid's edge."""
_TUCK_MM = 0.02
"""The lid's wall reaches this far into what it rests on, so that no light passes under it."""


@dataclass(frozen=True)
class Mesh:
    """Attributes:
    points, normals: (n, 3) mm.
    triangles: (m, 3) indices.
    """

    points: Array
    normals: Array
    triangles: NDArray[np.uint32]


def cornea(eye: Eye) -> Mesh:
    """The cap of the corneal sphere in front of the limbus."""
    sine = eye.limbus_radius / eye.cornea_radius
    angle = np.arcsin(sine) * np.linspace(0, 1, _CAP_RINGS)[:, None, None]
    normals = np.cos(angle) * eye.axis + np.sin(angle) * _around(eye.axis)
    return _grid(eye.cornea_centre * eye.axis + eye.cornea_radius * normals, normals, closed=True)


def sclera(eye: Eye) -> Mesh:
    """The eyeball from the limbus outwards, as a height field under rays from limbus to a far circle."""
    around = _around(eye.axis)
    limbus = eye.limbus_depth * eye.axis + eye.limbus_radius * around
    far = around[:, :2] / np.linalg.norm(around[:, :2], axis=1, keepdims=True) * _BALL_REACH_MM
    step = np.linspace(0, 1, _BALL_RINGS)[:, None, None]
    xy = limbus[:, :2] + step * (far - limbus[:, :2])
    r = np.linalg.norm(xy, axis=-1)
    points, normals = _height_field(xy, r, eye.ball_height(r))
    points[0] = limbus
    normals[0] = limbus / np.linalg.norm(limbus, axis=1, keepdims=True)
    return _grid(points, normals, closed=True)


def skin(eye: Eye) -> list[Mesh]:
    """Upper and lower half of lids and face: columns from the lid's edge to the rim of the disc."""
    inner = eye.fissure_half * np.sin(np.linspace(-np.pi / 2, np.pi / 2, _FISSURE_COLUMNS + 1))
    side = np.linspace(eye.fissure_half, anatomy.SKIN_RADIUS_MM, _SIDE_COLUMNS + 1)[1:]
    x = np.concatenate([-side[::-1], inner, side])
    rim = np.sqrt(np.maximum(anatomy.SKIN_RADIUS_MM**2 - x**2, 0))
    step = np.linspace(0, 1, _SKIN_ROWS + 1)[:, None] ** _ROW_GRADING
    shut = np.zeros_like(x) if not eye.is_shut else None
    halves = []
    for margin, sign in ((eye.upper, 1.0), (-eye.lower, -1.0)):
        edge = eye.edge(x, margin) if shut is not None else eye.edge(x, -eye.lower)
        y = edge + step * (sign * rim - edge)
        xy = np.stack([np.broadcast_to(x, y.shape), y], axis=-1)
        r = np.linalg.norm(xy, axis=-1)
        halves.append(_grid(*_height_field(xy, r, eye.skin_height(r))))
    return halves


def lid_walls(eye: Eye) -> list[Mesh]:
    """The thickness of the two lids: from the edge of the skin straight back to eyeball or cornea."""
    if eye.is_shut:
        return []
    x = eye.fissure_half * np.sin(np.linspace(-np.pi / 2, np.pi / 2, _FISSURE_COLUMNS + 1))
    step = np.linspace(0, 1, _WALL_ROWS + 1)[:, None]
    walls = []
    for margin in (eye.upper, -eye.lower):
        y = eye.edge(x, margin)
        top, foot = eye.skin_height(np.hypot(x, y))[0], eye.front_height(x, y) - _TUCK_MM
        z = top + step * (foot - top)
        points = np.stack([np.broadcast_to(x, z.shape), np.broadcast_to(y, z.shape), z], axis=-1)
        slope = -2 * margin * x / eye.fissure_half**2
        across = np.stack([-slope, np.ones_like(x), np.zeros_like(x)], axis=-1)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        walls.append(_grid(points, np.broadcast_to(across, points.shape)))
    return walls


def _around(axis: Array) -> Array:
    """(_AROUND, 3) unit vectors at right angles to `axis`."""
    first = np.array([1.0, 0, 0]) - axis[0] * axis
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)[:, None]
    return np.asarray(np.cos(angle) * first + np.sin(angle) * second)


def _height_field(xy: Array, r: Array, height_and_slope: tuple[Array, Array]) -> tuple[Array, Array]:
    """Points and normals over (…, 2) places of the frontal plane for a surface of revolution about z."""
    z, slope = height_and_slope
    tilt = -slope / np.maximum(r, 1e-12)
    normals = np.concatenate([tilt[..., None] * xy, np.ones_like(z)[..., None]], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.concatenate([xy, z[..., None]], axis=-1), normals


def _grid(points: Array, normals: Array, *, closed: bool = False) -> Mesh:
    """Triangles between (rows, columns, 3) points; `closed` joins the last column with the first."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.concatenate([index, index[:, :1]], axis=1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    triangles = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    return Mesh(points.reshape(-1, 3), normals.reshape(-1, 3), triangles.astype(np.uint32))
