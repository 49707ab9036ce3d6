"""The reference scene's pieces, its files, and the comparison; path tracing itself where Mitsuba is."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from psog.cli.main import main
from psog.errors import MissingExtraError, SimulationError
from psog.headset import load_headset
from psog.sim.anatomy import SKIN_RADIUS_MM
from psog.sim.reference import meshes
from psog.sim.reference.compare import agreement, fast_parts, fast_readings
from psog.sim.reference.engine import engine
from psog.sim.reference.eye import Eye
from psog.sim.reference.interreflection import fit_interreflection, skin_sees_skin
from psog.sim.reference.readings import Library, Readings, read_library, write_library
from psog.sim.reference.scene import IRIS, KINDS, PUPIL, SCLERA, SKIN, WALL
from psog.sim.reference.states import random_states

RING = load_headset("ring16")
STATES = random_states(6, 2, 3)


def eye_of(k, **changes):
    return replace(Eye.of(STATES.users, int(STATES.user[k]), STATES.rows[k, 0]), **changes)


def frontal_area(mesh):
    a, b, c = (mesh.points[mesh.triangles[:, k], :2] for k in range(3))
    u, v = b - a, c - a
    return np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum() / 2


@pytest.mark.parametrize("k", range(len(STATES)))
def test_skin_covers_the_disc_but_for_the_fissure(k):
    eye = eye_of(k)
    open_mm2 = 4 / 3 * eye.fissure_half * (eye.upper + eye.lower)
    area = sum(frontal_area(half) for half in meshes.skin(eye))
    assert area == pytest.approx(np.pi * SKIN_RADIUS_MM**2 - open_mm2, rel=2e-3)


def test_shut_lids_leave_no_opening_and_no_wall():
    eye = eye_of(0, upper=-4.0, lower=4.0)
    area = sum(frontal_area(half) for half in meshes.skin(eye))
    assert area == pytest.approx(np.pi * SKIN_RADIUS_MM**2, rel=2e-3)
    assert meshes.lid_walls(eye) == []


@pytest.mark.parametrize("openness", [1.0, 0.3])
def test_lid_wall_joins_the_skin_to_what_it_rests_on(openness):
    eye = eye_of(0)
    eye = replace(eye, upper=openness * eye.upper - (1 - openness) * eye.lower)
    for half, wall in zip(meshes.skin(eye), meshes.lid_walls(eye), strict=True):
        top, foot = wall.points[: len(wall.points) // 9], wall.points[-len(wall.points) // 9 :]
        edge = {tuple(np.round(point, 6)) for point in half.points}
        assert all(tuple(np.round(point, 6)) in edge for point in top)
        out = np.linalg.norm(foot[np.hypot(foot[:, 0], foot[:, 1]) < 0.9 * eye.radius], axis=1)
        assert (out > eye.radius - 0.05).all()
        assert (top[:, 2] > foot[:, 2]).all()


def test_cornea_and_sclera_meet_in_the_limbus():
    eye = eye_of(1)
    rim = meshes.cornea(eye).points[-256:]
    start = meshes.sclera(eye).points[:256]
    np.testing.assert_allclose(rim, start, atol=1e-9)
    np.testing.assert_allclose(start @ eye.axis, eye.limbus_depth)


def test_state_k_does_not_depend_on_how_many_are_drawn():
    few = random_states(3, 2, 3)
    np.testing.assert_array_equal(few.rows, STATES.rows[:3])
    np.testing.assert_array_equal(few.pose, STATES.pose[:3])


def library(rng, gain=0.0):
    """Random readings whose indirect light follows the first-order term."""
    direct = rng.random((len(STATES), 16, len(KINDS)))
    reflectance = STATES.worn_by.skin[:, None]
    on_skin, on_eye = direct[..., [SKIN, WALL]].sum(-1), direct[..., [SCLERA, IRIS, PUPIL]].sum(-1)
    indirect = np.stack([gain * reflectance * on_skin, 3 * gain * reflectance * on_eye], axis=-1)
    other = rng.random((3, len(STATES), 16)) * 0.1
    return Library(STATES, {"ring16": Readings(direct, indirect, *other)}, {"seed": 3})


def test_interreflection_fit_finds_the_constants_that_made_the_light():
    fit = fit_interreflection(library(np.random.default_rng(1), 0.05), [RING])
    assert (fit.plain_skin, fit.plain_eye) == (pytest.approx(0.05), pytest.approx(0.15))
    assert fit.plain_after < 1e-9 < fit.after < fit.before


def test_skin_sees_itself_in_the_crease_and_not_on_the_lid():
    share = skin_sees_skin(np.array([0.0, 6.0, 11.5, 14.0, 24.0]), 12.0)
    assert share[2] == share.max() == pytest.approx(0.11, abs=0.02)
    assert share[:2].max() < 0.02
    assert skin_sees_skin(np.array([12.0]), 12.6)[0] > skin_sees_skin(np.array([12.0]), 11.4)[0]


def test_file_keeps_states_and_readings(tmp_path):
    kept = library(np.random.default_rng(2), 0.05)
    write_library(kept, tmp_path / "traced.npz")
    found = read_library(tmp_path / "traced.npz")
    np.testing.assert_array_equal(found.states.rows, kept.states.rows)
    np.testing.assert_allclose(found.readings["ring16"].total, kept.readings["ring16"].total, rtol=3e-4)
    assert found.made == kept.made


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_file_that_holds_no_readings_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "wrong.npz"
    if content is None:
        np.savez(path, something=np.zeros(3))
    else:
        path.write_bytes(content)
    with pytest.raises(SimulationError, match=r"cannot read path-traced readings .* bench reference"):
        read_library(path)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nothing to do; expected --out"),
        (["--out", "{old}"], "already exists"),
        (["--out", "{new}", "--states", "0"], "cannot draw 0 states"),
        (["--compare", "{new}"], "cannot read path-traced readings"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path, words, told):
    (tmp_path / "old.npz").write_bytes(b"old")
    places = {"old": tmp_path / "old.npz", "new": tmp_path / "new.npz"}
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "reference", *(word.format(**places) for word in words)])
    assert told in str(stopped.value)
    assert (tmp_path / "old.npz").read_bytes() == b"old"


def test_without_mitsuba_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mitsuba", None)
    with pytest.raises(MissingExtraError, match=r"psog\[reference\]"):
        engine()


def test_fast_readings_agree_with_themselves_up_to_the_gain():
    parts, total = fast_parts(RING, STATES), fast_readings(RING, STATES)
    direct = np.zeros((*total.shape, len(KINDS)))
    for kind, name in ((SCLERA, "sclera"), (IRIS, "iris"), (PUPIL, "pupil")):
        direct[..., kind] = parts[name]
    direct[..., SKIN] = total - direct.sum(-1) - parts["glint"]
    nothing = np.zeros_like(total)
    same = Readings(2 * direct, np.zeros((*total.shape, 2)), 2 * parts["glint"], nothing, nothing)
    found = agreement(RING, STATES, same)
    assert found.gain == pytest.approx(2.0)
    assert found.residual < 1e-9
    assert found.least_correlation == pytest.approx(1.0)
    assert found.effects["glint"] > 0
