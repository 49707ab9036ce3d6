"""An eye is at rest by the device's rule: what moves it, and what is only noise."""

import math

import numpy as np
import pytest

from psog.device.stillness import Stillness


def resting_ms(gaze_h_deg, *, seconds=1.0, step_us=1000, is_open=lambda t_us: True):
    """Times (ms) at which the eye rests."""
    stillness, times = Stillness(), range(0, round(seconds * 1e6), step_us)
    return [t / 1000 for t in times if stillness.rests(t, (gaze_h_deg(t), 0.0), valid=is_open(t))]


@pytest.mark.parametrize("step_us", [500, 1000, 3000, 10_000, 33_000, 50_000])
def test_it_takes_a_hundred_milliseconds_at_any_rate(step_us):
    times = resting_ms(lambda t_us: 5.0, step_us=step_us)
    assert 90 <= times[0] < 90 + step_us / 1000
    assert len(times) == len(range(round(times[0] * 1000), 1_000_000, step_us))


def test_an_eye_that_is_seen_less_than_twenty_times_a_second_never_rests():
    assert resting_ms(lambda t_us: 5.0, step_us=51_000) == []


@pytest.mark.parametrize("step_us", [1000, 4000, 10_000])
@pytest.mark.parametrize("phase_us", [0, 3000, 9000])
def test_a_saccade_is_noticed_within_its_first_milliseconds_and_until_it_is_over(phase_us, step_us):
    begins_us, ends_us = 500_000 + phase_us, 550_000 + phase_us

    def gaze(t_us):
        return 15.0 * min(max((t_us - begins_us) / (ends_us - begins_us), 0.0), 1.0)

    times = resting_ms(gaze, step_us=step_us)
    assert not [t for t in times if begins_us + 15_000 <= 1000 * t < ends_us + 80_000]
    assert [t for t in times if 1000 * t > ends_us + 110_000]


@pytest.mark.parametrize(("speed_deg_s", "rests"), [(5.0, True), (9.0, True), (12.0, False), (40.0, False)])
def test_it_may_drift_by_ten_degrees_a_second(speed_deg_s, rests):
    times = resting_ms(lambda t_us: speed_deg_s * t_us / 1e6)
    assert bool(times) is rests


def test_noise_of_single_readings_is_not_movement():
    random = np.random.default_rng(0)
    assert len(resting_ms(lambda t_us: random.normal(0, 0.5), seconds=5.0)) > 0.99 * (5000 - 90)


@pytest.mark.parametrize("blink_ms", [1, 60, 150])
def test_after_a_blink_it_has_to_rest_anew(blink_ms):
    times = resting_ms(lambda t_us: 5.0, is_open=lambda t_us: not 300_000 <= t_us < 300_000 + 1000 * blink_ms)
    assert [t for t in times if t < 300]
    assert min(t for t in times if t >= 300) == 300 + blink_ms + 90


@pytest.mark.parametrize("gaze_deg", [math.nan, math.inf, -math.inf])
def test_a_gaze_that_is_no_number_is_none(gaze_deg):
    assert resting_ms(lambda t_us: gaze_deg) == []


def test_a_clock_that_goes_back_or_stands_still_lets_nothing_rest_too_soon():
    stillness = Stillness()
    assert [stillness.rests(t, (0.0, 0.0), valid=True) for t in range(0, 100_000, 10_000)][-1]
    assert not stillness.rests(50_000, (0.0, 0.0), valid=True)
    stillness = Stillness()
    assert not any(stillness.rests(7, (0.0, 0.0), valid=True) for _ in range(70_000))
