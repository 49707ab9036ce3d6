"""When a fitted head is not kept, and what the wearer is told."""

from dataclasses import replace

import numpy as np
import pytest

from psog.calibration.events import Fitted, PointJudged
from psog.calibration.quality import TargetQuality
from psog.calibration.refusal import why_not
from psog.calibration.targets import Target
from psog.device.error_codes import DeviceErrorCode


def fitted(left_out_deg, in_use_deg, unexplained=0.01):
    better = left_out_deg < 0.9 * in_use_deg and unexplained <= 0.1
    verdict = DeviceErrorCode.OK if better else DeviceErrorCode.NOT_BETTER
    return Fitted(2700, 9, 6.0, 0.8, left_out_deg, 3.0, in_use_deg, unexplained, int(verdict))


def test_one_target_does_not_replace_a_calibration_that_fits():
    one = Fitted(300, 1, 6.0, 0.1, 5.5, 5.5, 2.1, 1.0, int(DeviceErrorCode.NOT_BETTER))
    refusal = why_not(one, [], calibrated=True)
    assert refusal.startswith("a single target tells too little to replace the calibration in use")
    assert "2.1° off there" in refusal
    kept = replace(one, verdict=0)
    assert why_not(kept, [judged(6.0, 2.5)], calibrated=False) == ""


def judged(before_deg, after_deg):
    """A validation target by both heads, so far off."""
    target = Target("validation", 0.0, 0.0)
    qualities = (TargetQuality(target, np.full((2, 2), (off, 0.0)), 0) for off in (before_deg, after_deg))
    return PointJudged(*qualities)


def test_a_better_one_is_not_refused():
    assert why_not(fitted(1.9, 6.4), [judged(6.0, 1.4)], calibrated=False) == ""
    assert why_not(fitted(1.9, 6.4), [], calibrated=False) == ""


@pytest.mark.parametrize(
    ("found", "points", "calibrated", "told"),
    [
        (fitted(1.9, 1.4), [], True, "(1.9° against 1.4° at targets it was not fitted to): that one is kept"),
        (fitted(6.6, 6.4), [], False, "not better than none (6.6° against 6.4° at targets"),
        (fitted(1.9, 2.0), [], True, "not clearly better than the one in use (1.9° against 2.0°"),
        (fitted(9.0, 12.0, 0.3), [], True, "the gaze did not follow the targets (each of them, told by the"),
        (fitted(1.9, 3.0), [judged(1.5, 1.6)], True, "not better than the one in use (1.6° against 1.5° at"),
        (fitted(1.9, 3.0), [judged(1.5, 1.3)], True, "not clearly better than the one in use (1.3° against"),
        (fitted(1.9, 6.4), [judged(6.0, 9.0), judged(6.0, 1.0)], False, "(5.0° against 6.0° at"),
    ],
)  # fmt: skip
def test_another_is_refused_with_its_reason(found, points, calibrated, told):
    refusal = why_not(found, points, calibrated=calibrated)
    assert told in refusal
    assert refusal.endswith(
        "repeat it, with the eye on each target until it moves and the headset sitting firmly"
    )
