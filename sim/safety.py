"""Eye safety: how much infrared light the emitters put on the cornea."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import SafetyError
from psog.headset import Headset
from psog.sim import anatomy
from psog.sim.crosstalk import emitter_mixing

LIMIT_W_M2 = 100.0
"""On the cornea, 780 to 3000 nm, exposures over 1000 s (ICNIRP 2013, Health Physics 105(1):74-96)."""
WARN_W_M2 = 10.0
"""A tenth of the limit: room for tolerances, for a headset that shifts, and for other sources of light."""
_RINGS, _SPOKES = 9, 24
"""Points on the cornea, from the apex to the limbus."""

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Exposure:
    """Light on the cornea of the nominal eye in the nominal pose, wherever it looks within the field.

    Attributes:
        greatest_w_m2: at the worst point while its brightest slot lasts; this is what the limits judge.
        mean_w_m2: at the worst point, averaged over time.
        apex_w_m2: at the corneal apex of the eye that looks straight ahead, in the brightest slot.
        worst_mm: where the worst point is, in head axes.
    """

    greatest_w_m2: float
    mean_w_m2: float
    apex_w_m2: float
    worst_mm: tuple[float, float, float]


def corneal_exposure(headset: Headset) -> Exposure | None:
    """E = Σ Ie/d² over the emitters that are on at once; None when the LED current is not known.

    On the safe side: the light is taken to fall straight on the cornea (no cosine), emitters are as bright
    as the brightest specimen their datasheet allows, and a time-multiplexed headset is judged as if its
    brightest slot (with the crosstalk of its neighbours) lasted for ever, so that a stuck multiplexer is no
    danger. Ie is intensity (W/sr): with d in metres Ie/d² is W/m², and no solid angle divides it again.
    """
    if headset.parts is None or headset.drive.led_current_ma is None:
        return None
    emitter = headset.parts.emitter
    brightest_mw_sr = emitter.radiant_intensity_max_mw_sr or emitter.radiant_intensity_mw_sr
    intensity_w_sr = 1e-3 * brightest_mw_sr * headset.drive.led_current_ma / emitter.at_current_ma
    points, normals = _corneal_points(headset)
    each = intensity_w_sr * _per_intensity(headset, points, normals)
    slots = emitter_mixing(headset) @ each
    worst = int(slots.max(axis=0).argmax())
    x, y, z = points[worst]
    return Exposure(
        greatest_w_m2=float(slots[:, worst].max()),
        mean_w_m2=float(each.sum(axis=0).max() * emitter_duty(headset)),
        apex_w_m2=float(slots[:, 0].max()),
        worst_mm=(float(x), float(y), float(z)),
    )


def check_exposure(headset: Headset) -> str | None:
    """What to warn of in one line, or None.

    Raises:
        SafetyError: more light than the limit allows.
    """
    exposure = corneal_exposure(headset)
    if exposure is None or exposure.greatest_w_m2 <= WARN_W_M2:
        return None
    found = f"{headset.name} puts {exposure.greatest_w_m2:.1f} W/m² on the cornea"
    advice = "lower drive.led_current_ma, move the emitters away or multiplex them"
    if exposure.greatest_w_m2 > LIMIT_W_M2:
        raise SafetyError(f"{found}; the limit is {LIMIT_W_M2:.0f} W/m²: {advice}")
    return f"{found}, above a tenth of the limit of {LIMIT_W_M2:.0f} W/m²: {advice}"


def emitter_duty(headset: Headset) -> float:
    """Share of the time that an emitter is on."""
    if headset.drive.pulse_us is not None:
        return headset.drive.pulse_us * 1e-6 * headset.rate_hz
    return 1 / headset.sensor_count if headset.drive.multiplexing == "time" else 1.0


def _per_intensity(headset: Headset, points: Points, normals: Points) -> NDArray[np.float64]:
    """(emitters, points) irradiance per unit radiant intensity (1/m²); none from behind the surface."""
    at = np.array([sensor.emitter_mm for sensor in headset.sensors])
    aim = np.array([sensor.emitter_aim_mm for sensor in headset.sensors]) - at
    aim /= np.linalg.norm(aim, axis=1, keepdims=True)
    way = points - at[:, None]
    distance = np.linalg.norm(way, axis=2)
    lobe = headset.emitter_lobe.at((way * aim[:, None]).sum(axis=2) / distance)
    lit = (way * normals).sum(axis=2) < 0
    return np.asarray(lit * lobe / (distance * 1e-3) ** 2)


def _corneal_points(headset: Headset) -> tuple[Points, Points]:
    """(n, 3) points of the cornea (mm) and their normals; the apex of the eye straight ahead comes first."""
    radius = anatomy.CORNEA_RADIUS_MM
    centre = anatomy.cornea_centre_mm(
        np.array(anatomy.EYE_RADIUS_MM), np.array(radius), np.array(anatomy.IRIS_RADIUS_MM)
    )
    polar = np.repeat(np.linspace(0, np.arcsin(anatomy.IRIS_RADIUS_MM / radius), _RINGS), _SPOKES)
    azimuth = np.tile(np.arange(_SPOKES) * 2 * np.pi / _SPOKES, _RINGS)
    normal = np.stack(
        [np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)], axis=1
    )
    point = centre * np.array([0.0, 0.0, 1.0]) + radius * normal
    turns = [
        _turn(h * headset.field_deg[0], v * headset.field_deg[1]) for h in (0, -1, 1) for v in (0, -1, 1)
    ]
    return np.concatenate([point @ t.T for t in turns]), np.concatenate([normal @ t.T for t in turns])


def _turn(h_deg: float, v_deg: float) -> NDArray[np.float64]:
    """Rotation that takes straight ahead to Fick angles h, v."""
    (sh, ch), (sv, cv) = ((np.sin(a), np.cos(a)) for a in np.deg2rad([h_deg, v_deg]))
    return np.array([[ch, -sh * sv, sh * cv], [0.0, cv, sv], [-sh, -ch * sv, ch * cv]])
