"""Why a fitted head is not kept: the device's own rule, then what the validation targets say.

The device refuses a calibration that would not be nearer to targets it has not seen than what is in use, or
that does not follow the targets at all (psog_fit_verdict in the firmware). Validation has targets of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from psog.calibration.events import Fitted, PointJudged
from psog.calibration.quality import Quality
from psog.device.error_codes import DeviceErrorCode
from psog.device.messages import MOST_UNEXPLAINED

VALIDATION_SHARE = 0.8
"""Of the error of what is in use, on the validation targets: below it the fitted head is taken for better.
Found on simulated sequences (docs/calibration.md)."""
_REPEAT = "repeat it, with the eye on each target until it moves and the headset sitting firmly"


def why_not(fitted: Fitted, judged: Sequence[PointJudged], *, calibrated: bool) -> str:
    """What to tell the wearer; empty when the fitted head is better than what is in use.

    Args:
        judged: validation targets so far, none or more.
        calibrated: whether an earlier calibration is in use.
    """
    if fitted.verdict != DeviceErrorCode.OK:
        if fitted.targets == 1:
            return (
                "a single target tells too little to replace the calibration in use, which is "
                f"{fitted.in_use_deg:.1f}° off there: that one is kept; take 5 targets or more"
            )
        if fitted.unexplained > MOST_UNEXPLAINED:
            return (
                "the gaze did not follow the targets (each of them, told by the others, is "
                f"{fitted.left_out_deg:.1f}° off): the headset goes on with what it had; {_REPEAT}"
            )
        return _not_better(fitted.left_out_deg, fitted.in_use_deg, calibrated=calibrated)
    if judged:
        before = Quality(tuple(point.before for point in judged)).accuracy_deg
        after = Quality(tuple(point.after for point in judged)).accuracy_deg
        if not after < VALIDATION_SHARE * before:
            return _not_better(after, before, calibrated=calibrated)
    return ""


def _not_better(found_deg: float, in_use_deg: float, *, calibrated: bool) -> str:
    in_use, kept = ("the one in use", "that one is kept") if calibrated else ("none", "there is none for now")
    clearly = "clearly " if found_deg < in_use_deg else ""
    return (
        f"the calibration was not {clearly}better than {in_use} "
        f"({found_deg:.1f}° against {in_use_deg:.1f}° at targets it was not fitted to): {kept}; {_REPEAT}"
    )
