"""Smooth movements: pursuit, the vestibulo-ocular reflex, vergence, and the tasks that ask for them."""

from dataclasses import replace

import numpy as np
import pytest

from psog.errors import SimulationError
from psog.recording import FIXATION, PURSUING, SACCADE
from psog.sim.movement import EyeMovement
from psog.sim.smooth import PURSUIT, VOR, Follower, Ramp, Swing, vergence_deg
from psog.sim.tasks import TASKS, viewer

RATE_HZ = 1000.0


def test_pursuit_begins_after_its_latency_and_reaches_its_gain():
    eye = Follower(PURSUIT, 0.9, RATE_HZ)
    turn, velocity = eye.advance(np.tile([10.0, 0.0], (1000, 1)))
    assert (turn[:100] == 0).all()
    assert velocity[150, 0] < 0.9 * 9 < velocity[-1, 0]
    assert velocity[-1, 0] == pytest.approx(9.0, rel=1e-3)
    assert turn[-1, 0] == pytest.approx(velocity[:, 0].sum() / RATE_HZ)


def test_the_reflex_of_the_head_is_faster_than_pursuit():
    def delay_s(reflex):
        _, velocity = Follower(reflex, 1.0, RATE_HZ).advance(np.tile([1.0, 0.0], (1000, 1)))
        return np.argmax(velocity[:, 0] > 0.5) / RATE_HZ

    assert delay_s(VOR) < 0.02
    assert delay_s(PURSUIT) > 0.12


@pytest.mark.parametrize("reflex", [PURSUIT, VOR], ids=["pursuit", "vor"])
def test_a_follower_does_not_depend_on_how_it_is_asked(reflex):
    target = np.random.default_rng(0).normal(0, 10, (900, 2))
    whole = Follower(reflex, 0.9, RATE_HZ).advance(target)
    parts = Follower(reflex, 0.9, RATE_HZ)
    pieces = [parts.advance(part) for part in np.split(target, [1, 2, 7, 400])]
    for one, other in zip(whole, zip(*pieces, strict=True), strict=True):
        np.testing.assert_array_equal(one, np.concatenate(other))


def following(target_deg, path, reflex, seconds):
    """Samples of an eye that follows, without blinks."""
    movement = EyeMovement(4, RATE_HZ)
    movement.follow(np.array(target_deg), path, reflex=reflex)
    made = movement.advance(int(seconds * RATE_HZ))
    goal = np.array(target_deg) + path.at(np.arange(len(made.event)) / RATE_HZ)
    return made, goal


def test_an_eye_follows_a_dot_and_catches_up_by_saccades():
    made, goal = following([-15.0, 2.0], Ramp(np.array([10.0, 0.0])), PURSUIT, 3.0)
    after = slice(800, None)
    open_eye = made.openness[after] == 1
    error = np.linalg.norm(made.gaze_deg[after] - goal[after], axis=1)[open_eye]
    assert np.median(error) < 1.0
    assert error.max() < 2.5
    event = made.event[after][open_eye]
    assert np.mean(event == PURSUING) > 0.85
    assert (event == SACCADE).any()
    following_now = (made.event[after] == PURSUING)[1:]
    speed = np.diff(made.gaze_deg[after, 0].astype(float))[following_now] * RATE_HZ
    assert 0.8 * 10 < np.median(speed) < 10


def test_a_head_that_turns_hardly_moves_the_target_on_the_retina():
    made, goal = following([3.0, -2.0], Swing(np.array([8.0, 0.0]), 1.0), VOR, 6.0)
    after, open_eye = slice(1000, None), made.openness[1000:] == 1
    error = np.linalg.norm(made.gaze_deg[after] - goal[after], axis=1)[open_eye]
    assert np.quantile(error, 0.9) < 1.2
    assert np.ptp(made.gaze_deg[after, 0]) > 6


def test_a_dot_that_stops_is_looked_at_again():
    movement = EyeMovement(4, RATE_HZ)
    movement.follow(np.array([0.0, 0.0]), Ramp(np.array([12.0, 4.0])))
    movement.advance(1000)
    movement.look_at((10.0, 3.0))
    made = movement.advance(4000)
    late = made.gaze_deg[2000:][made.openness[2000:] == 1]
    assert np.abs(late - [10.0, 3.0]).max() < 1.5
    assert (made.event[3000:] == FIXATION).mean() > 0.7


@pytest.mark.parametrize("side", [1, -1])
def test_an_eye_turns_to_its_nose_for_what_is_near(side):
    def settled(distance_m):
        movement = EyeMovement(9, RATE_HZ, side=side)
        movement.look_at((0.0, 0.0), distance_m=distance_m)
        seen = movement.advance(3000)
        return np.median(seen.gaze_deg[2000:][seen.openness[2000:] == 1], axis=0)

    for distance_m in (0.4, np.inf):  # both end on the target, as this eye sees it
        np.testing.assert_allclose(settled(distance_m), 0, atol=0.6)

    movement = EyeMovement(9, RATE_HZ, side=side)
    movement.look_at((0.0, 0.0))
    movement.advance(2000)
    movement.look_at((0.0, 0.0), distance_m=0.4)
    path = movement.advance(1500).gaze_deg[:, 0].astype(float)
    turned = vergence_deg(0.4, side)
    assert np.sign(turned) == -side
    assert abs(turned) == pytest.approx(4.5, abs=0.1)
    assert abs(path[-200:].mean()) < 1.0
    assert np.max(path * side) > 1.5  # the common jump goes away from the nose, the slow turn comes back


def test_the_new_tasks_move_smoothly():
    for task in ("pursuit", "vor"):
        made = viewer(task, RATE_HZ, (20.0, 15.0), 1).advance(20_000)
        assert (made.event == PURSUING).mean() > 0.5, task
        assert np.abs(made.gaze_deg).max() < 25, task


@pytest.mark.parametrize("task", TASKS)
def test_a_task_does_not_depend_on_how_it_is_asked_for(task):
    one, other = (viewer(task, RATE_HZ, (20.0, 15.0), 6) for _ in range(2))
    whole = one.advance(9000)
    parts = [other.advance(count) for count in (1, 0, 1999, 3000, 1, 3999)]
    for name in ("gaze_deg", "openness", "event"):
        np.testing.assert_array_equal(
            getattr(whole, name), np.concatenate([getattr(part, name) for part in parts]), err_msg=name
        )


def test_a_reflex_differs_between_people():
    gains = [PURSUIT.draw_gain(np.random.default_rng(k)) for k in range(200)]
    assert np.mean(gains) == pytest.approx(0.9, abs=0.01)
    assert np.std(gains) > 0.02
    assert max(gains) < 1
    assert replace(PURSUIT, gain_sd=0.0).draw_gain(np.random.default_rng(0)) == 0.9


def test_a_target_that_is_no_number_is_not_followed():
    with pytest.raises(SimulationError, match="two finite numbers"):
        EyeMovement(0, RATE_HZ).follow(np.array([np.inf, 0.0]), Ramp(np.zeros(2)))
