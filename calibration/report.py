"""What a calibration came to, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psog.calibration.event_json import target_values
from psog.calibration.events import Fitted, PointTaken
from psog.calibration.looks import Look
from psog.calibration.quality import Quality
from psog.calibration.targets import TargetPlan
from psog.errors import CalibrationError

FORMAT = "psog-calibration"
VERSION = 1


@dataclass(frozen=True)
class Wearing:
    """Which headset was calibrated, and what it knew before."""

    headset: str
    board: str
    model_crc32: int
    calibrated: bool
    """Whether an earlier calibration was in use: then "before" is that one, else the population's head."""


@dataclass(frozen=True)
class CalibrationReport:
    """A finished session.

    Attributes:
        taken: calibration targets in the order shown.
        before, after: the head in use and the fitted one, judged on the same samples.
        refusal: why it could not be kept; empty where it could.
        seconds: from the first target to the end of validation, host time.
        retaken: how often a finished point was taken or judged again.
        looks: what the sensors read at the calibration targets, for a profile; no report has them.
    """

    wearing: Wearing
    plan: TargetPlan
    taken: tuple[PointTaken, ...]
    fitted: Fitted
    before: Quality
    after: Quality
    accepted: bool
    refusal: str
    seconds: float
    retaken: int = 0
    looks: tuple[Look, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; docs/calibration.md explains every key."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "points": len(self.taken),
            "accuracy_deg": self.after.accuracy_deg,
            "accuracy_worst_deg": self.after.worst_deg,
            "precision_rms_s2s_deg": self.after.precision_rms_s2s_deg,
            "precision_std_deg": self.after.precision_std_deg,
            "bcea_deg2": self.after.bcea_deg2,
            "data_loss": self.after.data_loss,
            "grade": self.after.grade,
            "accepted": self.accepted,
            "refusal": self.refusal or None,
            "seconds": self.seconds,
            "retaken": self.retaken,
            "before_deg": self.before.accuracy_deg,
            "before": "earlier calibration" if self.wearing.calibrated else "no calibration",
            "headset": self.wearing.headset,
            "board": self.wearing.board,
            "model_crc32": f"{self.wearing.model_crc32:08x}",
            "seed": self.plan.seed,
            "field_deg": list(self.plan.field_deg),
            "fit": {
                "samples": self.fitted.samples,
                "targets": self.fitted.targets,
                "before_rms_deg": self.fitted.before_deg,
                "after_rms_deg": self.fitted.after_deg,
                "left_out_rms_deg": self.fitted.left_out_deg,
                "left_out_worst_rms_deg": self.fitted.left_out_worst_deg,
                "in_use_rms_deg": self.fitted.in_use_deg,
                "unexplained": self.fitted.unexplained,
            },
            "calibration_targets": [_taken(point) for point in self.taken],
            "validation_targets": [
                target_values(before, after)
                for before, after in zip(self.before.targets, self.after.targets, strict=True)
            ],
        }


def write_report(report: CalibrationReport, path: Path) -> None:
    """Write the report as JSON; the file appears complete or not at all.

    Raises:
        CalibrationError: the file cannot be written.
    """
    write_whole(json.dumps(report.to_json(), indent=2, allow_nan=False) + "\n", path, "--report")


def write_whole(text: str, path: Path, option: str) -> None:
    """Write a report; see write_report. option: the one that names the file."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, "utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CalibrationError(
            f"cannot write report {path}: {error.strerror}; whether the calibration "
            f"was kept stands above; choose another file for {option}"
        ) from error


def _taken(point: PointTaken) -> dict[str, Any]:
    return {
        "h_deg": point.target.h_deg,
        "v_deg": point.target.v_deg,
        "used": point.used,
        "rejected": point.rejected,
        "saturated": point.saturated,
        "moving": point.moving,
        "precision_rms_s2s_deg": point.rms_s2s_deg,
        "precision_std_deg": point.std_deg,
    }
