"""The corneal glint: each emitter's mirror image in the cornea; see `sim/kernels/glint.h`."""

from __future__ import annotations

import torch
from torch import Tensor

from psog.sim import anatomy
from psog.sim.torch.optics import Sensors, response
from psog.sim.torch.surfaces import EyeShape, Look, between_lids

_GRAZING, _STEPS = 0.05, 4


def fade(distance: Tensor, blur: float) -> Tensor:
    """1 inside an edge, 0 outside, linear over `blur`."""
    return (0.5 + distance / blur).clamp(0, 1)


def fresnel(index: float, cosine: Tensor) -> Tensor:
    """Share of unpolarised light that a surface reflects at an angle of incidence."""
    inside = (1 - (1 - cosine * cosine) / index**2).sqrt()
    across = (cosine - index * inside) / (cosine + index * inside)
    along = (inside - index * cosine) / (inside + index * cosine)
    return (across**2 + along**2) / 2


def glints(eye: EyeShape, now: Look, sensors: Sensors) -> Tensor:
    """(n, sensors) what each detector receives from the mirror images of the emitters it sees (1/mm²)."""
    if sensors.mixing is None:
        return _glints(eye, now, sensors, sensors.emitter, sensors.emitter_aim)
    count = sensors.detector.shape[1]
    own = torch.arange(count, device=sensors.mixing.device)
    found = torch.zeros((), dtype=sensors.mixing.dtype, device=sensors.mixing.device)
    for step in range(count):
        other = (own + step) % count
        share = sensors.mixing[own, other]
        if bool(share.any()):
            emitter, aim = sensors.emitter[:, other], sensors.emitter_aim[:, other]
            found = found + share * _glints(eye, now, sensors, emitter, aim)
    return found


def _glints(eye: EyeShape, now: Look, sensors: Sensors, emitter: Tensor, emitter_aim: Tensor) -> Tensor:
    """(n, sensors) from one emitter for each detector, (3, sensors) places and aims."""
    axis = torch.stack([now.x, now.y, now.z], -1)[:, None, :]  # (n, 1, 3); everything below (n, sensors, 3)
    detector, emitter = sensors.detector.T, emitter.T
    radius, centre = eye.cornea_radius, eye.cornea_centre * axis
    normal = axis.expand(-1, len(detector), -1)
    for _ in range(_STEPS):
        point = centre + radius * normal
        v, w = detector - point, emitter - point
        half = v / v.norm(dim=-1, keepdim=True) + w / w.norm(dim=-1, keepdim=True)
        normal = half / half.norm(dim=-1, keepdim=True)
    point = centre + radius * normal
    v, w = detector - point, emitter - point
    l1, l2 = v.norm(dim=-1), w.norm(dim=-1)
    cosine = ((v * normal).sum(-1) / l1).clamp_min(_GRAZING)
    path, product = l1 + l2, 2 * l1 * l2 / radius
    spread = (path + product / cosine) * (path + product * cosine)
    low, high = between_lids(eye, now, point[..., 0])
    limbus_cos = (eye.limbus_depth - eye.cornea_centre) / radius
    seen = fade(((normal * axis).sum(-1) - limbus_cos) * radius, anatomy.GLINT_LIMBUS_BLUR_MM)
    lid = anatomy.GLINT_LID_BLUR_MM
    seen = seen * fade(high - point[..., 1], lid) * fade(point[..., 1] - low, lid)
    seen = seen * ((high - low) / lid).clamp(0, 1)
    off_detector = -(sensors.detector_aim.T * v).sum(-1) / l1
    off_emitter = -(emitter_aim.T * w).sum(-1) / l2
    lobes = response(off_detector**2, sensors.detector_lobe) * response(off_emitter**2, sensors.emitter_lobe)
    lit = torch.minimum(off_detector, off_emitter) > 0
    return torch.where(lit, fresnel(anatomy.CORNEA_INDEX, cosine) * seen * lobes / spread, 0.0)
