"""The lid margin: an edge with a height, seen and lit itself, and hiding what lies behind it; see
`sim/kernels/lid_edge.h`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from psog.sim import anatomy
from psog.sim.torch.lashes import past_lashes
from psog.sim.torch.nodes import Nodes
from psog.sim.torch.optics import Patches, Sensors, respond
from psog.sim.torch.surfaces import (
    EyeShape,
    Look,
    between_lids,
    fade,
    from_axis,
    iris_height,
    skin_height,
    sphere_height,
)
from psog.sim.torch.tables import on_iris, on_sclera

_INTO_STRIP = 0.4
_LIMBUS_BLUR_MM, _PUPIL_BLUR_MM = 1.0, 0.6


Lit = Callable[[Patches], Tensor]
"""Patches to what sensors receive from each."""


class Edge(NamedTuple):
    """Places on the edge of one lid, (n, columns) each."""

    x: Tensor
    y: Tensor
    z: Tensor
    side: float
    """+1 upper, -1 lower."""
    slope: Tensor
    rise: Tensor
    opening: Tensor
    width: Tensor


class Strip(NamedTuple):
    """What an edge hides per mm of width: light (n, columns, sensors), height of the edge above it and slope
    of the eye behind the edge (n, columns), and whether there is any."""

    light: Tensor
    height: Tensor
    away: Tensor
    there: Tensor


def edges(eye: EyeShape, now: Look, sensors: Sensors, nodes: Nodes, *, lashes: bool) -> Tensor:
    """(n, sensors) what the walls of both lids add, less what the strips behind them would have."""
    x = (nodes.edge_x * eye.fissure_half).expand(len(now.x), -1)
    low, high = between_lids(eye, now, x)
    width = torch.where(high > low, nodes.edge_weight * eye.fissure_half, 0.0)
    total = torch.zeros((), dtype=x.dtype, device=x.device)
    left = [(high - low)[..., None].clamp_min(0)] * 2
    for side, y, middle in ((1.0, high, now.upper), (-1.0, low, -now.lower)):
        slope = -2 * middle[:, None] * x / eye.fissure_half**2
        skin = skin_height(eye, x, y)
        edge = Edge(x, y, skin.z, side, slope, skin.x + slope * skin.y, (high - low).clamp_min(0), width)
        in_limbus = fade(eye.limbus_radius - from_axis(now, eye.limbus_depth, x, y), _LIMBUS_BLUR_MM)

        def lit(patches: Patches) -> Tensor:
            light = respond(patches, sensors)
            if lashes:
                light = light * past_lashes(eye, now, sensors, (patches.x, patches.y, patches.z))
            return light

        steep, over = look_over(sensors, edge)
        wall_height = (edge.z - eye_front(eye, now, edge, in_limbus)).clamp_min(1e-3)
        walls = lit(wall(eye, edge, wall_height)) * share_of_wall(sensors, edge, wall_height)
        total = total + walls.sum(-2)
        strips = (
            _sclera_strip(eye, edge, in_limbus, lit),
            _iris_strip(eye, now, edge, in_limbus, lit),
        )
        for kind, strip in enumerate(strips):
            behind = (
                strip.height[..., None, None]
                * over
                / (1 - strip.away[..., None, None] * steep).clamp_min(0.5)
            )
            hidden = torch.minimum(behind.amax(-2).clamp_min(0), left[kind])
            hidden = torch.where(strip.there[..., None], hidden, 0.0)
            left[kind] = left[kind] - hidden
            total = total - (strip.light * hidden).sum(-2)
    return total


def _sclera_strip(eye: EyeShape, edge: Edge, in_limbus: Tensor, lit: Lit) -> Strip:
    at = sphere_height(eye.radius, edge.x, edge.y)
    height = (edge.z - at.z).clamp_min(0)
    patches = on_sclera(eye, edge.x, _into(edge, height), edge.width * (1 - in_limbus))
    return Strip(lit(patches), height, edge.side * at.y, in_limbus < 1)


def _iris_strip(eye: EyeShape, now: Look, edge: Edge, in_limbus: Tensor, lit: Lit) -> Strip:
    height = (edge.z - iris_height(eye, now, edge.x, edge.y)).clamp_min(0)
    y = _into(edge, height)
    radius = (now.pupil * eye.pupil_scale)[:, None]
    in_pupil = fade(radius - from_axis(now, eye.iris_depth, edge.x, y), _PUPIL_BLUR_MM)
    reflectance = eye.iris + in_pupil * (eye.pupil - eye.iris)
    patches = on_iris(eye, now, edge.x, y, edge.width * in_limbus * reflectance)
    away = (-edge.side * now.y / now.z)[:, None].expand_as(y)
    return Strip(lit(patches), height, away, in_limbus > 0)


def _into(edge: Edge, height: Tensor) -> Tensor:
    """y at which a strip is looked at."""
    return edge.y - edge.side * torch.minimum(_INTO_STRIP * height, edge.opening / 2)


def eye_front(eye: EyeShape, now: Look, edge: Edge, in_limbus: Tensor) -> Tensor:
    """Height of eyeball or cornea, whichever is in front."""
    gx, gy, gz = now.x[:, None], now.y[:, None], now.z[:, None]
    dx, dy = edge.x - eye.cornea_centre * gx, edge.y - eye.cornea_centre * gy
    below = (eye.cornea_radius**2 - dx**2 - dy**2).clamp_min(1e-12)
    sclera = sphere_height(eye.radius, edge.x, edge.y).z
    return sclera + in_limbus * (eye.cornea_centre * gz + below.sqrt() - sclera).clamp_min(0)


def wall(eye: EyeShape, edge: Edge, height: Tensor) -> Patches:
    """The walls of an edge, of the given height."""
    stretch = (1 + edge.slope**2).sqrt()
    weight = edge.width * stretch * height * eye.skin * (1 + anatomy.BOUNCE_ON_EYE * eye.bounce) / math.pi
    across, upright = edge.side * edge.slope / stretch, -edge.side / stretch
    return Patches(edge.x, edge.y, edge.z - height / 2, across, upright, torch.zeros_like(edge.x), weight)


def share_of_wall(sensors: Sensors, edge: Edge, height: Tensor) -> Tensor:
    """(n, columns, sensors) how much of a wall is seen and lit past the other lid."""
    deep = [
        edge.opening[..., None]
        * (part[2] - edge.z[..., None])
        / (edge.side * (edge.y[..., None] - edge.side * edge.opening[..., None] - part[1])).clamp_min(1e-3)
        for part in (sensors.detector, sensors.emitter)
    ]
    return (torch.minimum(*deep) / height[..., None]).clamp_max(1)


def look_over(sensors: Sensors, edge: Edge) -> tuple[Tensor, Tensor]:
    """(n, columns, 2, sensors) slopes of detectors and emitters towards the edge's own lid, and the same
    where the straight line from the part crosses the edge."""
    part = torch.stack([sensors.detector, sensors.emitter], 1)  # (3, 2, sensors)
    x, y, z, slope, rise = (item[..., None, None] for item in (edge.x, edge.y, edge.z, edge.slope, edge.rise))
    flat = 1 / (part[2] - z)
    aside = (part[0] - x) * flat
    steep = edge.side * ((part[1] - y) * flat - slope * aside)
    return steep, steep / (1 - rise * aside).clamp_min(0.3)
