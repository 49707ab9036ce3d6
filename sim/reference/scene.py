"""The reference scene in Mitsuba's terms: meshes to intersect, and numbers the rays need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from psog.sim import anatomy
from psog.sim.reference import meshes
from psog.sim.reference.engine import Engine
from psog.sim.reference.eye import Eye

SKIN, WALL, SCLERA, IRIS, PUPIL = range(5)
"""Kinds of Lambertian surface; the index of a component."""
KINDS = ("skin", "wall", "sclera", "iris", "pupil")
_RIM_MM = 0.01
"""The iris ends this far inside the eyeball."""


@dataclass(frozen=True)
class Scene:
    """An eye that rays can meet.

    Attributes:
        shapes: Mitsuba's scene.
        pointers: Mitsuba's to the shapes, by name: skin, wall, sclera, disc (iris and pupil), cornea.
        number: what differs between eyes, as variables of the kernels rather than constants, so that
            one compilation serves all eyes.
    """

    eye: Eye
    shapes: Any
    pointers: dict[str, list[Any]]
    number: dict[str, Any]

    @property
    def has_cornea(self) -> bool:
        return bool(self.pointers["cornea"])


def build(engine: Engine, eye: Eye, *, cornea: bool = True) -> Scene:
    """The scene of one eye. Without `cornea` iris and pupil lie bare where they are."""
    groups = {
        "skin": [_mesh(engine, mesh) for mesh in meshes.skin(eye)],
        "wall": [_mesh(engine, mesh) for mesh in meshes.lid_walls(eye)],
        "sclera": [_mesh(engine, meshes.sclera(eye))],
        "disc": [_disc(engine, eye)],
        "cornea": [_mesh(engine, meshes.cornea(eye))] if cornea else [],
    }
    names = [name for name, group in groups.items() for _ in group]
    shapes = [shape for group in groups.values() for shape in group]
    scene = engine.mi.load_dict({"type": "scene", **{f"s{k:02}": shape for k, shape in enumerate(shapes)}})
    pointers: dict[str, list[Any]] = {name: [] for name in groups}
    for name, shape in zip(names, shapes, strict=True):
        pointers[name].append(engine.mi.ShapePtr(shape))
    return Scene(eye, scene, pointers, _numbers(engine, eye))


def _mesh(engine: Engine, mesh: meshes.Mesh) -> Any:
    shape = engine.mi.Mesh("surface", len(mesh.points), len(mesh.triangles), has_vertex_normals=True)
    parameters = engine.mi.traverse(shape)
    parameters["vertex_positions"] = mesh.points.astype(np.float32).ravel()
    parameters["vertex_normals"] = mesh.normals.astype(np.float32).ravel()
    parameters["faces"] = mesh.triangles.ravel()
    parameters.update()
    return shape


def _disc(engine: Engine, eye: Eye) -> Any:
    """The plane of iris and pupil, out to the wall of the eye: no light passes it."""
    rim = float(np.sqrt(eye.radius**2 - eye.iris_depth**2)) - _RIM_MM
    at = eye.iris_depth * eye.axis
    to_world = (
        engine.mi.ScalarTransform4f()
        .look_at(origin=at.tolist(), target=(at + eye.axis).tolist(), up=[0, 1, 0.01])
        .scale([rim, rim, 1])
    )
    return engine.mi.load_dict({"type": "disk", "to_world": to_world})


def _numbers(engine: Engine, eye: Eye) -> dict[str, Any]:
    scalars = {
        "cornea_radius": eye.cornea_radius,
        "limbus_depth": eye.limbus_depth,
        "pupil_limit2": eye.pupil_radius**2 + eye.iris_depth**2,
        **{name: getattr(eye, name) for name in KINDS if name != "wall"},
        "wall": eye.skin,
        "index": anatomy.REFRACTION_INDEX,
        "mirror_index": anatomy.CORNEA_INDEX,
    }
    numbers = {name: engine.dr.opaque(engine.mi.Float, value) for name, value in scalars.items()}
    numbers["axis"] = _vector(engine, eye.axis)
    numbers["cornea_centre"] = _vector(engine, eye.cornea_centre * eye.axis)
    return numbers


def _vector(engine: Engine, value: Any) -> Any:
    return engine.mi.Vector3f(*(engine.dr.opaque(engine.mi.Float, float(v)) for v in value))
