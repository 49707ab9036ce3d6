"""The upper lashes: a curtain before the eye that takes some light; see `sim/kernels/lashes.h`."""

from __future__ import annotations

import math

from torch import Tensor, where

from psog.sim import anatomy
from psog.sim.torch.optics import Sensors
from psog.sim.torch.surfaces import EyeShape, Look, between_lids, skin_height


def past_lashes(eye: EyeShape, now: Look, sensors: Sensors, at: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """(n, columns, sensors) share of light that passes from emitters to points (n, columns) on the eye and on
    to detectors."""
    x, y, z = at
    root_y = between_lids(eye, now, x)[1]
    root_z = skin_height(eye, x, root_y).z
    both = [
        _past(eye, root_y - y, root_z - z, part[1] - y[..., None], part[2] - z[..., None])
        for part in (sensors.detector, sensors.emitter)
    ]
    return both[0] * both[1]


def _past(eye: EyeShape, root_y: Tensor, root_z: Tensor, part_y: Tensor, part_z: Tensor) -> Tensor:
    """Towards one end; all places seen from the point on the eye."""
    reach = math.sqrt(1 - anatomy.LASH_RISE**2)
    slope = part_y / part_z
    steeper = slope * reach - anatomy.LASH_RISE
    crossing = (root_y[..., None] - slope * root_z[..., None]) / (steeper * eye.lash_length).clamp_min(1e-6)
    return where(steeper > 0, 1 - eye.lash_density * (1 - crossing).clamp(0, 1), 1.0)
