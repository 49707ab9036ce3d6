"""Per sample: lids, limbus and pupil laid over the tables of one user and pose."""

from __future__ import annotations

import math

import numpy as np

from psog.sim.compiled import compiled
from psog.sim.glint import add_glints
from psog.sim.optics import PATCH_ROWS, Lobe, respond
from psog.sim.quadrature import Nodes
from psog.sim.surfaces import EyeShape
from psog.sim.tables import Tables, add_at, add_sclera_at

_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_PER_PI = np.float32(1 / math.pi)


@compiled
def disc_chord(state: np.ndarray, radius: float, depth: float, t: float) -> tuple[float, float, float, float]:
    """A column through a disc that faces the optical axis, seen from the front.

    The disc's outline is an ellipse with covariance radius² (1 - g gᵀ) about depth · g.

    Args:
        state: (6,) as in `psog.sim.state`; its optical axis is g.
        depth: of the disc's centre along the optical axis.
        t: -1 to 1 across the outline.
    Returns:
        x of the column, lower and upper end in y, and half the outline's width (all mm).
    """
    gx, gy, gz = state[0], state[1], state[2]
    spread = _ONE - gx * gx
    half_width = radius * np.sqrt(spread)
    dx = half_width * t
    middle = depth * gy - gx * gy / spread * dx
    half_height = radius * gz / np.sqrt(spread) * np.sqrt(max(_ONE - t * t, _ZERO))
    return depth * gx + dx, middle - half_height, middle + half_height, half_width


@compiled
def between_lids(eye: EyeShape, state: np.ndarray, x: float) -> tuple[float, float]:
    """Lower and upper end in y of the open eye at x; lower >= upper where it is covered."""
    parabola = _ONE - x * x / (eye.fissure_half * eye.fissure_half)
    if parabola <= _ZERO:
        return _ZERO, _ZERO
    return -state[5] * parabola, state[4] * parabola


@compiled
def put_iris(
    patches: np.ndarray, i: int, eye: EyeShape, state: np.ndarray, x: float, y: float, scale: float
) -> None:
    """Patch i on the image of the iris plane, above `scale` (reflectance × mm²) of the frontal plane."""
    gx, gy, gz = state[0], state[1], state[2]
    patches[0, i], patches[1, i] = x, y
    patches[2, i] = (eye.iris_depth - x * gx - y * gy) / gz
    patches[3, i], patches[4, i], patches[5, i] = gx, gy, gz
    patches[6, i] = scale * _PER_PI / gz


@compiled
def patch_disc(
    patches: np.ndarray,
    first: int,
    eye: EyeShape,
    state: np.ndarray,
    radius: float,
    depth: float,
    reflectance: float,
    xs: np.ndarray,
    weights: np.ndarray,
    ys: np.ndarray,
    y_weights: np.ndarray,
) -> int:
    """Put patches on the seen part of a disc in the iris plane; returns the count including `first`."""
    count = first
    for k in range(len(xs)):
        x, bottom, top, half_width = disc_chord(state, radius, depth, xs[k])
        low, high = between_lids(eye, state, x)
        low, high = max(low, bottom), min(high, top)
        if high > low:
            half = _HALF * (high - low)
            middle = _HALF * (high + low)
            for g in range(len(ys)):
                area = weights[k] * half_width * half * y_weights[g]
                put_iris(patches, count, eye, state, x, middle + half * ys[g], area * reflectance)
                count += 1
    return count


@compiled
def remove_sclera(eye: EyeShape, state: np.ndarray, tables: Tables, nodes: Nodes, out: np.ndarray) -> None:
    """Take away the sclera where the cornea is."""
    for k in range(len(nodes.limbus_x)):
        x, bottom, top, half_width = disc_chord(state, eye.limbus_radius, eye.limbus_depth, nodes.limbus_x[k])
        low, high = between_lids(eye, state, x)
        low, high = max(low, bottom), min(high, top)
        if high > low:
            weight = nodes.limbus_weight[k] * half_width
            add_sclera_at(tables.sclera, x, high, -weight, out)
            add_sclera_at(tables.sclera, x, low, weight, out)


@compiled
def render_sample(
    eye: EyeShape,
    state: np.ndarray,
    tables: Tables,
    sensors: np.ndarray,
    detector: Lobe,
    emitter: Lobe,
    nodes: Nodes,
    out: np.ndarray,
) -> None:
    """out (sensors,): irradiance (1/mm²) for one eye state."""
    for s in range(len(out)):
        out[s] = tables.skin[s]
    for k in range(len(nodes.aperture_x)):
        low, high = between_lids(eye, state, nodes.aperture_x[k] * eye.fissure_half)
        if high > low:
            add_at(tables.aperture[k], high, _ONE, out)
            add_at(tables.aperture[k], low, -_ONE, out)
    remove_sclera(eye, state, tables, nodes, out)
    add_iris_and_pupil(eye, state, sensors, detector, emitter, nodes, out)
    add_glints(eye, state, sensors, detector, emitter, out)


@compiled
def add_iris_and_pupil(
    eye: EyeShape,
    state: np.ndarray,
    sensors: np.ndarray,
    detector: Lobe,
    emitter: Lobe,
    nodes: Nodes,
    out: np.ndarray,
) -> None:
    """Add the iris inside the limbus; the pupil replaces it where it is."""
    most = len(nodes.limbus_x) * len(nodes.limbus_y) + len(nodes.pupil_x) * len(nodes.pupil_y)
    patches = np.empty((PATCH_ROWS, most), np.float32)
    values, work = np.empty(most, np.float32), np.empty((2, most), np.float32)
    count = patch_disc(
        patches,
        0,
        eye,
        state,
        eye.limbus_radius,
        eye.limbus_depth,
        eye.iris,
        nodes.limbus_x,
        nodes.limbus_weight,
        nodes.limbus_y,
        nodes.limbus_y_weight,
    )
    count = patch_disc(
        patches,
        count,
        eye,
        state,
        state[3] * eye.pupil_scale,
        eye.iris_depth,
        eye.pupil - eye.iris,
        nodes.pupil_x,
        nodes.pupil_weight,
        nodes.pupil_y,
        nodes.pupil_y_weight,
    )
    for s in range(len(out)):
        respond(patches, count, sensors, s, detector, emitter, values, work)
        total = _ZERO
        for i in range(count):
            total += values[i]
        out[s] += total
