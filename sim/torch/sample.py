"""Per sample: lids, limbus and pupil laid over the tables of a user and pose; see `sim/kernels/render.c`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from psog.sim.effects import Effects
from psog.sim.torch.glint import glints
from psog.sim.torch.lashes import past_lashes
from psog.sim.torch.lid_edge import edges
from psog.sim.torch.nodes import DiscNodes, Nodes
from psog.sim.torch.optics import Patches, Sensors, respond
from psog.sim.torch.surfaces import EyeShape, Look, between_lids, iris_height, look, sphere_height
from psog.sim.torch.tables import Tables, on_iris, sclera_at, sums_at

Dimmed = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""What passes the lashes of values (n, columns, sensors) at x, y, z (n, columns)."""


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
    sensors: Sensors, nodes: Nodes, eye: EyeShape, effects: Effects, *, tables: Tables, states: Tensor
) -> Tensor:
    """(n, sensors) irradiance (1/mm²) for eye states (n, 6) of one user; `sensors` in head axes."""
    now = look(states)

    def dimmed(values: Tensor, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """Columns with their middles at these points, past the lashes."""
        return values * past_lashes(eye, now, sensors, (x, y, z)) if effects.lashes else values

    seen = tables.skin + opened(eye, now, tables, nodes, dimmed)
    seen = (
        seen
        + iris(eye, now, tables, nodes, sensors=sensors, dimmed=dimmed)
        + pupil(eye, now, nodes, sensors, dimmed)
    )
    if effects.lid_margin:
        seen = seen + edges(eye, now, sensors, nodes, lashes=effects.lashes)
    return seen + glints(eye, now, sensors, tear_film=effects.tear_film)


def opened(eye: EyeShape, now: Look, tables: Tables, nodes: Nodes, dimmed: Dimmed) -> Tensor:
    """(n, sensors) what opening the lids adds: sclera in place of skin."""
    x = nodes.aperture_x * eye.fissure_half
    low, high = between_lids(eye, now, x)
    high = torch.maximum(low, high)
    x = x.expand_as(low)
    column = torch.arange(low.shape[-1], device=low.device).expand_as(low)
    shown, covered = (
        sums_at(table, column, high) - sums_at(table, column, low)
        for table in (tables.aperture, tables.covered)
    )
    middle = (low + high) / 2
    shown = dimmed(shown, x, middle, sphere_height(eye.radius, x, middle).z)
    return (shown - covered).sum(-2)


def iris(
    eye: EyeShape, now: Look, tables: Tables, nodes: Nodes, *, sensors: Sensors, dimmed: Dimmed
) -> Tensor:
    """(n, sensors) iris in place of sclera inside the limbus."""
    disc = Disc(eye.limbus_radius, eye.limbus_depth, eye.iris)
    chord = disc_chords(eye, now, disc, nodes.limbus.x)
    hidden = sclera_at(tables.sclera, chord.x, chord.high) - sclera_at(tables.sclera, chord.x, chord.low)
    values = respond(patch_disc(eye, now, disc, nodes.limbus), sensors).sum(-2)
    values = values - (nodes.limbus.weight * chord.half_width)[..., None] * hidden
    middle = (chord.low + chord.high) / 2
    return dimmed(values, chord.x, middle, iris_height(eye, now, chord.x, middle)).sum(-2)


def pupil(eye: EyeShape, now: Look, nodes: Nodes, sensors: Sensors, dimmed: Dimmed) -> Tensor:
    """(n, sensors) pupil in place of iris; the lashes count as at the patch in the middle of the list."""
    disc = Disc((now.pupil * eye.pupil_scale)[..., None], eye.iris_depth, eye.pupil - eye.iris)
    patches = patch_disc(eye, now, disc, nodes.pupil)
    values = respond(patches, sensors).sum((-3, -2))
    chord, points = disc_chords(eye, now, disc, nodes.pupil.x), len(nodes.pupil.y)
    seen = chord.high > chord.low
    middle = seen.sum(-1, keepdim=True) * points // 2
    column = ((seen.cumsum(-1) == middle // points + 1) & seen).to(torch.uint8).argmax(-1, keepdim=True)
    at = column * points + middle % points
    x, y, z = (torch.gather(item.flatten(-2), -1, at) for item in patches[:3])
    return dimmed(values[:, None], x, y, z)[:, 0]


def patch_disc(eye: EyeShape, now: Look, disc: Disc, nodes: DiscNodes) -> Patches:
    """(n, columns, points) patches on the seen part of a disc."""
    chord = disc_chords(eye, now, disc, nodes.x)
    half, middle = (chord.high - chord.low) / 2, (chord.high + chord.low) / 2
    y = middle[..., None] + half[..., None] * nodes.y
    scale = nodes.weight * chord.half_width * half * disc.reflectance
    return on_iris(eye, now, chord.x[..., None].expand_as(y), y, scale[..., None] * nodes.y_weight)


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
