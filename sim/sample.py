"""Per sample: lids, limbus and pupil laid over the tables of one user and pose."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from psog.sim.compiled import kernel
from psog.sim.glint import add_glints
from psog.sim.optics import Patches, Sensors, add_responses, make_patches, sensors_in_head
from psog.sim.quadrature import DiscNodes, Nodes
from psog.sim.surfaces import EyeShape, Look, between_lids, eye_shape, look
from psog.sim.tables import Tables, add_at, add_sclera_at

_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_PER_PI = np.float32(1 / math.pi)


class Disc(NamedTuple):
    """A disc facing the optical axis, cut from the image of the iris plane."""

    radius: np.float32
    depth: np.float32
    """Of the centre of its outline along the optical axis, mm from the rotation centre."""
    reflectance: np.float32


class Chord(NamedTuple):
    """What a column shows of a disc's outline between the lids (mm); empty where high <= low."""

    x: np.float32
    low: np.float32
    high: np.float32
    half_width: np.float32
    """Of the outline: the weight of a column that has weight 1 in -1..1."""


@kernel
def render_samples(
    sensors: Sensors, nodes: Nodes, tables: Tables, states: np.ndarray, out: np.ndarray
) -> None:
    """out (n, sensors): irradiance (1/mm²) for eye states (n, 6); `sensors` in headset axes."""
    eye, placed = eye_shape(tables.eye), sensors_in_head(sensors, tables.pose)
    patches = make_patches(disc_points(nodes.limbus) + disc_points(nodes.pupil))
    for i in range(len(states)):
        now = look(states[i])
        for s in range(out.shape[1]):
            out[i, s] = tables.skin[s]
        add_aperture(eye, now, tables, nodes, out[i])
        remove_sclera(eye, now, tables, nodes.limbus, out[i])
        count = patch_iris(patches, eye, now, nodes)
        add_responses(patches, count, placed, out[i])
        add_glints(eye, now, placed, out[i])


@kernel
def disc_points(nodes: DiscNodes) -> int:
    """The most patches that the disc can take."""
    return len(nodes.x) * len(nodes.y)


@kernel
def add_aperture(eye: EyeShape, now: Look, tables: Tables, nodes: Nodes, out: np.ndarray) -> None:
    """Open the lids over sclera."""
    for k in range(len(nodes.aperture_x)):
        low, high = between_lids(eye, now, nodes.aperture_x[k] * eye.fissure_half)
        if high > low:
            add_at(tables.aperture[k], high, _ONE, out)
            add_at(tables.aperture[k], low, -_ONE, out)


@kernel
def remove_sclera(eye: EyeShape, now: Look, tables: Tables, nodes: DiscNodes, out: np.ndarray) -> None:
    """Take away the sclera where the cornea is."""
    limbus = Disc(eye.limbus_radius, eye.limbus_depth, _ONE)
    for k in range(len(nodes.x)):
        chord = disc_chord(eye, now, limbus, nodes.x[k])
        if chord.high > chord.low:
            weight = nodes.weight[k] * chord.half_width
            add_sclera_at(tables.sclera, (chord.x, chord.high), -weight, out)
            add_sclera_at(tables.sclera, (chord.x, chord.low), weight, out)


@kernel
def patch_iris(patches: Patches, eye: EyeShape, now: Look, nodes: Nodes) -> int:
    """Patches on the iris inside the limbus, and on the pupil that replaces it; returns their count."""
    iris = Disc(eye.limbus_radius, eye.limbus_depth, eye.iris)
    pupil = Disc(now.pupil * eye.pupil_scale, eye.iris_depth, eye.pupil - eye.iris)
    count = patch_disc(patches.geometry, 0, (eye, now, iris), nodes.limbus)
    return patch_disc(patches.geometry, count, (eye, now, pupil), nodes.pupil)


@kernel
def patch_disc(geometry: np.ndarray, first: int, what: tuple[EyeShape, Look, Disc], nodes: DiscNodes) -> int:
    """Patches on the seen part of a disc, from index `first`; returns the count including `first`."""
    eye, now, disc = what
    count = first
    for k in range(len(nodes.x)):
        chord = disc_chord(eye, now, disc, nodes.x[k])
        if chord.high > chord.low:
            half = _HALF * (chord.high - chord.low)
            middle = _HALF * (chord.high + chord.low)
            scale = nodes.weight[k] * chord.half_width * half * disc.reflectance
            for g in range(len(nodes.y)):
                y = middle + half * nodes.y[g]
                geometry[0, count], geometry[1, count] = chord.x, y
                geometry[2, count] = (eye.iris_depth - chord.x * now.x - y * now.y) / now.z
                geometry[3, count], geometry[4, count], geometry[5, count] = now.x, now.y, now.z
                geometry[6, count] = scale * nodes.y_weight[g] * _PER_PI / now.z
                count += 1
    return count


@kernel
def disc_chord(eye: EyeShape, now: Look, disc: Disc, t: np.float32) -> Chord:
    """A column through a disc seen from the front, at t (-1 to 1) across its outline.

    The outline is an ellipse with covariance radius² (1 - g gᵀ) about depth · g, g the optical axis.
    """
    spread = _ONE - now.x * now.x
    half_width = disc.radius * np.sqrt(spread)
    x = disc.depth * now.x + half_width * t
    middle = disc.depth * now.y - now.x * now.y / spread * half_width * t
    half_height = disc.radius * now.z / np.sqrt(spread) * np.sqrt(max(_ONE - t * t, _ZERO))
    low, high = between_lids(eye, now, x)
    return Chord(x, max(low, middle - half_height), min(high, middle + half_height), half_width)
