"""What the kernels know about one user: the shape and the reflectance of what is around the eye."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.sim import anatomy
from psog.sim.effects import Effects
from psog.sim.population import Users


class EyeShape(NamedTuple):
    """One user; float32, mm. The columns of `eye_shapes`, as `struct eye` of the kernels has them."""

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
    tilt_x: np.float32
    """Slope of the face plane."""
    tilt_y: np.float32
    relief: np.float32
    """Height of the bump, depth of the hollow."""
    bump_x: np.float32
    bump_y: np.float32
    hollow_x: np.float32
    hollow_y: np.float32
    crease_y: np.float32
    """Above the rotation centre, at the middle of the fissure."""
    crease_depth: np.float32
    lash_density: np.float32
    """Share of the light that lashes take where they are thickest."""
    lash_length: np.float32
    lens_power: np.float32
    """1/mm; 0 without spectacles."""
    bounce: np.float32
    """Reflectance of skin as a source of light for its surroundings; 0 leaves that light out."""


def eye_shapes(users: Users, effects: Effects) -> NDArray[np.float32]:
    """(users, fields of EyeShape) float32; effects that are left out have neutral values."""
    centre = anatomy.cornea_centre_mm(users.eye_radius_mm, users.cornea_radius_mm, users.iris_radius_mm)
    image_depth, magnification = anatomy.pupil_image(users.cornea_radius_mm)
    brightness = anatomy.image_reflectance(magnification)
    iris = anatomy.iris_share(users.cornea_radius_mm, users.iris_radius_mm, magnification)
    relief = 1.0 if effects.skin_relief else 0.0
    bounce = users.skin * (1.0 if effects.interreflection else 0.0)
    on_eye = 1 + anatomy.BOUNCE_ON_EYE * bounce
    bump = 2 * np.pi * users.relief_phase
    hollow = bump + anatomy.RELIEF_APART_RAD
    columns = {
        "radius": users.eye_radius_mm,
        "cornea_radius": users.cornea_radius_mm,
        "cornea_centre": centre,
        "limbus_depth": np.sqrt(users.eye_radius_mm**2 - users.iris_radius_mm**2),
        "iris_depth": centre + users.cornea_radius_mm - image_depth,
        "limbus_radius": users.iris_radius_mm,
        "pupil_scale": magnification / 2,
        "fissure_half": users.fissure_half_mm,
        "sclera": users.sclera * on_eye,
        "iris": users.iris * brightness * on_eye * iris,
        "pupil": users.pupil * brightness * on_eye,
        "skin": users.skin,
        "tilt_x": relief * users.face_tilt_h,
        "tilt_y": relief * users.face_tilt_v,
        "relief": relief * users.relief_mm,
        "bump_x": users.side * anatomy.RELIEF_AT_MM * np.cos(bump),
        "bump_y": anatomy.RELIEF_AT_MM * np.sin(bump),
        "hollow_x": users.side * anatomy.RELIEF_AT_MM * np.cos(hollow),
        "hollow_y": anatomy.RELIEF_AT_MM * np.sin(hollow),
        "crease_y": users.lid_upper_mm + users.crease_mm,
        "crease_depth": relief * np.where(users.crease_mm > 0, anatomy.CREASE_DEPTH_MM, 0.0),
        "lash_density": users.lash_density * (1.0 if effects.lashes else 0.0),
        "lash_length": users.lash_length_mm,
        "lens_power": users.lens_dioptre * (1e-3 if effects.spectacles else 0.0),
        "bounce": bounce,
    }
    return np.stack([columns[name] for name in EyeShape._fields], axis=1).astype(np.float32)
