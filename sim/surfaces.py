"""The surfaces as height fields over the frontal plane, in head axes (mm)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from psog.sim import anatomy
from psog.sim.compiled import compiled
from psog.sim.population import Users

_ONE, _ZERO = np.float32(1), np.float32(0)
_FACE = np.float32(anatomy.FACE_HEIGHT_MM)
_BLEND = np.float32(anatomy.FACE_BLEND_MM)
_LID = np.float32(anatomy.LID_THICKNESS_MM)
_FORNIX = np.float32(anatomy.FORNIX)
_FORNIX_SLOPE = np.float32(anatomy.FORNIX / math.sqrt(1 - anatomy.FORNIX**2))


class EyeShape(NamedTuple):
    """What the kernels know about one user; float32, mm. Columns of `eye_shapes` in this order."""

    radius: float
    cornea_radius: float
    cornea_centre: float
    """From the rotation centre along the optical axis, as the next two."""
    limbus_depth: float
    iris_depth: float
    """Of the refracted image."""
    limbus_radius: float
    pupil_scale: float
    """Radius of the refracted image over diameter of the pupil."""
    fissure_half: float
    sclera: float
    iris: float
    """Reflectance of the refracted image, as for the pupil."""
    pupil: float
    skin: float


def eye_shapes(users: Users) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """(users, fields of EyeShape) float32."""
    centre = anatomy.cornea_centre_mm(users.eye_radius_mm, users.cornea_radius_mm, users.iris_radius_mm)
    image_depth, magnification = anatomy.pupil_image(users.cornea_radius_mm)
    brightness = anatomy.image_reflectance(magnification)
    columns = EyeShape(
        radius=users.eye_radius_mm,
        cornea_radius=users.cornea_radius_mm,
        cornea_centre=centre,
        limbus_depth=np.sqrt(users.eye_radius_mm**2 - users.iris_radius_mm**2),
        iris_depth=centre + users.cornea_radius_mm - image_depth,
        limbus_radius=users.iris_radius_mm,
        pupil_scale=magnification / 2,
        fissure_half=users.fissure_half_mm,
        sclera=users.sclera,
        iris=users.iris * brightness,
        pupil=users.pupil * brightness,
        skin=users.skin,
    )
    return np.stack(columns, axis=1).astype(np.float32)


@compiled
def eye_shape(row: np.ndarray) -> EyeShape:
    """One row of `eye_shapes` with names."""
    return EyeShape(
        row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[10], row[11]
    )


@compiled
def eyeball_height(radius: float, r: float) -> tuple[float, float]:
    """Height and slope dz/dr of a sphere at distance r from the z axis; its tangent cone beyond the fornix."""
    edge = _FORNIX * radius
    if r < edge:
        z = np.sqrt(radius * radius - r * r)
        return z, -r / z
    return radius * radius / np.sqrt(radius * radius - edge * edge) - _FORNIX_SLOPE * r, -_FORNIX_SLOPE


@compiled
def skin_height(eye_radius: float, r: float) -> tuple[float, float]:
    """Height and slope dz/dr of lids and face: the smooth maximum of the lid shell and the face plane."""
    shell, slope = eyeball_height(eye_radius + _LID, r)
    excess = (shell - _FACE) / _BLEND
    tail = np.exp(-abs(excess))
    share = (_ONE if excess > _ZERO else tail) / (_ONE + tail)
    height = _FACE + _BLEND * (max(excess, _ZERO) + np.log(_ONE + tail))
    return height, share * slope
