"""Per user and pose: what does not change when the eye rotates, summed once; see `psog.sim.tables`."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from psog.sim.quadrature import ROW_LIMIT_MM, SCLERA_LIMIT_MM
from psog.sim.torch.nodes import Nodes
from psog.sim.torch.optics import Patches, Sensors, respond, sensors_in_head
from psog.sim.torch.surfaces import EyeShape, eyeball_height, skin_height

_TINY = 1e-9


class Tables(NamedTuple):
    """One user and pose; sums in 1/mm² as in `psog.sim.tables.Tables`."""

    skin: Tensor
    """(sensors,)"""
    aperture: Tensor
    """(aperture columns, rows + 1, sensors)"""
    sclera: Tensor
    """(sclera columns, rows + 1, sensors)"""


def prepare(sensors: Sensors, nodes: Nodes, eye: EyeShape, pose: Tensor) -> Tables:
    """The tables of one user and pose (4,); `sensors` in headset axes."""
    placed = sensors_in_head(sensors, pose)
    return Tables(
        sum_skin(eye, placed, nodes), fill_aperture(eye, placed, nodes), fill_sclera(eye, placed, nodes)
    )


def put_height(x: Tensor, y: Tensor, height_and_slope: tuple[Tensor, Tensor], scale: Tensor) -> Patches:
    """Patches on a surface of revolution; `scale` is reflectance times area of the frontal plane."""
    z, slope = height_and_slope
    stretch = (1 + slope * slope).sqrt()
    tilt = -slope / (stretch * (x * x + y * y).sqrt().clamp_min(_TINY))
    return Patches(x, y, z, tilt * x, tilt * y, 1 / stretch, scale * stretch / math.pi)


def put_sclera(eye: EyeShape, x: Tensor, y: Tensor, area: Tensor) -> Patches:
    """Patches on the eyeball, above `area` mm² of the frontal plane each."""
    return put_height(x, y, eyeball_height(eye.radius, (x * x + y * y).sqrt()), area * eye.sclera)


def put_skin(eye: EyeShape, x: Tensor, y: Tensor, area: Tensor) -> Patches:
    """Patches on lids or face, above `area` mm² of the frontal plane each."""
    return put_height(x, y, skin_height(eye.radius, (x * x + y * y).sqrt()), area * eye.skin)


def sum_skin(eye: EyeShape, sensors: Sensors, nodes: Nodes) -> Tensor:
    """(sensors,) everything reflected by closed lids and face."""
    r = nodes.skin_r[:, None]
    x, y = r * nodes.skin_cos, r * nodes.skin_sin
    return respond(put_skin(eye, x, y, nodes.skin_weight[:, None].expand_as(x)), sensors).sum((0, 1))


def row_height(rows: int) -> float:
    """Of a row of the running sums, mm."""
    return 2 * ROW_LIMIT_MM / rows


def row_middles(nodes: Nodes) -> Tensor:
    """(rows,) y of the middle of each row, mm."""
    like = nodes.aperture_x
    steps = torch.arange(nodes.rows, dtype=like.dtype, device=like.device)
    return -ROW_LIMIT_MM + (steps + 0.5) * row_height(nodes.rows)


def fill_aperture(eye: EyeShape, sensors: Sensors, nodes: Nodes) -> Tensor:
    """(aperture columns, rows + 1, sensors): see `psog.sim.tables.Tables`."""
    y = row_middles(nodes)[None, :]
    x = (nodes.aperture_x * eye.fissure_half)[:, None].expand(-1, y.shape[1])
    area = (nodes.aperture_weight * eye.fissure_half * row_height(nodes.rows))[:, None]
    y = y.expand_as(x)
    opened = respond(put_sclera(eye, x, y, area), sensors) - respond(put_skin(eye, x, y, area), sensors)
    return accumulate(opened)


def fill_sclera(eye: EyeShape, sensors: Sensors, nodes: Nodes) -> Tensor:
    """(sclera columns, rows + 1, sensors): see `psog.sim.tables.Tables`."""
    y = row_middles(nodes)[None, :].expand(len(nodes.sclera_x), -1)
    x = nodes.sclera_x[:, None].expand_as(y)
    area = torch.full_like(x, row_height(nodes.rows))
    return accumulate(respond(put_sclera(eye, x, y, area), sensors))


def accumulate(values: Tensor) -> Tensor:
    """(columns, rows, sensors) to running sums (columns, rows + 1, sensors) that begin with zero."""
    return torch.cat([torch.zeros_like(values[:, :1]), values.cumsum(1)], 1)


def sums_at(tables: Tensor, column: Tensor, y: Tensor) -> Tensor:
    """(..., sensors) running sums of `column` (...) at heights y (...), linear between rows."""
    rows = tables.shape[1] - 1
    at = (y + ROW_LIMIT_MM) / row_height(rows)
    j = at.detach().long().clamp(0, rows - 1)
    above = (at - j)[..., None]
    return (1 - above) * tables[column, j] + above * tables[column, j + 1]


def sclera_at(sclera: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(..., sensors) running sums at (x, y), linear between columns and rows."""
    columns = sclera.shape[0] - 1
    at = (x + SCLERA_LIMIT_MM) * (columns / (2 * SCLERA_LIMIT_MM))
    k = at.detach().long().clamp(0, columns - 1)
    right = (at - k)[..., None]
    return (1 - right) * sums_at(sclera, k, y) + right * sums_at(sclera, k + 1, y)
