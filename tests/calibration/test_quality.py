"""Accuracy, precision and grade of a calibration."""

import numpy as np
import pytest

from psog.calibration.quality import Quality, TargetQuality, grade
from psog.calibration.targets import Target
from psog.errors import CalibrationError

TARGET = Target("validation", 3.0, -4.0)


def judged(offset_deg: tuple[float, float], lost: int = 0, target: Target = TARGET) -> TargetQuality:
    """Gaze that alternates 0.1° left and right of a constant offset from the target."""
    wobble = np.where(np.arange(10) % 2 == 0, 0.1, -0.1)
    gaze_deg = np.array([target.h_deg, target.v_deg]) + offset_deg + np.stack([wobble, 0 * wobble], axis=1)
    return TargetQuality(target, gaze_deg, lost)


@pytest.mark.parametrize(
    ("mean_deg", "worst_deg", "expected"),
    [
        (0.99, 1.49, "good"),
        (1.0, 1.2, "fair"),
        (0.5, 1.5, "fair"),
        (1.49, 1.99, "fair"),
        (1.5, 1.6, "poor"),
        (0.5, 2.0, "poor"),
        (float("nan"), 0.1, "poor"),
    ],
)
def test_grade_needs_both_the_mean_and_the_worst_target(mean_deg, worst_deg, expected):
    assert grade(mean_deg, worst_deg) == expected


def test_accuracy_of_a_target_is_the_mean_distance_from_it():
    quality = judged((0.0, 0.0))
    assert quality.mean_deg == pytest.approx(0.1)
    assert quality.max_deg == pytest.approx(0.1)
    assert quality.sd_deg == pytest.approx(0.0)
    assert quality.landed_deg == pytest.approx((3.0, -4.0))


def test_precision_does_not_see_a_constant_offset():
    near, far = judged((0.0, 0.0)), judged((2.0, 1.0))
    assert far.rms_s2s_deg == pytest.approx(near.rms_s2s_deg) == pytest.approx(0.2)
    assert far.std_deg == pytest.approx(near.std_deg) == pytest.approx(0.1)
    assert far.mean_deg > 2


def test_every_target_counts_the_same_and_the_worst_is_named():
    many = TargetQuality(TARGET, np.tile([3.0, -4.0], (1000, 1)), lost=0)
    quality = Quality((many, judged((0.0, 2.0))))
    assert quality.worst_deg == pytest.approx(2.0, abs=0.01)
    assert quality.accuracy_deg == pytest.approx(quality.worst_deg / 2)
    assert quality.grade == "poor"


def test_lost_readings_are_a_share_of_all():
    assert judged((0.0, 0.0), lost=30).data_loss == pytest.approx(0.75)


def test_a_target_nobody_looked_at_cannot_be_judged():
    with pytest.raises(CalibrationError, match=r"target \+3\.0°, -4\.0°: 1 usable readings"):
        TargetQuality(TARGET, np.zeros((1, 2)), lost=99)
