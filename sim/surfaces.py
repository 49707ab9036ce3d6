"""The surfaces as height fields over the frontal plane, in head axes (mm)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.sim import anatomy
from psog.sim.compiled import kernel
from psog.sim.population import Users

_ONE, _ZERO, _HALF = np.float32(1), np.float32(0), np.float32(0.5)
_FACE = np.float32(anatomy.FACE_HEIGHT_MM)
_BLEND = np.float32(anatomy.FACE_BLEND_MM)
_LID = np.float32(anatomy.LID_THICKNESS_MM)
_FORNIX = np.float32(anatomy.FORNIX)
_FORNIX_SLOPE = np.float32(anatomy.FORNIX / math.sqrt(1 - anatomy.FORNIX**2))


class EyeShape(NamedTuple):
    """What the kernels know about one user; float32, mm. The columns of `eye_shapes`."""

    radius: np.float32
    cornea_radius: np.float32
    cornea_centre: np.float32
    """From the rotation centre along the optical axis, as the next two."""
    limbus_depth: np.float32
    iris_depth: np.float32
    """Of the refracted image."""
    limbus_radius: np.float32
    pupil_scale: np.float32
    """Radius of the refracted image over diameter of the pupil."""
    fissure_half: np.float32
    sclera: np.float32
    iris: np.float32
    """Reflectance of the refracted image, as for the pupil."""
    pupil: np.float32
    skin: np.float32


def eye_shapes(users: Users) -> NDArray[np.float32]:
    """(users, fields of EyeShape) float32."""
    centre = anatomy.cornea_centre_mm(users.eye_radius_mm, users.cornea_radius_mm, users.iris_radius_mm)
    image_depth, magnification = anatomy.pupil_image(users.cornea_radius_mm)
    brightness = anatomy.image_reflectance(magnification)
    columns = {
        "radius": users.eye_radius_mm,
        "cornea_radius": users.cornea_radius_mm,
        "cornea_centre": centre,
        "limbus_depth": np.sqrt(users.eye_radius_mm**2 - users.iris_radius_mm**2),
        "iris_depth": centre + users.cornea_radius_mm - image_depth,
        "limbus_radius": users.iris_radius_mm,
        "pupil_scale": magnification / 2,
        "fissure_half": users.fissure_half_mm,
        "sclera": users.sclera,
        "iris": users.iris * brightness,
        "pupil": users.pupil * brightness,
        "skin": users.skin,
    }
    return np.stack([columns[name] for name in EyeShape._fields], axis=1).astype(np.float32)


@kernel
def eye_shape(row: np.ndarray) -> EyeShape:
    """One row of `eye_shapes` with names."""
    return EyeShape(
        row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[10], row[11]
    )


class Look(NamedTuple):
    """A row of `psog.sim.state.eye_states` with names: optical axis, pupil diameter, lid margins."""

    x: np.float32
    y: np.float32
    z: np.float32
    pupil: np.float32
    upper: np.float32
    lower: np.float32


@kernel
def look(state: np.ndarray) -> Look:
    """One row of states with names."""
    return Look(state[0], state[1], state[2], state[3], state[4], state[5])


@kernel
def between_lids(eye: EyeShape, now: Look, x: np.float32) -> tuple[np.float32, np.float32]:
    """Lower and upper end in y of the open eye at x; upper <= lower where it is covered."""
    parabola = _ONE - x * x / (eye.fissure_half * eye.fissure_half)
    if parabola <= _ZERO:
        return _ZERO, _ZERO
    return -now.lower * parabola, now.upper * parabola


@kernel
def eyeball_height(radius: np.float32, r: np.float32) -> tuple[np.float32, np.float32]:
    """Height and slope dz/dr of a sphere at distance r from its axis; a tangent cone beyond the fornix."""
    edge = _FORNIX * radius
    if r < edge:
        z = np.sqrt(radius * radius - r * r)
        return z, -r / z
    return radius * radius / np.sqrt(radius * radius - edge * edge) - _FORNIX_SLOPE * r, -_FORNIX_SLOPE


@kernel
def skin_height(eye_radius: np.float32, r: np.float32) -> tuple[np.float32, np.float32]:
    """Height and slope dz/dr of lids and face: the smooth maximum of the lid shell and the face plane."""
    shell, slope = eyeball_height(eye_radius + _LID, r)
    above = shell - _FACE
    smooth = np.sqrt(above * above + _BLEND * _BLEND)
    return _HALF * (shell + _FACE + smooth), _HALF * (_ONE + above / smooth) * slope
