"""Where on a screen a direction of gaze lies."""

import math

import pytest

from psog.calibration.targets import Target, plan_targets
from psog.calibration.viewing import FlatScreen, LensScreen, Picture, outside, parse_size
from psog.errors import CalibrationError

SCREEN = FlatScreen(distance_cm=60, screen_cm=(53, 30))
FIELD_DEG = (20.0, 20.0)


def test_the_line_of_sight_meets_a_flat_screen_where_its_direction_says():
    h, v = math.radians(17), math.radians(-11)
    right, up, ahead = math.sin(h) * math.cos(v), math.sin(v), math.cos(h) * math.cos(v)
    x, y = SCREEN.place(17, -11)
    assert (x * 53, y * 30) == pytest.approx((60 * right / ahead, 60 * up / ahead))


def test_straight_ahead_is_the_centre_of_every_display():
    for viewing in (SCREEN, LensScreen((90, 80)), Picture(FIELD_DEG)):
        assert viewing.place(0, 0) == (0, 0)


def test_a_lens_spreads_degrees_evenly():
    assert LensScreen((90, 80)).place(45, -20) == (0.5, -0.25)


@pytest.mark.parametrize("viewing", [SCREEN, LensScreen((30, 20)), FlatScreen(100, (53, 30))])
def test_a_plan_that_is_drawn_in_to_the_screen_is_all_of_it_inside(viewing):
    plan = plan_targets(9, FIELD_DEG, 0, reach_deg=viewing.reach_deg())
    targets = (*plan.calibration, *plan.validation)
    assert outside(viewing, targets, (1, 1)) == 0
    assert outside(viewing, targets, (1, 0.85)) > 0


def test_a_plan_on_a_large_screen_is_as_large_as_the_headset_allows():
    large = FlatScreen(60, (120, 90))
    assert plan_targets(9, FIELD_DEG, 0, reach_deg=large.reach_deg()) == plan_targets(9, FIELD_DEG, 0)


def test_a_screen_that_shows_too_little_is_refused():
    with pytest.raises(CalibrationError, match=r"out to 4\.8° to the side and 2\.7° up; at least 6°"):
        plan_targets(9, FIELD_DEG, 0, reach_deg=FlatScreen(300, (53, 30)).reach_deg())


def test_targets_outside_a_window_are_counted():
    targets = tuple(Target("calibration", h_deg, 0.0) for h_deg in (0.0, 10.0, 20.0))
    assert [outside(SCREEN, targets, (share, 1)) for share in (1, 0.7, 0.3)] == [0, 1, 2]


@pytest.mark.parametrize("text", ["53x30", "53X30", "53×30"])
def test_a_size_is_width_and_height(text):
    assert parse_size("--screen-cm", text) == (53, 30)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (lambda: parse_size("--screen-cm", "53"), "--screen-cm is '53'; expected width and height"),
        (lambda: parse_size("--screen-cm", "ax3"), "--screen-cm is 'ax3'"),
        (lambda: FlatScreen(0, (53, 30)), "--distance-cm is 0"),
        (lambda: FlatScreen(60, (53, math.inf)), "--screen-cm is inf"),
        (lambda: LensScreen((90, -1)), "--screen-deg is -1"),
    ],
)
def test_what_is_no_geometry_is_told(bad, told):
    with pytest.raises(CalibrationError, match=told):
        bad()
