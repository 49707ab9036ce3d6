"""A gaze is used when the eye is open enough and its error is expected to be small."""

import math

import pytest

from psog.confidence import Trust


@pytest.mark.parametrize(
    ("openness", "expected_error_deg", "used"),
    [(1.0, 1.0, True), (0.5, 1.0, False), (1.0, 9.0, False), (math.nan, 1.0, False), (1.0, math.nan, False)],
)
def test_a_gaze_is_used_when_both_say_so(openness, expected_error_deg, used):
    assert Trust(least_openness=0.8, most_expected_deg=5.0)(openness, expected_error_deg) is used
