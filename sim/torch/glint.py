"""The glints: mirror images of the emitters in cornea and wet sclera; see `sim/kernels/glint.h`."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from psog.sim import anatomy
from psog.sim.torch.optics import Sensors, response
from psog.sim.torch.surfaces import EyeShape, Look, between_lids, fade

_GRAZING, _STEPS = 0.05, 4


def fresnel(index: float, cosine: Tensor) -> Tensor:
    """Share of unpolarised light that a surface reflects at an angle of incidence."""
    inside = (1 - (1 - cosine * cosine) / index**2).sqrt()
    across = (cosine - index * inside) / (cosine + index * inside)
    along = (inside - index * cosine) / (inside + index * cosine)
    return (across**2 + along**2) / 2


class Mirror(NamedTuple):
    """A reflecting sphere: centre (n, 1, 3), radius, cosine between optical axis and normal at the limbus,
    +1 where it ends there or -1 where it begins, and index of refraction."""

    centre: Tensor
    radius: Tensor
    border: Tensor
    inside: float
    refraction: float


def glints(eye: EyeShape, now: Look, sensors: Sensors, *, tear_film: bool) -> Tensor:
    """(n, sensors) what each detector receives from the mirror images of the emitters it sees (1/mm²)."""
    axis = torch.stack([now.x, now.y, now.z], -1)[:, None, :]
    cornea_border = (eye.limbus_depth - eye.cornea_centre) / eye.cornea_radius
    index = anatomy.TEAR_INDEX if tear_film else anatomy.CORNEA_INDEX
    mirrors = [Mirror(eye.cornea_centre * axis, eye.cornea_radius, cornea_border, 1.0, index)]
    if tear_film:
        border = eye.limbus_depth / eye.radius
        mirrors.append(Mirror(0 * axis, eye.radius, border, -1.0, anatomy.TEAR_INDEX))
    count = sensors.detector.shape[1]
    own = torch.arange(count, device=axis.device)
    found = torch.zeros((), dtype=axis.dtype, device=axis.device)
    for step in range(count if sensors.mixing is not None else 1):
        other = (own + step) % count
        share = 1.0 if sensors.mixing is None else sensors.mixing[own, other]
        if isinstance(share, Tensor) and not bool(share.any()):
            continue
        for mirror in mirrors:
            found = found + share * mirrored(eye, now, sensors, mirror, other)
    return found


def mirrored(eye: EyeShape, now: Look, sensors: Sensors, mirror: Mirror, other: Tensor) -> Tensor:
    """(n, sensors) from one emitter (its index in `other`) for each detector, by way of one mirror."""
    axis = torch.stack([now.x, now.y, now.z], -1)[:, None, :]  # (n, 1, 3); everything below (n, sensors, 3)
    detector, emitter = sensors.detector.T, sensors.emitter.T[other]
    normal = axis.expand(-1, len(detector), -1)
    for _ in range(_STEPS):
        point = mirror.centre + mirror.radius * normal
        v, w = detector - point, emitter - point
        half = v / v.norm(dim=-1, keepdim=True) + w / w.norm(dim=-1, keepdim=True)
        normal = half / half.norm(dim=-1, keepdim=True)
    point = mirror.centre + mirror.radius * normal
    v, w = detector - point, emitter - point
    l1, l2 = v.norm(dim=-1), w.norm(dim=-1)
    cosine = ((v * normal).sum(-1) / l1).clamp_min(_GRAZING)
    path, product = l1 + l2, 2 * l1 * l2 / mirror.radius
    spread = (path + product / cosine) * (path + product * cosine)
    along = (normal * axis).sum(-1)
    seen = fade((along - mirror.border) * mirror.radius * mirror.inside, anatomy.GLINT_LIMBUS_BLUR_MM)
    seen = seen * between_seen(eye, now, point[..., 0], point[..., 1])
    off_detector = -(sensors.detector_aim.T * v).sum(-1) / l1
    off_emitter = -(sensors.emitter_aim.T[other] * w).sum(-1) / l2
    lobes = response(off_detector**2, sensors.detector_lobe) * response(off_emitter**2, sensors.emitter_lobe)
    if sensors.detector_gain is not None and sensors.emitter_gain is not None:
        lobes = lobes * sensors.detector_gain * sensors.emitter_gain[other]
    lit = torch.minimum(off_detector, off_emitter) > 0
    return torch.where(lit, fresnel(mirror.refraction, cosine) * seen * lobes / spread, 0.0)


def between_seen(eye: EyeShape, now: Look, x: Tensor, y: Tensor) -> Tensor:
    """How far points lie between the lids, with soft edges; a shut lid has none to see between."""
    low, high = between_lids(eye, now, x)
    blur = anatomy.GLINT_LID_BLUR_MM
    return fade(high - y, blur) * fade(y - low, blur) * ((high - low) / blur).clamp(0, 1)
