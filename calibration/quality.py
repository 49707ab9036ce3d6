"""How good a calibration is: accuracy, precision and data loss per validation target, and a grade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from psog.calibration.targets import Target
from psog.errors import CalibrationError
from psog.metrics import angular_error, precision_bcea, precision_rms_s2s, precision_std

Grade = Literal["good", "fair", "poor"]

GOOD_DEG = (1.0, 1.5)
"""Largest mean and largest per-target error of a good calibration; the psog-calibrate requirement."""
FAIR_DEG = (1.5, 2.0)
"""The same for a fair one; anything else is poor."""


@dataclass(frozen=True)
class TargetQuality:
    """What the wearer's gaze did while one target was shown.

    Attributes:
        target: where the wearer was asked to look.
        gaze_deg: (n, 2) estimated gaze of the readings used, in time order.
        lost: readings left out: the eye was closed, or the sample did not arrive.
    """

    target: Target
    gaze_deg: NDArray[np.float64]
    lost: int

    def __post_init__(self) -> None:
        if len(self.gaze_deg) < 2:
            raise CalibrationError(
                f"cannot judge the target {self.target}: "
                f"{len(self.gaze_deg)} usable readings, at least 2 expected; "
                "keep the eye open and on the target"
            )

    @property
    def error_deg(self) -> NDArray[np.float64]:
        """(n,) angular distance between each estimate and the target."""
        place = np.array([self.target.h_deg, self.target.v_deg])
        return angular_error(self.gaze_deg, np.broadcast_to(place, self.gaze_deg.shape))

    @property
    def mean_deg(self) -> float:
        """Accuracy at this target."""
        return float(self.error_deg.mean())

    @property
    def max_deg(self) -> float:
        return float(self.error_deg.max())

    @property
    def sd_deg(self) -> float:
        return float(self.error_deg.std())

    @property
    def landed_deg(self) -> tuple[float, float]:
        """Mean estimated gaze."""
        h_deg, v_deg = self.gaze_deg.mean(axis=0)
        return float(h_deg), float(v_deg)

    @property
    def rms_s2s_deg(self) -> float:
        return precision_rms_s2s(self.gaze_deg)

    @property
    def std_deg(self) -> float:
        return precision_std(self.gaze_deg)

    @property
    def bcea_deg2(self) -> float | None:
        """Area of the ellipse that holds 68 % of the gaze (psog.metrics.precision_bcea); None with two."""
        return precision_bcea(self.gaze_deg) if len(self.gaze_deg) > 2 else None

    @property
    def data_loss(self) -> float:
        """Share of the readings that were left out, 0 … 1."""
        return self.lost / (self.lost + len(self.gaze_deg))


@dataclass(frozen=True)
class Quality:
    """Accuracy and precision over all validation targets; every target counts the same."""

    targets: tuple[TargetQuality, ...]

    @property
    def accuracy_deg(self) -> float:
        """Mean over the targets of their mean error."""
        return _mean([target.mean_deg for target in self.targets])

    @property
    def worst_deg(self) -> float:
        """Largest mean error of a single target."""
        return max(target.mean_deg for target in self.targets)

    @property
    def precision_rms_s2s_deg(self) -> float:
        return _mean([target.rms_s2s_deg for target in self.targets])

    @property
    def precision_std_deg(self) -> float:
        return _mean([target.std_deg for target in self.targets])

    @property
    def bcea_deg2(self) -> float | None:
        """None when a target has none."""
        areas = [target.bcea_deg2 for target in self.targets]
        known = [area for area in areas if area is not None]
        return _mean(known) if len(known) == len(areas) else None

    @property
    def data_loss(self) -> float:
        return _mean([target.data_loss for target in self.targets])

    @property
    def grade(self) -> Grade:
        return grade(self.accuracy_deg, self.worst_deg)


def grade(mean_deg: float, worst_deg: float) -> Grade:
    """Good below 1.0° mean and 1.5° at the worst target, fair below 1.5° and 2.0°, else poor."""
    if mean_deg < GOOD_DEG[0] and worst_deg < GOOD_DEG[1]:
        return "good"
    if mean_deg < FAIR_DEG[0] and worst_deg < FAIR_DEG[1]:
        return "fair"
    return "poor"


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
