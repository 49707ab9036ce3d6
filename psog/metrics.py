"""Eye-tracking data quality: accuracy and precision, in degrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError

FloatArray = NDArray[np.floating]


@dataclass(frozen=True)
class Accuracy:
    """Distance between estimated and true gaze, degrees."""

    mean_deg: float
    median_deg: float
    p95_deg: float


def angular_error(estimated_deg: FloatArray, true_deg: FloatArray) -> NDArray[np.float64]:
    """Euclidean distance in Fick angles, the measure of the ETRA 2019 paper.

    Args:
        estimated_deg, true_deg: (..., 2) horizontal and vertical.
    Returns:
        (...) degrees.
    Raises:
        ShapeError: the two do not match.
    """
    if estimated_deg.shape != true_deg.shape or estimated_deg.shape[-1:] != (2,):
        raise ShapeError(
            f"gaze of shape {estimated_deg.shape} against {true_deg.shape}, expected (..., 2) twice"
        )
    difference = np.asarray(estimated_deg, np.float64) - np.asarray(true_deg, np.float64)
    return np.asarray(np.linalg.norm(difference, axis=-1))


def accuracy(estimated_deg: FloatArray, true_deg: FloatArray) -> Accuracy:
    """Mean, median and 95th percentile of the angular error over all samples."""
    error = angular_error(estimated_deg, true_deg)
    return Accuracy(float(error.mean()), float(np.median(error)), float(np.quantile(error, 0.95)))


def precision_rms_s2s(gaze_deg: FloatArray) -> float:
    """Root mean square of the distance between successive samples of one fixation.

    Args:
        gaze_deg: (n, 2), n >= 2, in time order.
    Source: Holmqvist et al. 2011, Eye tracking, chapter 2.
    """
    steps = np.diff(np.asarray(gaze_deg, np.float64), axis=0)
    return float(np.sqrt((steps**2).sum(axis=1).mean()))


def precision_std(gaze_deg: FloatArray) -> float:
    """Standard deviation about the centroid of one fixation: root of the summed variances.

    Args:
        gaze_deg: (n, 2).
    Source: Holmqvist et al. 2011, Eye tracking, chapter 2.
    """
    return float(np.sqrt(np.var(np.asarray(gaze_deg, np.float64), axis=0).sum()))
