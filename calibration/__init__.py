"""Fits a headset to its wearer: targets, the session with the device, and what came of it."""

from psog.calibration.guide import Guide, run_session
from psog.calibration.quality import Quality, TargetQuality, grade
from psog.calibration.report import CalibrationReport, write_report
from psog.calibration.session import CalibrationSession, Settings
from psog.calibration.targets import Target, TargetPlan, plan_targets

__all__ = [
    "CalibrationReport",
    "CalibrationSession",
    "Guide",
    "Quality",
    "Settings",
    "Target",
    "TargetPlan",
    "TargetQuality",
    "grade",
    "plan_targets",
    "run_session",
    "write_report",
]
