"""Validation is judged on an eye at rest, away from blinks."""

import numpy as np
import pytest

from psog.calibration.pairs import BLINK_FLANK_US, PairCollector
from psog.device.stillness import Stillness

STEP_US = 1000


def collect(wanted, closed=lambda t_us: False, arrives=lambda t_us: True):
    """Pairs whose gaze is their own time, so that it tells which readings were kept.

    Once it is open the eye rests, as the device sees it.
    """
    pairs, stillness = PairCollector(wanted), Stillness()
    for t_us in range(-BLINK_FLANK_US, 10_000_000, STEP_US):
        rests = stillness.rests(t_us, (0.0, 0.0), valid=not closed(t_us))
        if arrives(t_us) and t_us >= 0:
            pairs.add(t_us, (t_us, 0.0), (t_us, 1.0), rests=rests)
        if pairs.complete:
            return pairs
    raise AssertionError("never complete")


def kept_us(pairs):
    before_deg, after_deg = pairs.gaze_deg
    np.testing.assert_array_equal(before_deg[:, 0], after_deg[:, 0])
    return before_deg[:, 0]


def test_an_eye_that_stays_open_gives_the_first_readings_and_loses_none():
    pairs = collect(300)
    np.testing.assert_array_equal(kept_us(pairs), np.arange(300) * STEP_US)
    assert pairs.lost == 0


@pytest.mark.parametrize("begins_us", [0, 50_000, 200_000, 299_000, 350_000])
def test_nothing_close_to_a_blink_is_kept(begins_us):
    ends_us = begins_us + 150_000
    pairs = collect(300, closed=lambda t_us: begins_us <= t_us <= ends_us)
    distance_us = np.maximum(begins_us - kept_us(pairs), kept_us(pairs) - ends_us)
    assert len(pairs) == 300
    assert distance_us.min() > 0.9 * BLINK_FLANK_US  # the device waits for 90 to 100 ms


def test_readings_left_out_for_a_blink_are_counted():
    pairs = collect(300, closed=lambda t_us: 150_000 <= t_us < 250_000)
    left_out = (100_000 + 2 * BLINK_FLANK_US) / STEP_US
    assert pairs.lost == pytest.approx(left_out, abs=12)


def test_samples_that_did_not_arrive_are_counted():
    assert collect(300, arrives=lambda t_us: t_us % (10 * STEP_US) != 5 * STEP_US).lost == pytest.approx(
        33, abs=1
    )
