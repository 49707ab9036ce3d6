"""Light across the corneal sphere: where it crosses or is mirrored between two points, and how it spreads.

Next-event estimation cannot pass a refracting surface. The cornea is a sphere, so the one path from an
emitter to a point behind it lies in a plane with the sphere's centre and is found by bisection, and the
spread of a thin pencil follows from Coddington's equations: exact, and without waiting for rays that happen
to hit a small light.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from psog.sim.reference.engine import Engine
from psog.sim.reference.scene import Scene

_BISECTIONS = 20
"""Leave 1e-6 rad."""


class Crossing(NamedTuple):
    """Where light from an emitter meets the cornea on its way to a point.

    Attributes:
        at: on the sphere; normal: of it there, outwards.
        cos_out, cos_in: of the angles to the normal on the emitter's and on the point's side.
        to_emitter, to_point: distances (mm).
        on_cap: whether the cornea is there: in front of the limbus.
    """

    at: Any
    normal: Any
    cos_out: Any
    cos_in: Any
    to_emitter: Any
    to_point: Any
    on_cap: Any


def crossing(engine: Engine, scene: Scene, emitter: Any, point: Any, index: Any) -> Crossing:
    """`index`: of what `point` lies in: the scene's for refraction, 1 for the mirror image.

    In the plane of emitter, point and centre, with angles seen from the centre: Snell's law
    a sin t / l₁ = n b sin(φ − t) / l₂ grows from below zero at t = 0 to above zero at t = φ.
    """
    dr = engine.dr
    centre, radius = scene.number["cornea_centre"], scene.number["cornea_radius"]
    far, near = emitter - centre, point - centre
    a, b = dr.norm(far), dr.norm(near)
    first = far / a
    cosine = dr.clip(dr.dot(first, near) / b, -1, 1)
    second = near - b * cosine * first
    second /= dr.maximum(dr.norm(second), 1e-9)
    angle = dr.acos(cosine)
    low, high = dr.zeros(engine.mi.Float, dr.width(angle)), angle
    for _ in range(_BISECTIONS):
        t = (low + high) / 2
        sine, cos_t = dr.sincos(t)
        rest_sine, rest_cos = dr.sincos(angle - t)
        out2 = a * a + radius * radius - 2 * a * radius * cos_t
        in2 = b * b + radius * radius - 2 * b * radius * rest_cos
        below = a * sine * dr.rsqrt(out2) < index * b * rest_sine * dr.rsqrt(in2)
        low, high = dr.select(below, t, low), dr.select(below, high, t)
    sine, cos_t = dr.sincos((low + high) / 2)
    normal = cos_t * first + sine * second
    at = centre + radius * normal
    out, into = emitter - at, point - at
    to_emitter, to_point = dr.norm(out), dr.norm(into)
    on_cap = dr.dot(at, scene.number["axis"]) >= scene.number["limbus_depth"]
    return Crossing(
        at,
        normal,
        dr.dot(out, normal) / to_emitter,
        dr.abs(dr.dot(into, normal)) / to_point,
        to_emitter,
        to_point,
        on_cap,
    )


def refracted_spread(scene: Scene, c: Crossing) -> Any:
    """Area at the point, across the ray, per solid angle at the emitter (mm²).

    Source: Coddington's equations for one spherical surface, object distance −l₁.
    """
    index = scene.number["index"]
    power = (index * c.cos_in - c.cos_out) / scene.number["cornea_radius"]
    sagittal = (power - 1 / c.to_emitter) / index
    tangential = (power - c.cos_out * c.cos_out / c.to_emitter) / (index * c.cos_in * c.cos_in)
    beam = c.to_emitter * c.to_emitter * c.cos_in / c.cos_out
    return beam * (1 - c.to_point * sagittal) * (1 - c.to_point * tangential)


def mirrored_spread(scene: Scene, c: Crossing) -> Any:
    """The same for the mirror image (mm²)."""
    total, product = c.to_emitter + c.to_point, 2 * c.to_emitter * c.to_point / scene.number["cornea_radius"]
    return (total + product * c.cos_out) * (total + product / c.cos_out)


def reflectance(engine: Engine, scene: Scene, cos_out: Any) -> Any:
    """Of the front surface, unpolarised; the index is that of the tissue, as in the fast simulator."""
    return engine.mi.fresnel(cos_out, scene.number["mirror_index"])[0]
