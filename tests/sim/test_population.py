"""Users and random streams."""

import numpy as np
import pytest

from psog.errors import SimulationError
from psog.sim import anatomy
from psog.sim.population import draw_users, nominal_user
from psog.sim.streams import derived_seed, stream


def test_a_user_depends_on_seed_and_number_only():
    few, many = draw_users(3, 7), draw_users(40, 7)
    np.testing.assert_array_equal(few.lid_upper_mm, many.lid_upper_mm[:3])
    np.testing.assert_array_equal(few.skin, many.take(np.arange(3)).skin)
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
