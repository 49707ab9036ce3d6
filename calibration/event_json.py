"""Events as messages: a type and values, all of them JSON. docs/calibration.md lists them."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from psog.calibration.drawing import drawing
from psog.calibration.events import Event, Judged, PointJudged, PointTaken, Stands
from psog.calibration.quality import Quality, TargetQuality


def as_message(event: Event, field_deg: tuple[float, float]) -> tuple[str, dict[str, Any]]:
    """Type and values; the type is the event's name, as in point_taken.

    Args:
        field_deg: half width and half height of the gaze field, for the picture of a result.
    """
    kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
    match event:
        case Stands(state, note):
            return kind, {"state": state.value, "note": note}
        case PointTaken():
            left_out = event.rejected + event.saturated + event.moving
            return kind, {**asdict(event), "left_out": left_out}
        case PointJudged(before, after):
            return kind, target_values(before, after)
        case Judged(before, after):
            return kind, result_values(before, after, field_deg)
        case _:
            return kind, asdict(event)


def result_values(before: Quality, after: Quality, field_deg: tuple[float, float]) -> dict[str, Any]:
    """A result as a page shows it."""
    pairs = list(zip(before.targets, after.targets, strict=True))
    worst = max(range(len(pairs)), key=lambda index: pairs[index][1].mean_deg)
    return {
        "grade": after.grade,
        "accuracy_deg": after.accuracy_deg,
        "worst_deg": after.worst_deg,
        "before_deg": before.accuracy_deg,
        "precision_rms_s2s_deg": after.precision_rms_s2s_deg,
        "precision_std_deg": after.precision_std_deg,
        "bcea_deg2": after.bcea_deg2,
        "worst": worst,
        "targets": [target_values(old, new) for old, new in pairs],
        "drawing": [shape._asdict() for shape in drawing(before, after, field_deg)],
    }


def target_values(before: TargetQuality, after: TargetQuality) -> dict[str, Any]:
    """What one validation target came to; JSON has null where there were too few readings for a BCEA."""
    return {
        "h_deg": after.target.h_deg,
        "v_deg": after.target.v_deg,
        "landed_h_deg": after.landed_deg[0],
        "landed_v_deg": after.landed_deg[1],
        "mean_deg": after.mean_deg,
        "max_deg": after.max_deg,
        "sd_deg": after.sd_deg,
        "precision_rms_s2s_deg": after.rms_s2s_deg,
        "precision_std_deg": after.std_deg,
        "bcea_deg2": after.bcea_deg2,
        "samples": len(after.gaze_deg),
        "data_loss": after.data_loss,
        "before_mean_deg": before.mean_deg,
    }
