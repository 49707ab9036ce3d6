"""Users and random streams."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from psog.errors import SimulationError
from psog.headset import load_headset
from psog.sim import anatomy
from psog.sim.people import BOTH_EYES, CUT_SD, PEOPLE, Normal, Population, Range
from psog.sim.population import draw_users, nominal_user
from psog.sim.streams import derived_seed, stream
from tests.sim.views import irradiance, moved

RING = load_headset("ring16")


def test_a_user_depends_on_seed_and_number_only():
    few, many = draw_users(3, 7), draw_users(40, 7)
    np.testing.assert_array_equal(few.lid_upper_mm, many.lid_upper_mm[:3])
    for item in fields(few):
        np.testing.assert_array_equal(getattr(few, item.name), getattr(many.take(np.arange(3)), item.name))
    np.testing.assert_array_equal(draw_users(1, 7, first=2).crease_mm, few.crease_mm[2:])
    assert draw_users(3, 8).skin[0] != few.skin[0]


def test_users_vary_about_the_nominal_eye():
    users, nominal = draw_users(2000, 1), nominal_user()
    for name, spread in (("kappa_h_deg", 1.33), ("eye_radius_mm", 0.4), ("lid_upper_mm", 0.95)):
        values = getattr(users, name)
        assert values.mean() == pytest.approx(getattr(nominal, name)[0], abs=0.1 * spread)
        assert values.std() == pytest.approx(spread, rel=0.1)
    aperture = users.lid_upper_mm + users.lid_lower_mm
    assert (aperture.mean(), aperture.std()) == (pytest.approx(9.7, abs=0.1), pytest.approx(1.2, rel=0.1))


def test_every_user_has_a_possible_eye():
    users = draw_users(2000, 2)
    for low, high, values in (
        (*anatomy.SKIN_REFLECTANCE, users.skin),
        (*anatomy.IRIS_REFLECTANCE, users.iris),
        (1.5, 6.5, users.pupil_mm),
    ):
        assert low <= values.min() < values.max() <= high
    assert (users.iris_radius_mm < users.cornea_radius_mm).all()


def test_a_left_eye_is_the_mirror_image_of_the_right_eye_it_could_have_been():
    both, right = draw_users(300, 5, population=BOTH_EYES), draw_users(300, 5)
    assert (right.side == 1).all()
    assert (both.side == -1).mean() == pytest.approx(0.5, abs=0.1)
    for item in fields(both):
        sign = both.side if item.name in ("side", "kappa_h_deg", "face_tilt_h") else 1
        np.testing.assert_array_equal(getattr(both, item.name), sign * getattr(right, item.name))


def test_a_left_eye_reads_like_its_right_eye_in_a_mirror():
    """Everything that points to a side is turned round: sensors, gaze, shift and roll."""
    right, left = draw_users(60, 9), draw_users(60, 9, population=BOTH_EYES)
    k = int((left.side < 0).argmax())
    pose = {"shift_mm": (0.7, -0.4, 0.2), "roll_deg": 3.0}
    mirrored_pose = {"shift_mm": (-0.7, -0.4, 0.2), "roll_deg": -3.0}
    here = irradiance(RING, [(9.0, -6.0)], users=right.take(slice(k, k + 1)), **pose)
    there = irradiance(
        moved(RING, lambda point: point * [-1, 1, 1]),
        [(-9.0, -6.0)],
        users=left.take(slice(k, k + 1)),
        **mirrored_pose,
    )
    np.testing.assert_allclose(there, here, rtol=1e-4)


def test_the_nose_lies_further_forward_and_the_line_of_sight_is_nasal():
    """Nasal is -x of a right eye: heights grow towards it and the optical axis points away from it."""
    users = draw_users(500, 3)
    assert (users.face_tilt_h * users.side < 0).all()
    assert (users.kappa_h_deg * users.side > 0).all()


def test_some_wear_spectacles_and_some_have_no_crease():
    users = draw_users(2000, 4)
    worn = users.lens_dioptre[users.lens_dioptre != 0]
    assert len(worn) / 2000 == pytest.approx(0.25, abs=0.03)
    assert (worn.mean(), worn.std()) == (pytest.approx(-2, abs=0.3), pytest.approx(2.5, rel=0.1))
    assert np.abs(worn).max() <= 8
    assert (users.crease_mm == 0).mean() == pytest.approx(0.15, abs=0.03)
    assert users.crease_mm[users.crease_mm > 0].min() > 4


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("lash_density", 0, 0.6), ("lash_length_mm", 8, 12), ("relief_mm", 0, 0.6), ("relief_phase", 0, 1)],
)
def test_lashes_and_relief_keep_to_their_ranges(name, low, high):
    values = getattr(draw_users(2000, 2), name)
    reach = high - low
    assert low <= values.min() < low + 0.1 * reach
    assert high - 0.15 * reach < values.max() <= high


def test_the_nominal_user_is_a_right_eye_with_smooth_skin_and_no_lens():
    user = nominal_user()
    assert (user.side, user.lens_dioptre, user.relief_mm) == (1, 0, 0)
    assert user.lash_density == PEOPLE.lash_density.mean
    assert user.face_tilt_h == PEOPLE.face_tilt_h.mean


def test_a_population_changes_what_it_says_and_nothing_else():
    narrow = replace(PEOPLE, skin=Range(0.5, 0.5), kappa_h_deg=Normal(5.0, 0.0), spectacles_share=0.0)
    usual, changed = draw_users(50, 6), draw_users(50, 6, population=narrow)
    assert (changed.skin == 0.5).all()
    assert (np.abs(changed.kappa_h_deg) == 5).all()
    assert (changed.lens_dioptre == 0).all()
    for name in ("eye_radius_mm", "iris", "side", "lash_density", "crease_mm"):
        np.testing.assert_array_equal(getattr(changed, name), getattr(usual, name))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Population(left_share=1.2), "left_share 1.2"),
        (lambda: Normal(1.0, -0.1), "SD -0.1"),
        (lambda: Normal(float("nan"), 1.0), "mean nan"),
        (lambda: Range(2.0, 1.0), "from 2.0 to 1.0"),
    ],
)
def test_impossible_distributions_are_refused(wrong, words):
    with pytest.raises(SimulationError, match=words):
        wrong()


def test_spheres_meet_in_the_limbus_and_the_pupil_is_magnified():
    """Textbook: the entrance pupil lies 3.05 mm behind the apex and is 1.13 times the pupil."""
    eye, cornea, limbus = (
        np.array(v) for v in (anatomy.EYE_RADIUS_MM, anatomy.CORNEA_RADIUS_MM, anatomy.IRIS_RADIUS_MM)
    )
    centre = anatomy.cornea_centre_mm(eye, cornea, limbus)
    depth = np.sqrt(eye**2 - limbus**2)
    assert np.hypot(depth - centre, limbus) == pytest.approx(cornea)
    image_depth, magnification = anatomy.pupil_image(cornea)
    assert image_depth == pytest.approx(3.05, abs=0.1)
    assert magnification == pytest.approx(1.13, abs=0.01)


@pytest.mark.parametrize(("count", "seed"), [(0, 1), (-3, 1), (2, -1)])
def test_impossible_populations_are_refused(count, seed):
    with pytest.raises(SimulationError, match="cannot draw"):
        draw_users(count, seed)


def test_streams_of_other_purposes_seeds_or_items_differ():
    draws = {
        stream(*key).random() for key in ((1, "a", 0), (1, "a", 1), (1, "b", 0), (2, "a", 0), (12, "a", 0))
    }
    assert len(draws) == 5
    assert stream(1, "a", 0).random() in draws
    assert derived_seed(1, "train") != derived_seed(1, "test")


def test_the_documented_population_is_the_one_that_is_drawn():
    text = (Path(__file__).parents[2] / "docs" / "people.md").read_text("utf-8")
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:5]] for line in text.splitlines() if "| `" in line
    ]
    found = {name: (mean, sd, ends) for name, mean, sd, ends in rows if " to " in ends}
    spreads = PEOPLE.spreads()
    assert set(found) >= set(spreads)
    for name, spread in spreads.items():
        mean, sd, ends = found[name]
        low, high = map(float, ends.split(" to "))
        assert float(mean) == pytest.approx(spread.mean)
        if isinstance(spread, Normal):
            assert float(sd) == spread.sd
            assert (spread.at(-CUT_SD), spread.at(CUT_SD)) == (pytest.approx(low), pytest.approx(high))
        else:
            assert (sd, low, high) == ("uniform", spread.low, spread.high)
