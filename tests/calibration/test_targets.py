"""Calibration grids and their held-out validation places."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psog.calibration.targets import FIELD_SHARE, Target, plan_targets
from psog.errors import CalibrationError

FIELDS = [(20.0, 20.0), (20.0, 15.0), (8.0, 30.0)]
POINTS = [1, 5, 9, 13]


def places(targets: tuple[Target, ...]) -> list[tuple[float, float]]:
    return [(target.h_deg, target.v_deg) for target in targets]


@pytest.mark.parametrize("field_deg", FIELDS)
@pytest.mark.parametrize("points", POINTS)
def test_grid_has_the_points_asked_for_and_stays_inside_the_field(points, field_deg):
    plan = plan_targets(points, field_deg, seed=0)
    assert len(set(places(plan.calibration))) == points
    for h_deg, v_deg in places(plan.calibration + plan.validation):
        assert abs(h_deg) <= FIELD_SHARE * field_deg[0] + 1e-9
        assert abs(v_deg) <= FIELD_SHARE * field_deg[1] + 1e-9


def test_one_point_is_the_centre():
    assert places(plan_targets(1, (20.0, 20.0), seed=0).calibration) == [(0.0, 0.0)]


@pytest.mark.parametrize("points", POINTS[1:])
def test_grid_reaches_the_four_corners_and_the_centre(points):
    found = places(plan_targets(points, (20.0, 20.0), seed=0).calibration)
    assert {(0.0, 0.0), *itertools.product((-16.0, 16.0), repeat=2)} <= set(found)


@pytest.mark.parametrize("points", POINTS)
def test_validation_targets_lie_well_away_from_every_calibration_target(points):
    plan = plan_targets(points, (20.0, 20.0), seed=0)
    nearest_deg = min(
        math.dist(held_out, used)
        for held_out, used in itertools.product(places(plan.validation), places(plan.calibration))
    )
    assert nearest_deg > 3.0


def test_validation_targets_cover_all_four_quadrants():
    quadrants = {(h > 0, v > 0) for h, v in places(plan_targets(9, (20.0, 20.0), seed=0).validation)}
    assert len(quadrants) == 4


@given(st.integers(0, 2**32), st.sampled_from(POINTS))
def test_order_is_a_permutation_decided_by_the_seed_alone(seed, points):
    plan = plan_targets(points, (20.0, 20.0), seed)
    assert plan == plan_targets(points, (20.0, 20.0), seed)
    assert sorted(places(plan.calibration)) == sorted(
        places(plan_targets(points, (20.0, 20.0), 0).calibration)
    )


def test_seeds_give_different_orders():
    orders = {plan_targets(9, (20.0, 20.0), seed).calibration for seed in range(20)}
    assert len(orders) == 20


@pytest.mark.parametrize("points", [-1, 0, 2, 4, 10])
def test_other_numbers_of_points_are_refused_with_the_choice_named(points):
    with pytest.raises(CalibrationError, match="choose 1, 5, 9 or 13"):
        plan_targets(points, (20.0, 20.0), seed=0)
