"""The surfaces as height fields over the frontal plane, in head axes (mm); see `psog.sim.surfaces`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from psog.sim import anatomy
from psog.sim.population import Users

Columns = Mapping[str, Tensor]
"""Attributes of `psog.sim.population.Users` by name: (users,) each, or () for one user."""
ATTRIBUTES = (
    "eye_radius_mm",
    "cornea_radius_mm",
    "iris_radius_mm",
    "kappa_h_deg",
    "kappa_v_deg",
    "sclera",
    "iris",
    "pupil",
    "skin",
    "lid_upper_mm",
    "lid_lower_mm",
    "lid_upper_mm_per_deg",
    "lid_lower_mm_per_deg",
    "fissure_half_mm",
    "pupil_mm",
)
"""Those that readings depend on."""

_FORNIX_SLOPE = anatomy.FORNIX / math.sqrt(1 - anatomy.FORNIX**2)


class EyeShape(NamedTuple):
    """One user's eye; the fields are those of `psog.sim.surfaces.EyeShape`."""

    radius: Tensor
    cornea_radius: Tensor
    cornea_centre: Tensor
    limbus_depth: Tensor
    iris_depth: Tensor
    limbus_radius: Tensor
    pupil_scale: Tensor
    fissure_half: Tensor
    sclera: Tensor
    iris: Tensor
    pupil: Tensor
    skin: Tensor


class Look(NamedTuple):
    """Columns of eye states, any shape: optical axis, pupil diameter, lid margins."""

    x: Tensor
    y: Tensor
    z: Tensor
    pupil: Tensor
    upper: Tensor
    lower: Tensor


def user_columns(
    users: Users, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
) -> Columns:
    """The users' ATTRIBUTES as tensors, (users,) each."""
    return {name: torch.as_tensor(getattr(users, name), dtype=dtype, device=device) for name in ATTRIBUTES}


def eye_shape(user: Columns) -> EyeShape:
    """The shape that a user's attributes describe; differentiable in each of them."""
    radius, cornea, limbus = user["eye_radius_mm"], user["cornea_radius_mm"], user["iris_radius_mm"]
    to_limbus = (radius**2 - limbus**2).sqrt()
    centre = to_limbus - (cornea**2 - limbus**2).sqrt()
    n, depth = anatomy.REFRACTION_INDEX, anatomy.PUPIL_DEPTH_MM
    image_depth = 1 / (n / depth - (n - 1) / cornea)
    magnification = n * image_depth / depth
    brightness = magnification**2 * (1 - anatomy.CORNEA_REFLECTANCE) ** 2 / n**2
    steep = (limbus / cornea).asin()
    behind = depth - cornea + (cornea**2 - limbus**2).sqrt()
    met = limbus - behind * (steep - (steep.sin() / n).asin()).tan()
    iris = (limbus / (met * magnification)) ** 2
    return EyeShape(
        radius=radius,
        cornea_radius=cornea,
        cornea_centre=centre,
        limbus_depth=to_limbus,
        iris_depth=centre + cornea - image_depth,
        limbus_radius=limbus,
        pupil_scale=magnification / 2,
        fissure_half=user["fissure_half_mm"],
        sclera=user["sclera"],
        iris=user["iris"] * brightness * iris,
        pupil=user["pupil"] * brightness,
        skin=user["skin"],
    )


def look(states: Tensor) -> Look:
    """(..., 6) states with names."""
    return Look(*states.unbind(-1))


def between_lids(eye: EyeShape, now: Look, x: Tensor) -> tuple[Tensor, Tensor]:
    """Lower and upper end in y of the open eye at x (..., columns); upper <= lower where it is covered."""
    parabola = (1 - (x / eye.fissure_half) ** 2).clamp_min(0)
    return -now.lower[..., None] * parabola, now.upper[..., None] * parabola


def eyeball_height(radius: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
    """Height and slope dz/dr of a sphere at distance r from its axis; a tangent cone beyond the fornix."""
    edge = anatomy.FORNIX * radius
    inside = r < edge
    z = (radius**2 - torch.minimum(r, edge) ** 2).sqrt()
    cone = radius**2 / (radius**2 - edge**2).sqrt() - _FORNIX_SLOPE * r
    return torch.where(inside, z, cone), torch.where(inside, -r / z, -_FORNIX_SLOPE)


def skin_height(eye_radius: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
    """Height and slope dz/dr of lids and face: the smooth maximum of the lid shell and the face plane."""
    shell, slope = eyeball_height(eye_radius + anatomy.LID_THICKNESS_MM, r)
    above = shell - anatomy.FACE_HEIGHT_MM
    smooth = (above**2 + anatomy.FACE_BLEND_MM**2).sqrt()
    return (shell + anatomy.FACE_HEIGHT_MM + smooth) / 2, (1 + above / smooth) * slope / 2
