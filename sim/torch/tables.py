"""Per user and pose: what does not change when the eye rotates, summed once; see `sim/kernels/tables.h`."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from psog.sim import anatomy
from psog.sim.quadrature import ROW_LIMIT_MM, SCLERA_LIMIT_MM
from psog.sim.torch.nodes import Nodes
from psog.sim.torch.optics import Patches, Sensors, respond
from psog.sim.torch.surfaces import (
    EyeShape,
    Height,
    Look,
    iris_height,
    seen_skin,
    skin_height,
    sphere_height,
)


class Tables(NamedTuple):
    """One user and pose; sums in 1/mm² as in `struct tables` of the kernels."""

    skin: Tensor
    """(sensors,)"""
    aperture: Tensor
    """(aperture columns, rows + 1, sensors) sclera"""
    covered: Tensor
    """(aperture columns, rows + 1, sensors) the skin that an open lid takes away"""
    sclera: Tensor
    """(sclera columns, rows + 1, sensors)"""


def prepare(sensors: Sensors, nodes: Nodes, eye: EyeShape) -> Tables:
    """The tables of one user and pose; `sensors` in head axes."""
    x, y, area = aperture_cells(eye, nodes)
    return Tables(
        sum_skin(eye, sensors, nodes),
        accumulate(respond(on_sclera(eye, x, y, area), sensors)),
        accumulate(respond(on_skin(eye, x, y, area), sensors)),
        fill_sclera(eye, sensors, nodes),
    )


def on_height(x: Tensor, y: Tensor, at: Height, scale: Tensor) -> Patches:
    """Patches on a height field; `scale` is reflectance times area of the frontal plane."""
    stretch = (1 + at.x**2 + at.y**2).sqrt()
    return Patches(x, y, at.z, -at.x / stretch, -at.y / stretch, 1 / stretch, scale * stretch / math.pi)


def on_sclera(eye: EyeShape, x: Tensor, y: Tensor, area: Tensor) -> Patches:
    """Patches on the eyeball, above `area` mm² of the frontal plane each."""
    return on_height(x, y, sphere_height(eye.radius, x, y), area * eye.sclera)


def on_skin(eye: EyeShape, x: Tensor, y: Tensor, area: Tensor) -> Patches:
    """Patches on lids or face, above `area` mm² of the frontal plane each."""
    more = 1 + anatomy.BOUNCE_ON_SKIN * eye.bounce * seen_skin(eye, x, y)
    return on_height(x, y, skin_height(eye, x, y), area * eye.skin * more)


def on_iris(eye: EyeShape, now: Look, x: Tensor, y: Tensor, scale: Tensor) -> Patches:
    """Patches in the image of the iris plane at (n, …) points."""
    gx, gy, gz = (column.view(-1, *[1] * (x.ndim - 1)).expand_as(x) for column in (now.x, now.y, now.z))
    return Patches(x, y, iris_height(eye, now, x, y), gx, gy, gz, scale / (math.pi * gz))


def sum_skin(eye: EyeShape, sensors: Sensors, nodes: Nodes) -> Tensor:
    """(sensors,) everything reflected by closed lids and face."""
    r = nodes.skin_r[:, None]
    x, y = r * nodes.skin_cos, r * nodes.skin_sin
    return respond(on_skin(eye, x, y, nodes.skin_weight[:, None].expand_as(x)), sensors).sum((0, 1))


def row_height(rows: int) -> float:
    """Of a row of the running sums, mm."""
    return 2 * ROW_LIMIT_MM / rows


def row_middles(nodes: Nodes) -> Tensor:
    """(rows,) y of the middle of each row, mm."""
    like = nodes.aperture_x
    steps = torch.arange(nodes.rows, dtype=like.dtype, device=like.device)
    return -ROW_LIMIT_MM + (steps + 0.5) * row_height(nodes.rows)


def aperture_cells(eye: EyeShape, nodes: Nodes) -> tuple[Tensor, Tensor, Tensor]:
    """x, y (mm) and area (mm²) of the cells of the open eye, (aperture columns, rows) each."""
    y = row_middles(nodes)[None, :]
    x = (nodes.aperture_x * eye.fissure_half)[:, None].expand(-1, y.shape[1])
    area = (nodes.aperture_weight * eye.fissure_half * row_height(nodes.rows))[:, None]
    return x, y.expand_as(x), area.expand_as(x)


def fill_sclera(eye: EyeShape, sensors: Sensors, nodes: Nodes) -> Tensor:
    """(sclera columns, rows + 1, sensors): see `Tables`."""
    y = row_middles(nodes)[None, :].expand(len(nodes.sclera_x), -1)
    x = nodes.sclera_x[:, None].expand_as(y)
    area = torch.full_like(x, row_height(nodes.rows))
    return accumulate(respond(on_sclera(eye, x, y, area), sensors))


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
