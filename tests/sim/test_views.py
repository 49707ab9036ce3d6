"""Moments rendered again: the gaze stays, and no view looks like another gaze."""

import numpy as np
import pytest

from psog.errors import ShapeError, SimulationError
from psog.headset import load_headset
from psog.positives import Positives
from psog.sim.views import make_views

HEADSET = load_headset("ring16")


@pytest.fixture(scope="module")
def views():
    return make_views(HEADSET, users=6, moments=80, seed=4)


def test_every_view_of_a_moment_is_another_reading_of_whole_counts(views):
    assert views.readings.shape == (480, 4, 16) and views.headset == "ring16"
    np.testing.assert_array_equal(views.wearer, np.repeat(np.arange(6), 80))
    np.testing.assert_array_equal(views.readings, np.rint(views.readings))
    assert (np.abs(np.diff(views.readings, axis=1)).max(axis=2) > 0).all()


def test_no_view_looks_like_another_gaze(views):
    """Moments of a user can be told apart in the readings of another view, by the nearest one."""
    for user in range(6):
        readings = views.readings[views.wearer == user]
        one, other = (r - r.mean(axis=0) for r in (readings[:, 0], readings[:, 1]))
        distance = np.linalg.norm(one[:, None] - other[None], axis=2)
        rank = (distance < np.diagonal(distance)[:, None]).sum(axis=1)
        assert np.median(rank) <= 2  # of 79 others


def test_a_user_s_views_depend_on_the_user_alone(views):
    few = make_views(HEADSET, users=2, moments=80, seed=4)
    np.testing.assert_array_equal(few.readings, views.readings[:160])
    other = make_views(HEADSET, users=2, moments=80, seed=5)
    assert np.abs(other.readings - few.readings).mean() > 10


def test_a_larger_shift_makes_views_differ_more():
    near, far = (
        make_views(HEADSET, users=4, moments=16, shift_mm=shift, seed=1).readings for shift in (0.0, 0.9)
    )
    assert np.abs(np.diff(far, axis=1)).mean() > 1.2 * np.abs(np.diff(near, axis=1)).mean()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"users": 0}, "0 users"),
        ({"views": 1}, "1 views"),
        ({"shift_mm": 1.0}, "shift_mm is 1, expected below 1"),
        ({"shift_mm": np.nan}, "shift_mm is nan"),
    ],
)
def test_what_cannot_be_rendered_is_one_line(wrong, told):
    with pytest.raises(SimulationError, match=told):
        make_views(HEADSET, **{"users": 2, "seed": 0, **wrong})


def test_positives_whose_arrays_do_not_belong_together_are_refused():
    with pytest.raises(ShapeError, match="2 views or more"):
        Positives("ring16", np.zeros((3, 1, 16), np.float32), np.zeros(3, np.int64))
