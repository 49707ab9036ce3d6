"""The corneal glint: each emitter's mirror image in the cornea."""

from __future__ import annotations

import numpy as np

from psog.sim import anatomy
from psog.sim.compiled import kernel
from psog.sim.optics import Lobe, Sensors
from psog.sim.surfaces import EyeShape, Look, between_lids

_ZERO, _ONE, _TWO, _HALF = np.float32(0), np.float32(1), np.float32(2), np.float32(0.5)
_REFLECTANCE = np.float32(anatomy.CORNEA_REFLECTANCE)
_LIMBUS_BLUR_MM = np.float32(0.7)
"""Over which the glint fades at the limbus: the image of an emitter die and the soft edge of the cornea."""
_LID_BLUR_MM = np.float32(0.3)
"""The same at a lid margin."""
_GRAZING = np.float32(0.05)
_STEPS = 3
"""Of the fixed-point search: each leaves a third of the error, and three leave 0.6 % of the glint, which is
itself about 1 % of a reading."""


@kernel
def power_of_cosine(cosine: np.float32, exponent: Lobe) -> np.float32:
    """cosⁿ, zero behind the part."""
    if cosine <= _ZERO:
        return _ZERO
    square = cosine * cosine
    value = square**exponent.rest if exponent.rest > _ZERO else _ONE
    whole = exponent.whole
    while whole > 0:
        if whole & 1:
            value *= square
        square *= square
        whole >>= 1
    return value


@kernel
def fade(distance: np.float32, blur: np.float32) -> np.float32:
    """1 inside an edge, 0 outside, linear over `blur`."""
    return min(max(_HALF + distance / blur, _ZERO), _ONE)


@kernel
def add_glints(eye: EyeShape, now: Look, sensors: Sensors, out: np.ndarray) -> None:
    """Add to out[s] what each detector receives from the mirror image of its emitter (1/mm²).

    The reflection point is found by fixed-point steps of the half vector; the reflected beam spreads
    as that of a convex mirror does in its two principal planes.

    Source: Fresnel reflectance at normal incidence; Coddington's equations for the convex mirror.
    """
    gx, gy, gz = now.x, now.y, now.z
    table = sensors.table
    radius, centre = eye.cornea_radius, eye.cornea_centre
    limbus_cos = (eye.limbus_depth - centre) / radius
    for s in range(table.shape[1]):
        qx, qy, qz = gx, gy, gz
        px = py = vx = vy = vz = wx = wy = wz = _ZERO
        l1 = l2 = _ONE
        for _ in range(_STEPS):
            px, py, pz = centre * gx + radius * qx, centre * gy + radius * qy, centre * gz + radius * qz
            vx, vy, vz = table[0, s] - px, table[1, s] - py, table[2, s] - pz
            wx, wy, wz = table[6, s] - px, table[7, s] - py, table[8, s] - pz
            l1 = np.sqrt(vx * vx + vy * vy + vz * vz)
            l2 = np.sqrt(wx * wx + wy * wy + wz * wz)
            hx, hy, hz = vx / l1 + wx / l2, vy / l1 + wy / l2, vz / l1 + wz / l2
            inverse = _ONE / np.sqrt(hx * hx + hy * hy + hz * hz)
            qx, qy, qz = hx * inverse, hy * inverse, hz * inverse
        cosine = max((vx * qx + vy * qy + vz * qz) / l1, _GRAZING)
        spread = (l1 + l2 + _TWO * l1 * l2 / (radius * cosine)) * (l1 + l2 + _TWO * l1 * l2 * cosine / radius)
        low, high = between_lids(eye, now, px)
        seen = fade((qx * gx + qy * gy + qz * gz - limbus_cos) * radius, _LIMBUS_BLUR_MM)
        seen *= fade(high - py, _LID_BLUR_MM) * fade(py - low, _LID_BLUR_MM)
        seen *= min((high - low) / _LID_BLUR_MM, _ONE)  # a shut lid has no edges to see between
        off_detector = -(table[3, s] * vx + table[4, s] * vy + table[5, s] * vz) / l1
        off_emitter = -(table[9, s] * wx + table[10, s] * wy + table[11, s] * wz) / l2
        lobes = power_of_cosine(off_detector, sensors.detector) * power_of_cosine(
            off_emitter, sensors.emitter
        )
        out[s] += _REFLECTANCE * seen * lobes / spread
