"""Per sample: lids, limbus and pupil laid over the tables of one user and pose; see `psog.sim.sample`."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from psog.sim.torch.glint import glints
from psog.sim.torch.nodes import DiscNodes, Nodes
from psog.sim.torch.optics import Patches, Sensors, respond, sensors_in_head
from psog.sim.torch.surfaces import EyeShape, Look, between_lids, look
from psog.sim.torch.tables import Tables, sclera_at, sums_at


class Disc(NamedTuple):
    """A disc facing the optical axis, cut from the image of the iris plane; () or (samples, 1) each."""

    radius: Tensor
    depth: Tensor
    reflectance: Tensor


class Chords(NamedTuple):
    """What columns show of a disc's outline between the lids (mm), (samples, columns)."""

    x: Tensor
    low: Tensor
    high: Tensor
    """Nowhere below `low`."""
    half_width: Tensor
    """(samples, 1) of the outline: the weight of a column that has weight 1 in -1..1."""


def render_samples(
    sensors: Sensors, nodes: Nodes, eye: EyeShape, pose: Tensor, *, tables: Tables, states: Tensor
) -> Tensor:
    """(n, sensors) irradiance (1/mm²) for eye states (n, 6) of one user and pose (4,)."""
    placed, now = sensors_in_head(sensors, pose), look(states)
    seen = tables.skin + aperture(eye, now, tables, nodes) - hidden_sclera(eye, now, tables, nodes.limbus)
    return seen + iris_and_pupil(eye, now, nodes, placed) + glints(eye, now, placed)


def aperture(eye: EyeShape, now: Look, tables: Tables, nodes: Nodes) -> Tensor:
    """(n, sensors) what opening the lids over sclera adds."""
    low, high = between_lids(eye, now, nodes.aperture_x * eye.fissure_half)
    high = torch.maximum(low, high)
    column = torch.arange(low.shape[-1], device=low.device).expand_as(low)
    return (sums_at(tables.aperture, column, high) - sums_at(tables.aperture, column, low)).sum(-2)


def hidden_sclera(eye: EyeShape, now: Look, tables: Tables, nodes: DiscNodes) -> Tensor:
    """(n, sensors) the sclera where the cornea is."""
    limbus = Disc(eye.limbus_radius, eye.limbus_depth, torch.ones_like(eye.sclera))
    chord = disc_chords(eye, now, limbus, nodes.x)
    column = sclera_at(tables.sclera, chord.x, chord.high) - sclera_at(tables.sclera, chord.x, chord.low)
    return ((nodes.weight * chord.half_width)[..., None] * column).sum(-2)


def iris_and_pupil(eye: EyeShape, now: Look, nodes: Nodes, sensors: Sensors) -> Tensor:
    """(n, sensors) from the iris inside the limbus, and from the pupil that replaces it."""
    iris = Disc(eye.limbus_radius, eye.limbus_depth, eye.iris)
    pupil = Disc((now.pupil * eye.pupil_scale)[..., None], eye.iris_depth, eye.pupil - eye.iris)
    seen = respond(patch_disc(eye, now, iris, nodes.limbus), sensors).sum((-3, -2))
    return seen + respond(patch_disc(eye, now, pupil, nodes.pupil), sensors).sum((-3, -2))


def patch_disc(eye: EyeShape, now: Look, disc: Disc, nodes: DiscNodes) -> Patches:
    """(n, columns, points) patches on the seen part of a disc."""
    chord = disc_chords(eye, now, disc, nodes.x)
    half, middle = (chord.high - chord.low) / 2, (chord.high + chord.low) / 2
    y = middle[..., None] + half[..., None] * nodes.y
    x = chord.x[..., None].expand_as(y)
    gx, gy, gz = (axis[:, None, None].expand_as(y) for axis in (now.x, now.y, now.z))
    scale = nodes.weight * chord.half_width * half * disc.reflectance
    z = (eye.iris_depth - x * gx - y * gy) / gz
    return Patches(x, y, z, gx, gy, gz, scale[..., None] * nodes.y_weight / (math.pi * gz))


def disc_chords(eye: EyeShape, now: Look, disc: Disc, t: Tensor) -> Chords:
    """Columns through a disc seen from the front, at t (columns,) from -1 to 1 across its outline."""
    x, y, z = now.x[:, None], now.y[:, None], now.z[:, None]
    spread = 1 - x * x
    half_width = disc.radius * spread.sqrt()
    at = disc.depth * x + half_width * t
    middle = disc.depth * y - x * y / spread * half_width * t
    half_height = disc.radius * z / spread.sqrt() * (1 - t * t).clamp_min(0).sqrt()
    low, high = between_lids(eye, now, at)
    low, high = torch.maximum(low, middle - half_height), torch.minimum(high, middle + half_height)
    return Chords(at, low, torch.maximum(low, high), half_width)
