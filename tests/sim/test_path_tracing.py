"""Our paths, which look for the emitter through the cornea, against Mitsuba's own, which hit it by chance."""

from dataclasses import replace

import numpy as np
import pytest

from psog.errors import MissingExtraError, ToolchainError
from psog.headset import load_headset
from psog.sim.population import nominal_user
from psog.sim.reference import meshes
from psog.sim.reference.beams import Beams
from psog.sim.reference.engine import engine
from psog.sim.reference.eye import Eye
from psog.sim.reference.rays import Sampling, trace
from psog.sim.reference.scene import build
from psog.sim.render import pose_rows
from tests.sim.views import states

_EMITTER_MM = 4.0  # large, so that chance meets it
_INDEX = 1.336


@pytest.fixture(scope="module")
def mitsuba():
    try:
        return engine()
    except (MissingExtraError, ToolchainError) as error:
        pytest.skip(str(error))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sensor", "skin", "tolerance"),
    [("grid15", 7, 0.0, 0.025), ("grid15", 7, 0.6, 0.01)],
    ids=["eye alone", "with skin"],
)
def test_readings_are_those_of_the_plain_path_tracer(mitsuba, name, sensor, skin, tolerance):
    """Black skin leaves iris, sclera and glint; with skin there is light that goes to and fro."""
    headset = load_headset(name)
    pose = pose_rows(np.zeros((1, 3)), np.zeros(1))[0]
    beams = replace(Beams.of(headset, pose), emitter_radius_mm=_EMITTER_MM)
    state = states(nominal_user(), [(10.0, -5.0)])[0, 0]
    # One colour before and behind the limbus: the plain scene's eyeball is the same on both sides.
    eye = replace(Eye.of(nominal_user(), 0, state), skin=skin, sclera=0.3, iris=0.3, pupil=0.03)
    scene = build(mitsuba, eye)
    index = mitsuba.dr.opaque(mitsuba.mi.Float, _INDEX)
    scene = replace(scene, number={**scene.number, "mirror_index": index})
    found = trace(mitsuba, scene, beams, Sampling(48, 4), seed=1)
    ours = found.direct[sensor].mean(0).sum() + found.indirect[sensor].mean(0).sum() + found.glint[sensor]
    assert ours == pytest.approx(plain_reading(mitsuba, eye, beams, sensor), rel=tolerance)


def plain_reading(mitsuba, eye, beams, sensor):
    """A dielectric, an area light and the stock integrator."""
    mi, dr = mitsuba
    scene = mi.load_dict(plain_scene(mi, eye, beams, sensor))
    integrator = mi.load_dict({"type": "path", "max_depth": 12, "rr_depth": 100})
    sampler, count = mi.load_dict({"type": "independent"}), 1 << 21
    sampler.seed(5, count)
    column, exponent = beams.table[:, sensor].tolist(), beams.detector_exponent
    u = sampler.next_2d()
    cosine = (1 - u.x) ** (1 / (exponent + 1))
    sine, (along, across) = dr.safe_sqrt(1 - cosine * cosine), dr.sincos(2 * dr.pi * u.y)
    aim = mi.Frame3f(mi.Vector3f(column[3:6]))
    ray = mi.Ray3f(mi.Point3f(column[:3]), aim.to_world(mi.Vector3f(sine * across, sine * along, cosine)))
    light = integrator.sample(scene, sampler, mi.RayDifferential3f(ray))[0]
    return float(dr.mean(light[0])[0]) * 2 * np.pi / (exponent + 1)


def plain_scene(mi, eye, beams, sensor):
    def colour(value):
        reflectance = {"type": "uniform", "value": value}
        return {"type": "twosided", "bsdf": {"type": "diffuse", "reflectance": reflectance}}

    def shape(mesh, bsdf):
        properties = mi.Properties()
        properties["bsdf"] = mi.load_dict(bsdf)
        out = mi.Mesh("m", len(mesh.points), len(mesh.triangles), has_vertex_normals=True, props=properties)
        parameters = mi.traverse(out)
        parameters["vertex_positions"] = mesh.points.astype(np.float32).ravel()
        parameters["vertex_normals"] = mesh.normals.astype(np.float32).ravel()
        parameters["faces"] = mesh.triangles.ravel()
        parameters.update()
        return out

    def disc(at, towards, radius, **what):
        view = mi.ScalarTransform4f().look_at(
            origin=at.tolist(), target=(at + towards).tolist(), up=[0, 1, 0.01]
        )
        return {"type": "disk", "to_world": view.scale([radius, radius, 1]), **what}

    rim = np.sqrt(eye.radius**2 - eye.iris_depth**2) - 0.01
    place, aim = beams.table[6:9, sensor], beams.table[9:12, sensor]
    radiance = {"type": "uniform", "value": 1 / (np.pi * _EMITTER_MM**2)}
    skin = [*meshes.skin(eye), *meshes.lid_walls(eye)]
    return {
        "type": "scene",
        **{f"skin{k}": shape(mesh, colour(eye.skin)) for k, mesh in enumerate(skin)},
        "sclera": shape(meshes.sclera(eye), colour(eye.sclera)),
        "cornea": shape(meshes.cornea(eye), {"type": "dielectric", "int_ior": _INDEX, "ext_ior": 1.0}),
        "iris": disc(eye.iris_depth * eye.axis, eye.axis, rim, bsdf=colour(eye.iris)),
        "pupil": disc((eye.iris_depth + 1e-3) * eye.axis, eye.axis, eye.pupil_radius, bsdf=colour(eye.pupil)),
        "light": disc(place, aim, _EMITTER_MM, emitter={"type": "area", "radiance": radiance}),
    }
