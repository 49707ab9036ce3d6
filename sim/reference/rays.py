"""Paths from detectors into the scene, and what their emitters send along them.

Rays leave a detector distributed as its lobe, are refracted or mirrored by the cornea at random, and scatter
on Lambertian surfaces. At every such surface the emitter, a small disc, is sampled: straight, or for points
behind the cornea through it (`psog.sim.reference.cornea`). Each sensor sees its own emitter only. Rays are
stratified over the lobe and come in replicates, from whose spread the standard error follows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.sim.reference.beams import Beams
from psog.sim.reference.cornea import crossing, mirrored_spread, reflectance, refracted_spread
from psog.sim.reference.engine import Engine
from psog.sim.reference.scene import IRIS, KINDS, PUPIL, SCLERA, SKIN, WALL, Scene

Array = NDArray[np.float64]

DEPTH = 10
"""Surfaces a path may meet; each scatters at most 0.75 of the light and most of it leaves."""
_OFF_MM = 2e-3
"""How far from the corneal sphere a shadow ray starts: outside the triangles that stand for it."""
_GLINT_SIDE = 16


@dataclass(frozen=True)
class Sampling:
    """`side`² rays in each of `replicates` for every sensor."""

    side: int = 64
    replicates: int = 8


@dataclass(frozen=True)
class Components:
    """1/mm², as the fast simulator's readings; what one path of a kind brought, per replicate.

    Attributes:
        direct: (sensors, replicates, KINDS) scattered once, by the surface that did it.
        indirect: (sensors, replicates, KINDS) all other paths, by the surface they come from last.
        glint: (sensors,) mirrored by the cornea and nothing else.
    """

    direct: Array
    indirect: Array
    glint: Array


def trace(
    engine: Engine, scene: Scene, beams: Beams, sampling: Sampling, *, seed: int, depth: int = DEPTH
) -> Components:
    """What every sensor receives, per unit on-axis radiant intensity of its emitter."""
    tracer = _Tracer(engine, scene, beams, seed)
    cells = sampling.side**2
    rows = beams.table.shape[1] * sampling.replicates
    paths = tracer.start(rows * cells, sampling.side, sampling.replicates)
    sums = engine.dr.zeros(engine.mi.Float, 2 * rows * len(KINDS))
    for _ in range(depth):
        paths = tracer.advance(paths, sums, cells)
        if engine.dr.width(paths["lane"]) == 0:
            break
    weight = 2 * math.pi / (beams.detector_exponent + 1) / cells
    both = np.array(sums, dtype=np.float64).reshape(-1, sampling.replicates, 2, len(KINDS)) * weight
    return Components(both[:, :, 0], both[:, :, 1], tracer.glint())


class _Tracer:
    def __init__(self, engine: Engine, scene: Scene, beams: Beams, seed: int) -> None:
        self.engine, self.scene, self.beams, self.seed = engine, scene, beams, seed
        mi, dr = engine
        self.columns = [mi.Float(row.astype(np.float32)) for row in beams.table]
        self.emitter_exponent = dr.opaque(mi.Float, beams.emitter_exponent)
        self.draws = 0

    def random(self, lane: Any) -> Any:
        """A number in [0, 1) for each lane: a hash of (lane, seed, how many were drawn before)."""
        mi, dr = self.engine
        self.draws += 1
        return mi.sample_tea_float32(lane, dr.opaque(mi.UInt32, self.seed * 1009 + self.draws))

    def vector(self, sensor: Any, first: int) -> Any:
        """Rows `first` to `first` + 2 of the table for every lane's sensor."""
        mi, dr = self.engine
        return mi.Vector3f(*(dr.gather(mi.Float, self.columns[first + k], sensor) for k in range(3)))

    def start(self, count: int, side: int, replicates: int) -> dict[str, Any]:
        """Rays from the detectors, one in each cell of the square that maps to the lobe."""
        mi, dr = self.engine
        lane = dr.arange(mi.UInt32, count)
        cell = lane % (side * side)
        sensor = lane // (side * side * replicates)
        u = (mi.Float(cell % side) + self.random(lane)) / side
        v = (mi.Float(cell // side) + self.random(lane)) / side
        exponent = dr.opaque(mi.Float, self.beams.detector_exponent)
        cosine = (1 - u) ** (1 / (exponent + 1))
        sine = dr.safe_sqrt(1 - cosine * cosine)
        across, along = dr.sincos(2 * dr.pi * v)
        frame = mi.Frame3f(self.vector(sensor, 3))
        paths = {
            "lane": lane,
            "sensor": sensor,
            "o": self.vector(sensor, 0),
            "d": frame.to_world(mi.Vector3f(sine * along, sine * across, cosine)),
            "weight": dr.full(mi.Float, 1, count),
            "inside": dr.full(mi.Bool, False, count),
            "first": dr.full(mi.UInt32, len(KINDS), count),
            "astray": dr.full(mi.Bool, False, count),
        }
        dr.eval(paths)
        return paths

    def advance(self, p: dict[str, Any], sums: Any, cells: int) -> dict[str, Any]:
        """Every path to its next surface; the emitter's part goes to `sums`, the paths that go on come back.

        A path is `astray` once it has scattered or was mirrored: what it brings then is indirect.
        """
        mi, dr = self.engine
        hit = self.scene.shapes.ray_intersect(mi.Ray3f(p["o"], p["d"]))
        alive = hit.is_valid()
        kind, at_cornea = self.surface(hit, p["d"])
        normal = dr.select(at_cornea, self.corneal_normal(hit.p), hit.sh_frame.n)
        normal = dr.select(~at_cornea & (dr.dot(normal, p["d"]) > 0), -normal, normal)
        diffuse = alive & ~at_cornea
        reflectance_ = self.reflectance_of(kind)
        first = dr.select((p["first"] == len(KINDS)) & diffuse, kind, p["first"])
        light = self.light(p, hit, normal, diffuse)
        slot = (p["lane"] // cells * 2 + dr.select(p["astray"], 1, 0)) * len(KINDS) + first
        dr.scatter_add(sums, p["weight"] * reflectance_ * light, slot, diffuse)
        bounced = mi.Frame3f(normal).to_world(
            mi.warp.square_to_cosine_hemisphere(mi.Point2f(self.random(p["lane"]), self.random(p["lane"])))
        )
        crossed, factor, inside, mirrored = self.cross(p, normal)
        direction = dr.select(at_cornea, crossed, bounced)
        ray = hit.spawn_ray(direction)
        after = {
            "lane": p["lane"],
            "sensor": p["sensor"],
            "o": ray.o,
            "d": direction,
            "weight": p["weight"] * dr.select(at_cornea, factor, reflectance_),
            "inside": dr.select(at_cornea, inside, p["inside"]),
            "first": first,
            "astray": p["astray"] | diffuse | (at_cornea & mirrored),
        }
        dr.eval(after, alive, sums)
        kept = dr.compress(alive)
        return {name: dr.gather(type(value), value, kept) for name, value in after.items()}

    def surface(self, hit: Any, direction: Any) -> tuple[Any, Any]:
        """Kind of Lambertian surface, and whether it is the cornea instead.

        The eyeball from inside is the wall of the anterior chamber, given the colour of the iris.
        """
        mi, dr = self.engine
        pointers = self.scene.pointers

        def is_one_of(name: str) -> Any:
            answer = mi.Bool(False)
            for pointer in pointers[name]:
                answer |= hit.shape == pointer
            return answer

        behind = dr.dot(hit.n, direction) * dr.dot(hit.n, hit.sh_frame.n) > 0
        in_pupil = dr.squared_norm(hit.p) < self.scene.number["pupil_limit2"]
        kind = dr.select(is_one_of("wall"), mi.UInt32(WALL), mi.UInt32(SKIN))
        kind = dr.select(is_one_of("disc"), dr.select(in_pupil, mi.UInt32(PUPIL), mi.UInt32(IRIS)), kind)
        kind = dr.select(is_one_of("sclera"), dr.select(behind, mi.UInt32(IRIS), mi.UInt32(SCLERA)), kind)
        return kind, is_one_of("cornea")

    def corneal_normal(self, at: Any) -> Any:
        return self.engine.dr.normalize(at - self.scene.number["cornea_centre"])

    def reflectance_of(self, kind: Any) -> Any:
        mi, dr = self.engine
        value = mi.Float(0)
        for k, name in enumerate(KINDS):
            value = dr.select(kind == k, self.scene.number[name], value)
        return value

    def emitter_points(self, lane: Any, sensor: Any) -> tuple[Any, Any]:
        """Points on the emitters' discs, and where those aim."""
        mi, _ = self.engine
        aim = self.vector(sensor, 9)
        at = mi.warp.square_to_uniform_disk_concentric(mi.Point2f(self.random(lane), self.random(lane)))
        across = mi.Frame3f(aim).to_world(mi.Vector3f(at.x, at.y, 0))
        return self.vector(sensor, 6) + self.beams.emitter_radius_mm * across, aim

    def lobe(self, cosine: Any) -> Any:
        _, dr = self.engine
        return dr.select(cosine > 0, dr.maximum(cosine, 1e-9) ** self.emitter_exponent, 0)

    def light(self, p: dict[str, Any], hit: Any, normal: Any, active: Any) -> Any:
        """Radiance that a white Lambertian surface would send on, lit by the emitter alone (1/mm²)."""
        dr = self.engine.dr
        emitter, aim = self.emitter_points(p["lane"], p["sensor"])
        to = emitter - hit.p
        distance = dr.norm(to)
        straight = dr.maximum(dr.dot(normal, to), 0) / (distance * distance * distance)
        leaving = -dr.dot(aim, to) / distance
        origin = hit.spawn_ray(to).o
        if self.scene.has_cornea:
            c = crossing(self.engine, self.scene, emitter, hit.p, self.scene.number["index"])
            arriving = dr.maximum(dr.dot(normal, c.at - hit.p), 0) / c.to_point
            passed = 1 - reflectance(self.engine, self.scene, c.cos_out)
            through = arriving * passed / refracted_spread(self.scene, c)
            through = dr.select(c.on_cap & (c.cos_out > 0), through, 0)
            straight = dr.select(p["inside"], through, straight)
            leaving = dr.select(p["inside"], -dr.dot(aim, emitter - c.at) / c.to_emitter, leaving)
            origin = dr.select(p["inside"], c.at + _OFF_MM * c.normal, origin)
        value = straight * self.lobe(leaving) / dr.pi
        seen = active & (value > 0)
        shadowed = self.scene.shapes.ray_test(_segment(self.engine, origin, emitter), active=seen)
        return dr.select(seen & ~shadowed, value, 0)

    def cross(self, p: dict[str, Any], normal: Any) -> tuple[Any, Any, Any, Any]:
        """At the cornea: new direction, factor of the radiance, whether inside, whether mirrored."""
        _, dr = self.engine
        index, direction = self.scene.number["index"], p["d"]
        cosine = dr.dot(direction, normal)
        steep = dr.abs(cosine)
        inverse = dr.select(p["inside"], index, 1 / index)
        cos2 = 1 - inverse * inverse * (1 - steep * steep)
        bent = dr.safe_sqrt(cos2)
        outer = dr.select(p["inside"], bent, steep)
        mirror = dr.select(cos2 > 0, reflectance(self.engine, self.scene, outer), 1)
        mirrored = self.random(p["lane"]) < mirror
        side = dr.select(cosine > 0, 1, -1)
        refracted = inverse * direction + side * (bent - inverse * steep) * normal
        reflected = direction - 2 * cosine * normal
        factor = dr.select(mirrored, 1, inverse * inverse)
        return dr.select(mirrored, reflected, refracted), factor, p["inside"] ^ ~mirrored, mirrored

    def glint(self) -> Array:
        """(sensors,) mean over the emitters' discs of what the cornea mirrors into the detectors."""
        mi, dr = self.engine
        sensors = self.beams.table.shape[1]
        if not self.scene.has_cornea:
            return np.zeros(sensors)
        each = _GLINT_SIDE**2
        lane = dr.arange(mi.UInt32, sensors * each)
        sensor = lane // each
        emitter, aim = self.emitter_points(lane, sensor)
        detector, facing = self.vector(sensor, 0), self.vector(sensor, 3)
        c = crossing(self.engine, self.scene, emitter, detector, mi.Float(1))
        received = -dr.dot(facing, detector - c.at) / c.to_point
        received = dr.select(received > 0, dr.maximum(received, 1e-9) ** self.beams.detector_exponent, 0)
        value = reflectance(self.engine, self.scene, c.cos_out) / mirrored_spread(self.scene, c)
        value *= received * self.lobe(-dr.dot(aim, emitter - c.at) / c.to_emitter)
        start = c.at + _OFF_MM * c.normal
        seen = c.on_cap & (c.cos_out > 0) & (value > 0)
        for end in (emitter, detector):
            seen &= ~self.scene.shapes.ray_test(_segment(self.engine, start, end), active=seen)
        total = dr.zeros(mi.Float, sensors)
        dr.scatter_add(total, value / each, sensor, seen)
        return np.array(total, dtype=np.float64)


def _segment(engine: Engine, start: Any, end: Any) -> Any:
    """The ray from `start` that ends just before `end`."""
    mi, dr = engine
    along = end - start
    length = dr.norm(along)
    ray = mi.Ray3f(mi.Point3f(start), mi.Vector3f(along / length))
    ray.maxt = length * (1 - 1e-4)
    return ray
