"""The corneal glint: each emitter's mirror image in the cornea."""

from __future__ import annotations

import numpy as np

from psog.sim import anatomy
from psog.sim.compiled import compiled
from psog.sim.optics import Lobe
from psog.sim.surfaces import EyeShape

_ZERO, _ONE, _TWO, _HALF = np.float32(0), np.float32(1), np.float32(2), np.float32(0.5)
_REFLECTANCE = np.float32(anatomy.CORNEA_REFLECTANCE)
_LIMBUS_BLUR_MM = np.float32(0.7)
"""Over which the glint fades at the limbus: the image of an emitter die and the soft edge of the cornea."""
_LID_BLUR_MM = np.float32(0.3)
"""The same at a lid margin."""
_GRAZING = np.float32(0.05)
_STEPS = 3
"""Of the fixed-point search; the built-in headsets need two for 1 µm."""


@compiled
def power_of_cosine(cosine: float, exponent: Lobe) -> float:
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


@compiled
def fade(distance: float, blur: float) -> float:
    """1 inside an edge, 0 outside, linear over `blur`."""
    return min(max(_HALF + distance / blur, _ZERO), _ONE)


@compiled
def add_glints(
    eye: EyeShape, state: np.ndarray, sensors: np.ndarray, detector: Lobe, emitter: Lobe, out: np.ndarray
) -> None:
    """Add to out[s] what each detector receives from the mirror image of its emitter (1/mm²).

    The reflection point is found by fixed-point steps of the half vector; the reflected beam spreads
    as that of a convex mirror does in its two principal planes.

    Args:
        state: (6,) as in `psog.sim.state`.
        sensors: (12, s) in head axes.
    Source: Fresnel reflectance at normal incidence; Coddington's equations for the convex mirror.
    """
    gx, gy, gz = state[0], state[1], state[2]
    upper, lower = state[4], state[5]
    radius, centre = eye.cornea_radius, eye.cornea_centre
    limbus_cos = (eye.limbus_depth - centre) / radius
    width2 = eye.fissure_half * eye.fissure_half
    for s in range(sensors.shape[1]):
        qx, qy, qz = gx, gy, gz
        px = py = vx = vy = vz = wx = wy = wz = _ZERO
        l1 = l2 = _ONE
        for _ in range(_STEPS):
            px, py, pz = centre * gx + radius * qx, centre * gy + radius * qy, centre * gz + radius * qz
            vx, vy, vz = sensors[0, s] - px, sensors[1, s] - py, sensors[2, s] - pz
            wx, wy, wz = sensors[6, s] - px, sensors[7, s] - py, sensors[8, s] - pz
            l1 = np.sqrt(vx * vx + vy * vy + vz * vz)
            l2 = np.sqrt(wx * wx + wy * wy + wz * wz)
            hx, hy, hz = vx / l1 + wx / l2, vy / l1 + wy / l2, vz / l1 + wz / l2
            inverse = _ONE / np.sqrt(hx * hx + hy * hy + hz * hz)
            qx, qy, qz = hx * inverse, hy * inverse, hz * inverse
        cosine = max((vx * qx + vy * qy + vz * qz) / l1, _GRAZING)
        spread = (l1 + l2 + _TWO * l1 * l2 / (radius * cosine)) * (l1 + l2 + _TWO * l1 * l2 * cosine / radius)
        parabola = _ONE - px * px / width2
        seen = fade((qx * gx + qy * gy + qz * gz - limbus_cos) * radius, _LIMBUS_BLUR_MM)
        seen *= fade(upper * parabola - py, _LID_BLUR_MM) * fade(py + lower * parabola, _LID_BLUR_MM)
        lobes = power_of_cosine(
            -(sensors[3, s] * vx + sensors[4, s] * vy + sensors[5, s] * vz) / l1, detector
        ) * power_of_cosine(-(sensors[9, s] * wx + sensors[10, s] * wy + sensors[11, s] * wz) / l2, emitter)
        out[s] += _REFLECTANCE * seen * lobes / spread
