"""An eye is open by its own measure: a stranger's at the edge of the field too, but no blink."""

import math

import pytest

from psog.device.lids import Lids


def open_at(openness, seconds=3.0, step_us=1000):
    """Times (seconds) at which the lids are open."""
    lids, times = Lids(), range(0, round(seconds * 1e6), step_us)
    return [t_us / 1e6 for t_us in times if lids.open(t_us, openness(t_us / 1e6))]


@pytest.mark.parametrize("step_us", [1000, 10_000])
def test_an_eye_that_is_open_otherwise_elsewhere_counts_after_a_moment(step_us):
    times = open_at(lambda t: 1.0 if t < 1 else 0.7, step_us=step_us)
    assert min(t for t in times if t > 1) < 2.5
    assert sum(t >= 2.5 for t in times) == 500_000 // step_us


@pytest.mark.parametrize("level", [0.75, 1.0])
def test_a_blink_is_left_out_from_beginning_to_end(level):
    def blink(t):  # 100 ms down, 100 ms up
        return level * min(abs(t - 1.1) / 0.1, 1.0)

    assert not [t for t in open_at(blink) if blink(t) < 0.65 * level]


@pytest.mark.parametrize("openness", [0.0, 0.49, math.nan, -math.inf])
def test_an_eye_that_stays_closed_never_counts(openness):
    assert open_at(lambda t: openness) == []


def test_a_clock_that_goes_back_begins_anew():
    lids = Lids()
    assert lids.open(5_000_000, 1.0)
    assert lids.open(1_000, 0.7)
