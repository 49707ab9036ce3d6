"""The eye counts as resting only after it has arrived."""

import pytest

from psog.calibration.still import Arrival, StillnessRule
from psog.device.stillness import Stillness

RULE = StillnessRule()
STEP_US = 1000


ELSEWHERE = (-12.0, 0.0)


def arrival_us(
    gaze_h_deg, valid=lambda t_us: True, step_us=STEP_US, start_us=7_000_000, started_deg=ELSEWHERE
):
    """Device time from the target's appearance until the eye is taken to rest there; None when overdue."""
    arrival, stillness = Arrival(RULE, started_deg), Stillness()
    t_us = 0
    while not arrival.overdue:
        gaze_deg, is_open = (gaze_h_deg(t_us), 0.0), valid(t_us)
        still = stillness.rests(start_us + t_us, gaze_deg, valid=is_open)
        if arrival.add(start_us + t_us, gaze_deg, valid=is_open, still=still):
            return t_us
        t_us += step_us
    return None


def test_an_eye_that_arrives_at_once_is_still_waited_for():
    assert arrival_us(lambda t_us: 5.0) == RULE.earliest_us


@pytest.mark.parametrize("step_us", [1000, 4000, 10_000])
@pytest.mark.parametrize("begins_us", [350_000, 700_000])
def test_a_late_saccade_is_waited_out_at_any_rate(step_us, begins_us):
    ends_us = begins_us + 100_000

    def gaze(t_us):
        return 20.0 * min(max((t_us - begins_us) / (ends_us - begins_us), 0.0), 1.0)

    found = arrival_us(gaze, step_us=step_us, started_deg=(0.0, 0.0))
    assert found is not None
    assert found >= ends_us


@pytest.mark.parametrize("started_deg", [None, (5.0, 0.0), (6.0, 1.0)])
def test_an_eye_that_does_not_move_counts_as_there_after_a_second(started_deg):
    assert arrival_us(lambda t_us: 5.0, started_deg=started_deg) == RULE.unmoved_us


def test_readings_around_a_blink_do_not_count():
    found = arrival_us(lambda t_us: 5.0, valid=lambda t_us: not 300_000 < t_us < 500_000)
    assert found is not None
    assert found >= 500_000 + 90_000


def test_noise_of_single_readings_is_not_movement():
    assert arrival_us(lambda t_us: 1.0 if t_us // STEP_US % 2 else -1.0) == RULE.earliest_us


def test_an_eye_that_never_rests_is_overdue():
    assert arrival_us(lambda t_us: 40.0 * t_us * 1e-6) is None


def test_a_closed_eye_is_overdue_and_counted():
    arrival = Arrival(RULE, None)
    for t_us in range(0, RULE.latest_us + STEP_US, STEP_US):
        assert not arrival.add(t_us, (0.0, 0.0), valid=False, still=False)
    assert arrival.overdue
    assert arrival.closed == arrival.readings
