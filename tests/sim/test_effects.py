"""The optical effects beyond the first order: each does what the thing it models does."""

from dataclasses import fields, replace

import numpy as np
import pytest

from psog.drive import Drive
from psog.headset import load_headset
from psog.parts import Lobe
from psog.sim.effects import FIRST_ORDER, Effects
from psog.sim.native import Kernels
from psog.sim.optics import response
from psog.sim.population import draw_users, nominal_user
from psog.sim.quadrature import FINE, nodes
from psog.sim.render import Optics, pose_rows
from psog.sim.surfaces import eye_shapes
from tests.sim.views import irradiance, moved, painted, states

RING, GRID = load_headset("ring16"), load_headset("grid15")
GAZES = [(0.0, 0.0), (15.0, 0.0), (-10.0, -15.0)]
ABOVE = [k for k, sensor in enumerate(RING.sensors) if sensor.detector_mm[1] > 10]
BELOW = [k for k, sensor in enumerate(RING.sensors) if sensor.detector_mm[1] < -10]


def with_only(**effects: bool) -> Effects:
    return replace(FIRST_ORDER, **effects)


def change(effects: Effects, users=None, gazes=GAZES, headset=RING, **view):
    """(n, sensors) relative change that effects bring to what there is without them."""
    without = irradiance(headset, gazes, users=users, quadrature=FINE, **view)
    return irradiance(headset, gazes, users=users, quadrature=FINE, effects=effects, **view) / without - 1


@pytest.mark.parametrize("name", [item.name for item in fields(Effects)])
def test_every_effect_changes_readings_by_its_share(name):
    """From a tenth of a per mille (a glint in the wet sclera) to some percent."""
    wearing = replace(draw_users(1, 2), lens_dioptre=np.array([-4.0]), lash_density=np.array([0.3]))
    headset = GRID if name == "spectacles" else RING
    share = np.abs(change(with_only(**{name: True}), wearing, headset=headset)).mean()
    assert 1e-4 < share < 0.3


def test_a_black_lid_edge_only_hides():
    """Its wall gives nothing, and what it hides is missing most where one looks over it."""
    black = painted(nominal_user(), 0.0)
    eye = replace(black, sclera=np.array([0.6]), iris=np.array([0.2]))
    lost = change(with_only(lid_margin=True), eye, [(0.0, 0.0)])[0]
    assert (lost < 0).all()
    assert lost.min() > -0.9
    assert lost[ABOVE].mean() < -0.3


def test_a_lid_edge_is_seen_from_the_other_side():
    """A bright upper edge over a black eye: sensors below see it, sensors above hardly do."""
    skin = replace(painted(nominal_user(), 0.0), skin=np.array([0.6]))
    shut = irradiance(RING, [(0.0, 0.0)], users=skin, quadrature=FINE)[0]
    more = (
        irradiance(RING, [(0.0, 0.0)], users=skin, quadrature=FINE, effects=with_only(lid_margin=True))[0]
        / shut
    )
    assert more[BELOW].mean() > 1.05
    assert (more >= 0.999).all()


def test_a_lid_without_height_has_no_edge():
    """Shut lids leave no opening, so no edges: the effect ends where the eye closes."""
    assert np.abs(change(with_only(lid_margin=True), openness=0.0)).max() < 1e-6


def test_lashes_darken_what_is_seen_through_them():
    dense = replace(nominal_user(), lash_density=np.array([0.5]))
    lost = change(with_only(lashes=True), dense, [(0.0, 0.0)])[0]
    assert (lost <= 1e-6).all()
    assert lost[ABOVE].mean() < -0.01
    assert np.abs(lost[BELOW]).max() < 1e-6  # lashes rise: from below one looks past them


def test_denser_lashes_take_more():
    readings = [
        irradiance(
            RING,
            GAZES,
            users=replace(nominal_user(), lash_density=np.array([density])),
            effects=with_only(lashes=True),
        )
        for density in (0.0, 0.2, 0.4)
    ]
    assert readings[0].sum() > readings[1].sum() > readings[2].sum()
    np.testing.assert_array_equal(readings[0], irradiance(RING, GAZES))


def test_the_tear_film_mirrors_less_in_the_cornea():
    """Fresnel at near normal incidence: 2.08 % for tears, 2.50 % for the bare cornea."""
    black = painted(nominal_user(), 0.0)
    ahead = change(with_only(tear_film=True), black, [(0.0, 0.0)], headset=GRID)
    assert np.median(ahead[ahead > -0.9]) == pytest.approx(0.0208 / 0.0250 - 1, abs=0.02)


def test_interreflection_needs_skin():
    dark_skin = replace(nominal_user(), skin=np.zeros(1))
    assert np.abs(change(with_only(interreflection=True), dark_skin)).max() < 1e-6
    assert 0.01 < change(with_only(interreflection=True)).mean() < 0.08


def test_a_weak_lens_moves_a_part_as_the_thin_lens_equation_says():
    """Parts behind a lens, or the same parts at their images with images' strength, read alike."""
    power, plane = -3.0, 25.4
    user = replace(nominal_user(), lens_dioptre=np.array([power]))

    def seen(point, aim):
        """The image of a part, and a point on its axis behind the lens: where the axis crosses the lens."""
        at, towards = np.array(point), np.array(aim)
        u = at[2] - plane
        v = u / (1 - u * power / 1000)
        crossing = at + (towards - at) * u / (at[2] - towards[2])
        return (*(at[:2] * v / u), plane + v), tuple(crossing)

    images = []
    for one in GRID.sensors:
        detector, emitter = (
            seen(one.detector_mm, one.detector_aim_mm),
            seen(one.emitter_mm, one.emitter_aim_mm),
        )
        names = ("detector_mm", "detector_aim_mm", "emitter_mm", "emitter_aim_mm")
        images.append(one.model_copy(update=dict(zip(names, (*detector, *emitter), strict=True))))
    through = irradiance(GRID, GAZES, users=user, effects=with_only(spectacles=True), quadrature=FINE)
    instead = irradiance(
        GRID.model_copy(update={"sensors": tuple(images)}), GAZES, users=user, quadrature=FINE
    )
    u = 40.0 - plane
    strength = ((1 / (1 - u * power / 1000)) ** 2 * 0.92) ** 2
    np.testing.assert_allclose(through, instead * strength, rtol=1e-4)


def test_emitters_that_shine_together_add_up():
    """What sensor s reads of all emitters is the sum of what it reads of each, put in its place."""
    together = GRID.model_copy(update={"drive": Drive(multiplexing="none")})
    turned = [turn_emitters(GRID, step) for step in range(GRID.sensor_count)]
    for effects in (FIRST_ORDER, with_only(tear_film=True, interreflection=True)):
        one_by_one = sum(irradiance(one, GAZES, effects=effects, quadrature=FINE) for one in turned)
        at_once = irradiance(together, GAZES, effects=effects, quadrature=FINE)
        np.testing.assert_allclose(at_once, one_by_one, rtol=1e-4)


def test_neighbouring_slots_leak_their_share():
    leaky = RING.model_copy(update={"drive": Drive(crosstalk=0.1)})
    own, before, after = (irradiance(turn_emitters(RING, step), GAZES) for step in (0, -1, 1))
    np.testing.assert_allclose(irradiance(leaky, GAZES), own + 0.1 * (before + after), rtol=1e-4)


def turn_emitters(headset, step):
    """The headset with each emitter replaced by that of the sensor `step` further."""
    sensors, count = headset.sensors, headset.sensor_count
    names = ("emitter_mm", "emitter_aim_mm")
    turned = tuple(
        sensor.model_copy(update={name: getattr(sensors[(k + step) % count], name) for name in names})
        for k, sensor in enumerate(sensors)
    )
    return headset.model_copy(update={"sensors": turned})


def test_a_lobe_given_as_a_table_reads_as_the_power_it_was_made_from():
    angles = np.linspace(0, 90, 181)
    table = Lobe(None, tuple(angles), tuple(np.cos(np.deg2rad(angles)).clip(0) ** 8))
    optics = Optics(RING)
    sensors = replace(optics.sensors, detector=response(table))
    kernels = Kernels(sensors, nodes(FINE), FIRST_ORDER)
    users, pose = nominal_user(), pose_rows(np.zeros((1, 3)), np.zeros(1))
    eyes, rows = eye_shapes(users, FIRST_ORDER), states(users, GAZES)
    found = kernels.render(eyes, pose, rows, tables=False)[0]
    np.testing.assert_allclose(found, irradiance(RING, GAZES, quadrature=FINE, tables=False), rtol=1e-3)


def test_left_eyes_are_right_eyes_in_a_mirror_with_every_effect():
    right = replace(draw_users(1, 4), side=np.ones(1))
    left = replace(
        right,
        side=-np.ones(1),
        kappa_h_deg=-right.kappa_h_deg,
        face_tilt_h=-right.face_tilt_h,
    )
    flipped = moved(RING, lambda point: point * [-1, 1, 1])
    mirrored = [(-h, v) for h, v in GAZES]
    of_right = irradiance(RING, GAZES, users=right, effects=Effects(), quadrature=FINE)
    of_left = irradiance(flipped, mirrored, users=left, effects=Effects(), quadrature=FINE)
    np.testing.assert_allclose(of_left, of_right, rtol=2e-4)
