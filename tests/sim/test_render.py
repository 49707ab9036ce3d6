"""The optics: checked against geometry, symmetry and two independent ways of computing the same."""

from dataclasses import fields, replace

import numpy as np
import pytest

from psog.errors import ShapeError, SimulationError
from psog.headset import load_headset
from psog.sim.anatomy import SKIN_RADIUS_MM
from psog.sim.effects import FIRST_ORDER, Effects
from psog.sim.measure import measure
from psog.sim.population import draw_users, nominal_user
from psog.sim.quadrature import FINE, Quadrature
from psog.sim.raster import irradiance as irradiance_of_pixels
from psog.sim.raster import rasterize
from psog.sim.render import Optics, pose_rows, render, render_user
from psog.sim.surfaces import eye_shapes
from tests.sim.views import irradiance, moved, painted, states, with_lobes

RING, GRID = load_headset("ring16"), load_headset("grid15")
GAZES = [(0.0, 0.0), (14.0, 9.0), (-20.0, -16.0), (8.0, 20.0)]


def diffuse(headset, gaze, users, **view):
    """What the column method gives without the glint: light is additive."""
    black = irradiance(headset, [gaze], users=painted(users, 0.0), **view)
    return (irradiance(headset, [gaze], users=users, **view) - black)[0]


@pytest.mark.parametrize(
    "headset",
    [RING, GRID, *(with_lobes(RING, *n) for n in ((0, 0), (2.5, 1), (3, 0.7), (40, 2)))],
    ids=lambda h: f"{h.name}-{h.lobes.detector_exponent}-{h.lobes.emitter_exponent}",
)
def test_column_method_agrees_with_pixels(headset):
    """Same surfaces, but no tables, no chords, double precision: small pixels, cosines by power."""
    users = draw_users(1, 3)
    pose = {"shift_mm": (1.0, -2.0, 0.5), "roll_deg": 3.0}
    for gaze, openness in (((14.0, 9.0), 1.0), ((-20.0, -16.0), 0.6)):
        found = diffuse(headset, gaze, users, openness=openness, quadrature=FINE, **pose)
        state = states(users, [gaze], openness=openness, roll_deg=pose["roll_deg"])[0, 0]
        raster = rasterize(eye_shapes(users, FIRST_ORDER)[0], state, half_mm=SKIN_RADIUS_MM, step_mm=0.125)
        raster.reflectance[raster.x_mm**2 + raster.y_mm**2 > SKIN_RADIUS_MM**2] = 0
        row = pose_rows(np.array([pose["shift_mm"]]), np.array([pose["roll_deg"]]))[0]
        np.testing.assert_allclose(found, irradiance_of_pixels(raster, headset, row), rtol=3e-3)


def test_glint_carries_what_a_traced_bundle_carries():
    """Three rays of a narrow cone from the emitter, mirrored in the cornea, span the lit area."""
    user = nominal_user()
    bare = with_lobes(RING, 0, 0)
    found = irradiance(bare, [(0.0, 0.0)], users=painted(user, 0.0))[0]
    axis = states(user, [(0.0, 0.0)])[0, 0, :3].astype(float)
    row = eye_shapes(user, FIRST_ORDER)[0].astype(float)
    centre, radius = row[2] * axis, row[1]
    for s in (0, 12, 14):  # the glints of others lie under the lid or beyond the limbus
        detector, emitter = np.array(RING.sensors[s].detector_mm), np.array(RING.sensors[s].emitter_mm)
        point = reflection_point(centre, radius, detector, emitter)
        expected = 0.02501 * traced_irradiance(centre, radius, detector, emitter, point)
        assert found[s] == pytest.approx(expected, rel=0.01)


def reflection_point(centre, radius, detector, emitter):
    """On the sphere, by bisection of the angle between detector and emitter as seen from the centre."""
    a, b = (detector - centre), (emitter - centre)
    u = a / np.linalg.norm(a)
    w = b - (b @ u) * u
    w /= np.linalg.norm(w)
    low, high = 0.0, np.arccos(b @ u / np.linalg.norm(b))
    for _ in range(60):
        t = (low + high) / 2
        normal = np.cos(t) * u + np.sin(t) * w
        p = centre + radius * normal
        to_a, to_b = detector - p, emitter - p
        if to_a @ normal / np.linalg.norm(to_a) > to_b @ normal / np.linalg.norm(to_b):
            low = t
        else:
            high = t
    return p


def traced_irradiance(centre, radius, detector, emitter, point):
    """Solid angle over area for a thin bundle through `point`, on a plane that faces it at the detector."""
    main = (point - emitter) / np.linalg.norm(point - emitter)
    side = np.cross(main, [0.0, 1.0, 0.3])
    side /= np.linalg.norm(side)
    other = np.cross(main, side)
    facing = (point - detector) / np.linalg.norm(point - detector)

    def lands(direction):
        direction = direction / np.linalg.norm(direction)
        along = (centre - emitter) @ direction
        depth = along - np.sqrt(radius**2 - np.linalg.norm(emitter + along * direction - centre) ** 2)
        hit = emitter + depth * direction
        normal = (hit - centre) / radius
        out = direction - 2 * (direction @ normal) * normal
        return hit + out * ((detector - hit) @ facing) / (out @ facing)

    e = 1e-4
    first, second = (
        lands(main + e * side) - lands(main - e * side),
        lands(main + e * other) - lands(main - e * other),
    )
    return (2 * e) ** 2 / np.linalg.norm(np.cross(first, second))


def test_mirrored_scene_gives_mirrored_readings():
    def flip(point):
        return point * [-1, 1, 1]

    user = draw_users(1, 5)
    mirrored = replace(user, kappa_h_deg=-user.kappa_h_deg)
    here = irradiance(RING, [(12.0, -7.0)], users=user, shift_mm=(1.5, 0.5, -0.5), roll_deg=4.0)
    there = irradiance(
        moved(RING, flip), [(-12.0, -7.0)], users=mirrored, shift_mm=(-1.5, 0.5, -0.5), roll_deg=-4.0
    )
    np.testing.assert_allclose(here, there, rtol=1e-4)


def test_error_shrinks_with_the_quadrature():
    coarse = Quadrature(6, 13, 12, 4, 12, 4, 2, 3, 2)
    default = Quadrature()
    finer = Quadrature(*(2 * getattr(default, item.name) for item in fields(default)))
    errors = [
        measure(RING, poses=1, samples=1, seed=3, quadrature=q).quadrature_error
        for q in (coarse, default, finer)
    ]
    assert errors[0] > 2 * errors[1]
    assert errors[1] > 2 * errors[2]
    assert errors[1] < 0.003


@pytest.mark.parametrize("axis", [0, 1])
def test_the_dark_iris_dims_the_sensors_it_turns_to(axis):
    gaze = np.zeros((2, 2))
    gaze[:, axis] = (-15.0, 15.0)
    back, forth = irradiance(RING, gaze)
    aims = np.array([sensor.detector_aim_mm[axis] for sensor in RING.sensors])
    assert np.corrcoef(aims, forth - back)[0, 1] < -0.8


def test_shifting_the_headset_is_moving_its_sensors():
    shift = (2.0, -1.0, 0.7)
    by_pose = irradiance(RING, GAZES, shift_mm=shift)
    by_hand = irradiance(moved(RING, lambda p: p + shift), GAZES)
    np.testing.assert_allclose(by_pose, by_hand, rtol=1e-4)


def test_a_shift_to_the_right_is_an_eye_further_left():
    """Dark iris: the sensors that look right of the pupil lose it, those left of it gain it."""
    still, shifted = (
        irradiance(RING, [(-5.0, 2.0)])[0],
        irradiance(RING, [(-5.0, 2.0)], shift_mm=(2.0, 0.0, 0.0))[0],
    )
    aims = np.array([sensor.detector_aim_mm[0] for sensor in RING.sensors])
    inner = np.hypot(*np.array([sensor.detector_aim_mm[:2] for sensor in RING.sensors]).T) < 5
    assert np.corrcoef(aims[inner], (shifted - still)[inner])[0, 1] > 0.5


def test_rolling_the_headset_turns_its_sensors_and_its_gaze():
    """Roll turns x towards y, after the shift in headset axes; gaze is given in headset axes."""
    roll, shift = 5.0, np.array([1.0, 2.0, 0.0])
    c, s = np.cos(np.deg2rad(roll)), np.sin(np.deg2rad(roll))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    h, v = np.deg2rad(10.0), np.deg2rad(-8.0)
    sight = turn @ [np.sin(h) * np.cos(v), np.sin(v), np.cos(h) * np.cos(v)]
    in_head = np.rad2deg([np.arctan2(sight[0], sight[2]), np.arcsin(sight[1])])
    by_pose = irradiance(RING, [(10.0, -8.0)], shift_mm=shift, roll_deg=roll)
    by_hand = irradiance(moved(RING, lambda p: turn @ (p + shift)), [in_head])
    np.testing.assert_allclose(by_pose, by_hand, rtol=1e-4)


def test_a_closed_lid_hides_the_gaze():
    closed = irradiance(RING, GAZES, openness=0.0)
    opened = irradiance(RING, GAZES)
    assert np.ptp(closed, axis=0).max() <= 1e-6 * closed.max()
    assert np.ptp(opened, axis=0).min() > 0.01 * closed.max()


def test_light_is_proportional_to_reflectance():
    user = nominal_user()
    black, grey, white = (irradiance(RING, GAZES, users=painted(user, r)) for r in (0.0, 0.3, 0.6))
    np.testing.assert_allclose(white - black, 2 * (grey - black), rtol=1e-4)


def test_a_wider_pupil_darkens_the_sensors():
    narrow, wide = (irradiance(RING, [(0.0, 0.0)], pupil_mm=pupil)[0] for pupil in (2.0, 7.0))
    assert (wide < narrow).mean() > 0.9


def test_tables_and_plain_sums_agree():
    users, gazes = draw_users(3, 1), np.array(GAZES)
    pose = pose_rows(np.array([[0, 0, 0], [1, 1, 0], [-1, 2, 0.5]], dtype=float), np.array([0.0, 1.0, -2.0]))
    for effects in (FIRST_ORDER, Effects()):
        optics, rows = Optics(RING, FINE, effects), states(users, gazes)
        by_tables, plainly = (render(optics, users, pose, rows, tables=way) for way in (True, False))
        np.testing.assert_allclose(plainly, by_tables, rtol=1e-3)


def test_samples_with_a_pose_each_are_the_same_however_many_are_asked_for():
    user, gazes = draw_users(1, 1), np.array(GAZES)
    pose = pose_rows(np.array([[0, 0, 0], [1, 1, 0], [-1, 2, 0.5], [0, 2, 0]], dtype=float), np.arange(4.0))
    optics, rows = Optics(RING), states(user, gazes)[0]
    together = render_user(optics, user, pose, rows)
    np.testing.assert_array_equal(render_user(optics, user, pose[1:3], rows[1:3]), together[1:3])
    for k in range(4):
        of_many = render(optics, user, pose[k : k + 1], rows[None, k : k + 1], tables=False)
        np.testing.assert_array_equal(of_many[0, 0], together[k])


def test_a_headset_that_sits_still_is_read_the_same_however_many_samples_are_asked_for():
    user, rows = draw_users(1, 1), states(draw_users(1, 1), GAZES)[0]
    pose, optics = pose_rows(np.array([[1.0, 1.0, 0.0]]), np.array([2.0])), Optics(RING)
    together = render_user(optics, user, pose, rows, still=True)
    for k in range(len(GAZES)):
        alone = render_user(optics, user, pose, rows[k : k + 1], still=True)[0]
        np.testing.assert_array_equal(alone, together[k])
    np.testing.assert_array_equal(render(optics, user, pose, rows[None], tables=True)[0], together)


def test_a_sensor_in_the_eye_is_refused():
    with pytest.raises(SimulationError, match="mm from the rotation centre"):
        irradiance(RING, [(0.0, 0.0)], shift_mm=(0.0, -10.0, -22.0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gaze_deg": [(80.0, 0.0)]}, "gaze must lie within"),
        ({"gaze_deg": [(np.nan, 0.0)]}, "gaze must lie within"),
        ({"openness": 1.5}, "openness"),
        ({"pupil_mm": -1.0}, "pupil"),
        ({"shift_mm": (np.nan, 0, 0)}, "finite"),
    ],
)
def test_impossible_states_are_refused(change, words):
    view = {"gaze_deg": [(0.0, 0.0)]} | change
    with pytest.raises(SimulationError, match=words):
        irradiance(RING, view.pop("gaze_deg"), **view)


def test_a_quadrature_of_one_node_is_refused():
    with pytest.raises(SimulationError, match="rows is 1"):
        Quadrature(rows=1)


def test_arrays_that_do_not_match_are_refused():
    users = draw_users(2, 0)
    with pytest.raises(ShapeError, match="rendering 2 users"):
        render(Optics(RING), users, np.zeros((1, 4), np.float32), states(users, GAZES))
