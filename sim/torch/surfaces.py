"""The surfaces as height fields over the frontal plane, in head axes (mm); see `sim/kernels/surfaces.h`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from psog.sim import anatomy
from psog.sim.effects import Effects
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
"""Those that readings depend on to first order."""
_OF_EFFECTS = {
    "lashes": ("lash_density", "lash_length_mm"),
    "skin_relief": ("face_tilt_h", "face_tilt_v", "relief_mm", "relief_phase", "crease_mm"),
    "spectacles": ("lens_dioptre",),
}
"""And those that effects bring in."""

_TINY = 1e-6
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
    tilt_x: Tensor
    tilt_y: Tensor
    relief: Tensor
    bump_x: Tensor
    bump_y: Tensor
    hollow_x: Tensor
    hollow_y: Tensor
    crease_y: Tensor
    crease_depth: Tensor
    lash_density: Tensor
    lash_length: Tensor
    lens_power: Tensor
    bounce: Tensor


class Height(NamedTuple):
    """A height (mm) and its slopes dz/dx and dz/dy, of one shape."""

    z: Tensor
    x: Tensor
    y: Tensor


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
    """The users' attributes as tensors, (users,) each."""
    names = (*attributes(Effects()), "side")
    return {name: torch.as_tensor(getattr(users, name), dtype=dtype, device=device) for name in names}


def attributes(effects: Effects) -> tuple[str, ...]:
    """The attributes that readings depend on, but for the side, which is known."""
    return ATTRIBUTES + tuple(
        name for effect, names in _OF_EFFECTS.items() if getattr(effects, effect) for name in names
    )


def eye_shape(user: Columns, effects: Effects) -> EyeShape:
    """The shape that a user's attributes describe; differentiable in each of them."""
    radius, cornea, limbus = user["eye_radius_mm"], user["cornea_radius_mm"], user["iris_radius_mm"]
    none = torch.zeros_like(radius)
    to_limbus = (radius**2 - limbus**2).sqrt()
    centre = to_limbus - (cornea**2 - limbus**2).sqrt()
    n, depth = anatomy.REFRACTION_INDEX, anatomy.PUPIL_DEPTH_MM
    image_depth = 1 / (n / depth - (n - 1) / cornea)
    magnification = n * image_depth / depth
    bounce = user["skin"] if effects.interreflection else none
    on_eye = 1 + anatomy.BOUNCE_ON_EYE * bounce
    brightness = magnification**2 * (1 - anatomy.CORNEA_REFLECTANCE) ** 2 / n**2 * on_eye
    bump = 2 * math.pi * user["relief_phase"]
    hollow = bump + anatomy.RELIEF_APART_RAD
    folded = torch.where(user["crease_mm"] > 0, torch.full_like(none, anatomy.CREASE_DEPTH_MM), none)
    return EyeShape(
        radius=radius,
        cornea_radius=cornea,
        cornea_centre=centre,
        limbus_depth=to_limbus,
        iris_depth=centre + cornea - image_depth,
        limbus_radius=limbus,
        pupil_scale=magnification / 2,
        fissure_half=user["fissure_half_mm"],
        sclera=user["sclera"] * on_eye,
        iris=user["iris"] * brightness * iris_share(cornea, limbus, magnification),
        pupil=user["pupil"] * brightness,
        skin=user["skin"],
        tilt_x=user["face_tilt_h"] if effects.skin_relief else none,
        tilt_y=user["face_tilt_v"] if effects.skin_relief else none,
        relief=user["relief_mm"] if effects.skin_relief else none,
        bump_x=user["side"] * anatomy.RELIEF_AT_MM * bump.cos(),
        bump_y=anatomy.RELIEF_AT_MM * bump.sin(),
        hollow_x=user["side"] * anatomy.RELIEF_AT_MM * hollow.cos(),
        hollow_y=anatomy.RELIEF_AT_MM * hollow.sin(),
        crease_y=user["lid_upper_mm"] + user["crease_mm"],
        crease_depth=folded if effects.skin_relief else none,
        lash_density=user["lash_density"] if effects.lashes else none,
        lash_length=user["lash_length_mm"],
        lens_power=1e-3 * user["lens_dioptre"] if effects.spectacles else none,
        bounce=bounce,
    )


def iris_share(cornea: Tensor, limbus: Tensor, magnification: Tensor) -> Tensor:
    """As `psog.sim.anatomy.iris_share`."""
    steep = (limbus / cornea).asin()
    behind = anatomy.PUPIL_DEPTH_MM - cornea + (cornea**2 - limbus**2).sqrt()
    met = limbus - behind * (steep - (steep.sin() / anatomy.REFRACTION_INDEX).asin()).tan()
    return (limbus / (met * magnification)) ** 2


def look(states: Tensor) -> Look:
    """(..., 6) states with names."""
    return Look(*states.unbind(-1))


def between_lids(eye: EyeShape, now: Look, x: Tensor) -> tuple[Tensor, Tensor]:
    """Lower and upper end in y of the open eye at x (..., columns); upper <= lower where it is covered."""
    parabola = (1 - (x / eye.fissure_half) ** 2).clamp_min(0)
    return -now.lower[..., None] * parabola, now.upper[..., None] * parabola


def sphere_height(radius: Tensor, x: Tensor, y: Tensor) -> Height:
    """A sphere, continued by a tangent cone beyond the fornix."""
    r = (x * x + y * y).clamp_min(_TINY**2).sqrt()
    edge = anatomy.FORNIX * radius
    z = (radius**2 - torch.minimum(r, edge) ** 2).sqrt()
    cone = radius**2 / (radius**2 - edge**2).sqrt() - _FORNIX_SLOPE * r
    steep = torch.where(r < edge, -1 / z, -_FORNIX_SLOPE / r)
    return Height(torch.where(r < edge, z, cone), steep * x, steep * y)


def skin_height(eye: EyeShape, x: Tensor, y: Tensor) -> Height:
    """Lids and face: the smooth maximum of the lid shell and the face plane, with relief and crease."""
    shell = sphere_height(eye.radius + anatomy.LID_THICKNESS_MM, x, y)
    face = anatomy.FACE_HEIGHT_MM + eye.tilt_x * x + eye.tilt_y * y
    above = shell.z - face
    smooth = (above**2 + anatomy.FACE_BLEND_MM**2).sqrt()
    share = (1 + above / smooth) / 2
    up, down = bump(x - eye.bump_x, y - eye.bump_y), bump(x - eye.hollow_x, y - eye.hollow_y)
    fold = crease(eye, x, y)
    return Height(
        (shell.z + face + smooth) / 2 + eye.relief * (up.z - down.z) - fold.z,
        share * shell.x + (1 - share) * eye.tilt_x + eye.relief * (up.x - down.x) - fold.x,
        share * shell.y + (1 - share) * eye.tilt_y + eye.relief * (up.y - down.y) - fold.y,
    )


def bump(x: Tensor, y: Tensor) -> Height:
    """A round bump of height 1 at the origin."""
    per2 = 1 / anatomy.RELIEF_WIDTH_MM**2
    inverse = 1 / (1 + (x * x + y * y) * per2)
    steep = -4 * per2 * inverse**3
    return Height(inverse**2, steep * x, steep * y)


def crease(eye: EyeShape, x: Tensor, y: Tensor) -> Height:
    """How deep the skin is folded in above the upper lid, along a parabola that ends above the canthi."""
    per2 = 1 / eye.fissure_half**2
    bend = eye.crease_y * per2
    between = (1 - x * x * per2).clamp_min(0)
    depth = eye.crease_depth * between**2
    away = (y - eye.crease_y + bend * x * x) / anatomy.CREASE_WIDTH_MM
    inverse = 1 / (1 + away**2)
    steep = -4 * depth / anatomy.CREASE_WIDTH_MM * away * inverse**3
    fading = -4 * eye.crease_depth * between * x * per2 * inverse**2
    return Height(depth * inverse**2, steep * bend * 2 * x + fading, steep)


def seen_skin(eye: EyeShape, x: Tensor, y: Tensor) -> Tensor:
    """Share of its surroundings that a point of the skin sees filled with skin."""
    r = (x * x + y * y).clamp_min(_TINY**2).sqrt()
    r = r * anatomy.NOMINAL_SHELL_MM / (eye.radius + anatomy.LID_THICKNESS_MM)
    in_crease = (r - anatomy.SEEN_CREASE_AT_MM) / anatomy.SEEN_CREASE_WIDTH_MM
    on_face = (r - anatomy.SEEN_FACE_AT_MM) / anatomy.SEEN_FACE_WIDTH_MM
    return anatomy.SEEN_CREASE / (1 + in_crease**2) ** 2 + anatomy.SEEN_FACE / (1 + on_face**2) ** 2


def iris_height(eye: EyeShape, now: Look, x: Tensor, y: Tensor) -> Tensor:
    """z of the image of the iris plane at (n, …) points."""
    gx, gy, gz = (column.view(-1, *[1] * (x.ndim - 1)) for column in (now.x, now.y, now.z))
    return (eye.iris_depth - x * gx - y * gy) / gz


def from_axis(now: Look, depth: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Distance of (n, …) points from the optical axis in the plane that faces it at `depth`."""
    gx, gy, gz = (column.view(-1, *[1] * (x.ndim - 1)) for column in (now.x, now.y, now.z))
    dx, dy = x - depth * gx, y - depth * gy
    along = (dx * gx + dy * gy) / gz
    return (dx**2 + dy**2 + along**2).clamp_min(_TINY**2).sqrt()


def fade(inside: Tensor, blur: float) -> Tensor:
    """1 inside an edge, 0 outside, linear over `blur`."""
    return (0.5 + inside / blur).clamp(0, 1)
