"""The average eye: dimensions, reflectances and how the cornea images iris and pupil.

Lengths are mm from the rotation centre, reflectances are for 850 nm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EYE_RADIUS_MM = 12.0
"""Transverse diameter 21 to 27 mm (Bekerman et al. 2014)."""
CORNEA_RADIUS_MM = 7.8
"""Anterior radius of curvature (Gullstrand's eye)."""
IRIS_RADIUS_MM = 5.875
"""Half of the horizontal visible iris diameter, 11.75 mm; here also the radius of the limbus."""
PUPIL_DEPTH_MM = 3.54
"""From the corneal apex back to iris and pupil (Gullstrand's eye)."""
PUPIL_MM = 4.0
"""Diameter in the light of a display; a weak value."""
PUPIL_RANGE_MM = (2.0, 8.0)
"""Diameter in bright light and in the dark."""

CORNEA_INDEX = 1.376
"""Of the tissue: what its bare front surface reflects."""
TEAR_INDEX = 1.337
"""Of the tear film, which is what light meets first; what lies behind it reflects 0.02 %."""
REFRACTION_INDEX = 1.336
"""Of the aqueous: a single surface with this index images the iris as cornea and aqueous do."""
CORNEA_REFLECTANCE = ((CORNEA_INDEX - 1) / (CORNEA_INDEX + 1)) ** 2
"""Fresnel, normal incidence."""

LID_THICKNESS_MM = 1.6
"""Of the shell that slides over the eyeball: tarsus, muscle and skin; a weak value."""
FISSURE_HALF_WIDTH_MM = 13.0
"""Half the distance of the canthi in frontal projection; a weak value."""
LID_UPPER_MM, LID_LOWER_MM = 4.5, 5.2
"""Margins above and below the rotation centre in primary gaze: together the aperture of 9.7 mm."""
LID_UPPER_MM_PER_DEG, LID_LOWER_MM_PER_DEG = 0.13, 0.0475
"""How far a margin follows the gaze: together the aperture's 9.7 to 6.4 mm from 0 to 40° down. The split
between the two lids is a weak value."""
FACE_HEIGHT_MM = 6.0
"""The face plane in front of the rotation centre: between brow and nose (level with the cornea or before it)
and the lateral orbital rim (16 mm behind it); a weak value."""
FACE_BLEND_MM = 2.8
"""Softness of the crease where lid sphere and face plane meet: half of it is how far the skin rises above
both where they cross; a weak value."""
SKIN_RADIUS_MM = 25.0
"""Skin beyond this distance from the optical axis is not modelled."""

RELIEF_AT_MM, RELIEF_WIDTH_MM = 17.0, 5.0
"""Distance from the optical axis and width of the bump and the hollow that make one face unlike another; weak
values."""
RELIEF_APART_RAD = 2.4
"""Angle between bump and hollow; a weak value."""
CREASE_DEPTH_MM, CREASE_WIDTH_MM = 0.6, 3.0
"""Of the supratarsal crease; weak values."""
LASH_RISE = 0.35
"""How far the upper lashes rise over their length; a weak value."""
LENS_MM = 25.4
"""Plane of a spectacle lens: 12 mm before the corneal apex, the usual vertex distance."""
LENS_ROOM_MM = 4.0
"""Between a lens and the nearest part: headsets with less have no room for spectacles."""
LENS_TRANSMISSION = 0.92
"""Of an uncoated lens (two surfaces of 4 %): coatings are made for visible light."""
SEEN_CREASE, SEEN_CREASE_AT_MM, SEEN_CREASE_WIDTH_MM = 0.089, 11.5, 2.2
SEEN_FACE, SEEN_FACE_AT_MM, SEEN_FACE_WIDTH_MM = 0.036, 16.0, 7.0
NOMINAL_SHELL_MM = EYE_RADIUS_MM + LID_THICKNESS_MM
"""Height, place and width of two bumps (1 + x²)⁻² over the distance from the axis: the share of its
surroundings that a point of the skin sees filled with skin. Fitted to cosine-distributed rays on the nominal
face with shut lids."""
BOUNCE_ON_SKIN, BOUNCE_ON_EYE = 1.0, 0.17
"""Light by way of the skin over direct light, per reflectance of the skin and, on skin, per share seen:
fitted to path-traced readings (`psog bench reference`)."""
GLINT_LIMBUS_BLUR_MM, GLINT_LID_BLUR_MM = 0.7, 0.3
"""Over which a glint fades at the limbus (the image of an emitter die, and the soft edge of the cornea) and
at a lid margin; weak values."""

KAPPA_DEG_NOMINAL = (5.46, -2.0)
"""Optical axis minus line of sight of a right eye: the line of sight passes nasal (5.46 ± 1.33°, n = 800)
and above (about 2°, a weak value) of the optical axis."""

SCLERA_REFLECTANCE = (0.40, 0.75)
IRIS_REFLECTANCE = (0.10, 0.35)
SKIN_REFLECTANCE = (0.40, 0.70)
PUPIL_REFLECTANCE = (0.01, 0.04)
"""Ranges over users; weak values, so they are wide."""

LASH_DENSITY = 0.25
"""Share of light that a crossing of the upper lid's lashes takes away: 90 to 150 lashes in five to six rows
(r), 0.1 mm thick, over 26 mm, seen under a slant; a weak value."""
LASH_LENGTH_MM = (8.0, 12.0)
"""Of the upper lid, as is commonly said (r)."""
FACE_TILT = (-0.30, 0.10)
"""Slopes dz/dx and dz/dy of the face plane beside a right eye. Across: the lateral orbital rim lies about
16 mm behind the corneal apex (Hertel exophthalmometry: 15.0 ± 2.0 mm, n = 2010, Sci Rep 5:8526), the side of
the nose, 35 mm further nasal, about 5 mm behind it. Up: the brow lies a little before the cheek. Weak values.
"""
RELIEF_MM = (0.0, 0.6)
"""Amplitude of wrinkles and folds around the eye: fine lines are a tenth of a millimetre deep, crow's feet
and folds several tenths; a weak value, so it is wide."""
CREASE_MM = 8.5
"""From the upper margin up to the supratarsal crease: 7 to 11 mm where there is one; a weak value."""

FORNIX = 0.9
"""Beyond this fraction of its radius the eyeball is continued by its tangent cone: what shows in the
corners of the eye is conjunctiva and caruncle, not the silhouette of a sphere."""

Array = NDArray[np.float64]


def cornea_centre_mm(eye_radius_mm: Array, cornea_radius_mm: Array, limbus_radius_mm: Array) -> Array:
    """Where the centre of the corneal sphere lies so that the two spheres meet in the limbus."""
    to_limbus = np.sqrt(eye_radius_mm**2 - limbus_radius_mm**2)
    return to_limbus - np.sqrt(cornea_radius_mm**2 - limbus_radius_mm**2)


def pupil_image(cornea_radius_mm: Array) -> tuple[Array, Array]:
    """Depth behind the corneal apex (mm) and magnification of the image of iris and pupil.

    Source: paraxial refraction at one spherical surface.
    """
    vergence = REFRACTION_INDEX / PUPIL_DEPTH_MM - (REFRACTION_INDEX - 1) / cornea_radius_mm
    depth = 1 / vergence
    return depth, REFRACTION_INDEX * depth / PUPIL_DEPTH_MM


def image_reflectance(magnification: Array) -> Array:
    """Reflectance of the image of a Lambertian iris over that of the iris itself.

    The iris receives the flux that would cross its image (area ratio m²), and the radiance leaving
    the denser medium falls by n²; the surface is crossed twice.
    """
    return magnification**2 * (1 - CORNEA_REFLECTANCE) ** 2 / REFRACTION_INDEX**2


def iris_share(cornea_radius_mm: Array, limbus_radius_mm: Array, magnification: Array) -> Array:
    """Part of the paraxial image's area within the limbus that shows iris to the eye's own axis.

    The cornea bends light towards the axis most at the limbus: what is seen there, straight from in front,
    lies nearer to the axis than the paraxial image says. So the ring of iris that fills the outline is
    smaller than the image would have it, and its light less.

    Source: Snell's law for a ray along the axis that meets the cornea at the limbus.
    """
    steep = np.arcsin(limbus_radius_mm / cornea_radius_mm)
    behind = PUPIL_DEPTH_MM - cornea_radius_mm + np.sqrt(cornea_radius_mm**2 - limbus_radius_mm**2)
    met = limbus_radius_mm - behind * np.tan(steep - np.arcsin(np.sin(steep) / REFRACTION_INDEX))
    return np.asarray((limbus_radius_mm / (met * magnification)) ** 2)


LIMIT_DEG = 60.0
"""The eye does not turn further: the field of fixation ends near 50°."""
