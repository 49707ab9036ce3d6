"""Episodes for training and testing."""

import numpy as np
import pytest

from psog.errors import SimulationError
from psog.headset import load_headset
from psog.sim.episodes import BLINK_SHARE, make_episodes, make_episodes_of_one, make_test_episodes
from psog.sim.fits import ROLL_DEG, donning, slipped
from psog.sim.population import draw_users

RING = load_headset("ring16")


def test_shapes_and_ranges():
    made = make_episodes(RING, users=4, poses=3, samples=32, seed=1)
    assert made.readings.shape == (4, 3, 32, 16)
    assert made.readings.dtype == made.gaze_deg.dtype == np.float32
    assert np.abs(made.gaze_deg).max() <= 20
    assert 200 < made.readings.min() < made.readings.max() < 4000
    np.testing.assert_allclose(made.noise_counts, 1.6384, rtol=1e-5)


def test_a_user_does_not_depend_on_how_many_there_are():
    few, many = (make_episodes(RING, users=n, samples=8, seed=2) for n in (2, 70))
    np.testing.assert_array_equal(few.readings, many.readings[:2])
    np.testing.assert_array_equal(few.gaze_deg, many.gaze_deg[:2])


def test_the_same_seed_gives_the_same_episodes_and_another_does_not():
    one, again, other = (make_episodes(RING, users=2, samples=8, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(one.readings, again.readings)
    assert not np.array_equal(one.readings, other.readings)


def test_test_users_are_not_training_users():
    train = make_episodes(RING, users=6, samples=63, seed=5, donning_mm=0, slip_mm=0)
    test = make_test_episodes(RING, users=6, seed=5, donning_mm=0, slips_mm=[0.0])
    typical = lambda e: np.median(e.readings[:, 0], axis=1)[:, None]  # noqa: E731
    apart = np.abs(typical(train) - typical(test).transpose(1, 0, 2)).max(axis=2)
    assert apart.min() > 1


def test_calibration_pose_names_targets_and_looks_beside_them():
    made = make_test_episodes(RING, users=3, seed=1, repeats=5, slips_mm=(0, 2), donning_mm=0)
    assert made.readings.shape == (3, 3, 45, 16)
    targets = made.gaze_deg[0, 0].reshape(9, 5, 2)
    assert (targets == targets[:, :1]).all()
    assert sorted(map(tuple, targets[:, 0])) == sorted(
        (x, y) for x in (-15.0, 0.0, 15.0) for y in (-12.0, 0.0, 12.0)
    )
    at_one_target = made.readings[0, 0].reshape(9, 5, 16)[4]
    assert (at_one_target.std(axis=0) > 0.5).all()
    assert (made.openness == 1).all()


def test_a_calibration_may_have_more_points():
    made = make_test_episodes(RING, users=1, seed=1, points=25, repeats=2, slips_mm=(1,))
    assert made.readings.shape == (1, 2, 50, 16)
    assert len(np.unique(made.gaze_deg[0, 0], axis=0)) == 25


def test_blinks_are_few_and_labelled():
    made = make_episodes(RING, users=20, poses=2, samples=100, seed=6)
    assert (made.openness < 1).mean() == pytest.approx(BLINK_SHARE, rel=0.25)
    assert made.openness.min() >= 0


def test_gaze_keeps_to_the_field_asked_for():
    made = make_episodes(RING, users=2, samples=200, seed=1, field_deg=(5.0, 3.0))
    assert 4.5 < np.abs(made.gaze_deg[..., 0]).max() <= 5
    assert 2.7 < np.abs(made.gaze_deg[..., 1]).max() <= 3


def test_slips_have_their_length_and_donnings_their_bounds():
    random = np.random.default_rng(0)
    fits = np.array([donning(random, 2.0) for _ in range(500)])
    assert (np.abs(fits) <= [2, 2, 1, ROLL_DEG]).all()
    assert (np.abs(fits).max(axis=0) > np.array([2, 2, 1, ROLL_DEG]) * 0.95).all()
    moves = np.array([slipped(random, fit, 1.5) - fit for fit in fits])
    np.testing.assert_allclose(np.linalg.norm(moves[:, :3], axis=1), 1.5)
    assert moves[:, 3].std() == pytest.approx(0.7 * 1.5, rel=0.1)


def test_a_slip_changes_readings_and_none_does_not():
    still = make_episodes(RING, users=1, poses=2, samples=400, seed=1, slip_mm=0, donning_mm=0)
    slipping = make_episodes(RING, users=1, poses=2, samples=400, seed=1, slip_mm=4, donning_mm=0)
    change = lambda e: np.abs(np.diff(e.readings[0].mean(axis=1), axis=0)).max()  # noqa: E731
    assert change(slipping) > 3 * change(still)


def test_a_pose_of_one_user_does_not_depend_on_how_many_there_are():
    user = draw_users(1, 7)
    few, many = (make_episodes_of_one(RING, user, poses=n, samples=8, seed=2) for n in (2, 70))
    assert many.readings.shape == (1, 70, 8, 16)
    np.testing.assert_array_equal(few.readings, many.readings[:, :2])
    np.testing.assert_array_equal(few.gaze_deg, many.gaze_deg[:, :2])


def test_one_user_has_open_eyes_and_a_fit_of_its_own_in_every_pose():
    user = draw_users(1, 7)
    donned, still = (
        make_episodes_of_one(RING, user, poses=40, samples=32, seed=2, donning_mm=mm) for mm in (4.0, 0.0)
    )
    assert (donned.openness == 1).all()
    assert np.abs(donned.gaze_deg).max() > 19.5
    between_poses = lambda e: e.readings[0].mean(axis=1).std(axis=0).mean()  # noqa: E731
    assert between_poses(donned) > 2 * between_poses(still)


def test_episodes_of_one_are_not_made_of_two():
    with pytest.raises(SimulationError, match="2 users given, expected 1"):
        make_episodes_of_one(RING, draw_users(2, 7), poses=1, seed=1)


def test_progress_is_told():
    calls = []
    make_episodes(RING, users=70, poses=1, samples=1, seed=0, progress=lambda *c: calls.append(c))
    assert calls == [(64, 70), (70, 70)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"users": 0}, "users is 0"),
        ({"poses": 0}, "poses is 0"),
        ({"samples": -1}, "samples is -1"),
        ({"seed": -1}, "seed -1"),
        ({"donning_mm": -2.0}, "donning_mm"),
        ({"slip_mm": float("nan")}, "slip_mm"),
        ({"field_deg": (90.0, 20.0)}, "gaze must lie within"),
    ],
)
def test_impossible_parameters_are_refused(change, words):
    with pytest.raises(SimulationError, match=words):
        make_episodes(RING, **({"users": 1, "seed": 0} | change))


def test_impossible_slips_are_refused():
    with pytest.raises(SimulationError, match=r"slips_mm\[1\] is -1"):
        make_test_episodes(RING, users=1, seed=0, slips_mm=(0.0, -1.0))
