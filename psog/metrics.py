"""Eye-tracking data quality: accuracy, precision and latency of gaze, and what of it was lost.

NaN is a sample without gaze: it is lost, and never an error. docs/metrics.md has the formulas in words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError

FloatArray = NDArray[np.floating]

BCEA_SHARE = 0.68
"""Of the samples of a fixation that its ellipse holds: one SD of a normal distribution, as the field does."""
LONGEST_DELAY_MS = 200.0
"""A delay beyond that is not looked for: fixations of reading last little longer (Rayner 1998: 200 to
250 ms), and a saccade would be taken for the next one."""

VELOCITY_MS = 20.0
"""Over so long a velocity is taken, against noise (Olsen 2012, The Tobii I-VT fixation filter)."""


@dataclass(frozen=True)
class Accuracy:
    """Distance between estimated and true gaze, degrees, over so many samples."""

    mean_deg: float
    median_deg: float
    p95_deg: float
    samples: int


@dataclass(frozen=True)
class Latency:
    """By how much one gaze signal comes after another.

    Attributes:
        delay_ms: negative where it comes before.
        correlation: of the two velocities at that delay, up to 1: how far to trust it.
    """

    delay_ms: float
    correlation: float


def angular_error(estimated_deg: FloatArray, true_deg: FloatArray) -> NDArray[np.float64]:
    """Euclidean distance in Fick angles, the measure of the ETRA 2019 paper.

    It is the angle between the two directions but for horizontal distances, which it takes to be as large
    as on the horizon: 6 % too large at 20° up or down.

    Args:
        estimated_deg, true_deg: (..., 2) horizontal and vertical.
    Returns:
        (...) degrees; NaN where one of the two is.
    Raises:
        ShapeError: the two do not match.
    """
    _check_pair(estimated_deg, true_deg)
    difference = np.asarray(estimated_deg, np.float64) - np.asarray(true_deg, np.float64)
    return np.asarray(np.linalg.norm(difference, axis=-1))


def accuracy(estimated_deg: FloatArray, true_deg: FloatArray) -> Accuracy:
    """Mean, median and 95th percentile of the angular error over all samples that have both gazes.

    Args:
        estimated_deg, true_deg: (..., 2).
    Raises:
        ShapeError: the two do not match, or no sample has both.
    """
    return _accuracy(angular_error(estimated_deg, true_deg).ravel())


def accuracy_by(
    estimated_deg: FloatArray, true_deg: FloatArray, group: NDArray[np.generic]
) -> dict[tuple[float, ...], Accuracy]:
    """Accuracy of each group of samples: of a region (`cells`), a shift, a user.

    Args:
        estimated_deg, true_deg: (n, 2).
        group: (n, k) numbers; samples with the same k numbers belong together, those with a NaN to none.
    Returns:
        By those numbers, in ascending order; a group in which no sample has both gazes is left out.
    Raises:
        ShapeError: the three do not match.
    """
    error_deg = angular_error(estimated_deg, true_deg)
    if error_deg.ndim != 1 or group.shape[:-1] != error_deg.shape:
        raise ShapeError(f"gaze of shape {estimated_deg.shape} in groups {group.shape}, expected (n, k)")
    counts = np.isfinite(error_deg) & np.isfinite(group).all(axis=1)
    keys, of_key = np.unique(group[counts], axis=0, return_inverse=True)
    order = np.argsort(of_key, kind="stable")
    ends = np.cumsum(np.bincount(of_key, minlength=len(keys)))[:-1]
    errors = np.split(error_deg[counts][order], ends)
    return {tuple(map(float, key)): _accuracy(error) for key, error in zip(keys, errors, strict=False)}


def cells(gaze_deg: FloatArray, width_deg: float) -> NDArray[np.float64]:
    """The region of each gaze: centre (n, 2) of its cell in a grid of squares that meet straight ahead."""
    return (np.floor(np.asarray(gaze_deg, np.float64) / width_deg) + 0.5) * width_deg


def offset(estimated_deg: FloatArray, true_deg: FloatArray) -> float:
    """Angle between the mean direction of gaze and that of the truth: the accuracy of one fixation, degrees.

    Unlike the mean error it is free of noise, which has no mean.

    Args:
        estimated_deg, true_deg: (n, 2) Fick angles.
    Raises:
        ShapeError: the two do not match, or no sample has both gazes.
    Source: Niehorster et al. 2026, Fundamentals of eye tracking 7, doi 10.3758/s13428-026-03039-4.
    """
    both = np.isfinite(angular_error(estimated_deg, true_deg))
    if not both.any():
        raise ShapeError(f"no offset from {both.size} samples of which none has gaze and truth")
    a, b = (_directions(gaze[both]).mean(axis=0) for gaze in (estimated_deg, true_deg))
    return float(np.rad2deg(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


def precision_rms_s2s(gaze_deg: FloatArray) -> float:
    """Root mean square of the distance between successive samples of one fixation, degrees.

    Steps from or to a lost sample do not count.

    Args:
        gaze_deg: (n, 2) in time order.
    Raises:
        ShapeError: no two successive samples.
    Source: Holmqvist et al. 2011, Eye tracking, chapter 2.
    """
    steps = np.diff(np.asarray(gaze_deg, np.float64), axis=0)
    return float(np.sqrt((_present(steps, 1, "RMS-S2S") ** 2).sum(axis=1).mean()))


def precision_std(gaze_deg: FloatArray) -> float:
    """Standard deviation about the centroid of one fixation: root of the summed variances, degrees.

    Args:
        gaze_deg: (n, 2).
    Raises:
        ShapeError: no sample has gaze.
    Source: Holmqvist et al. 2011, Eye tracking, chapter 2.
    """
    return float(np.sqrt(np.var(_present(gaze_deg, 1, "STD"), axis=0).sum()))


def precision_bcea(gaze_deg: FloatArray, share: float = BCEA_SHARE) -> float:
    """Bivariate contour ellipse area: of the ellipse that holds `share` of the samples, square degrees.

    2πk σ_h σ_v √(1 − ρ²) with k = −ln(1 − share): normal samples lie within it with that probability.

    Args:
        gaze_deg: (n, 2) of one fixation.
        share: more than 0, less than 1.
    Raises:
        ShapeError: fewer than 3 samples with gaze.
    Source: Steinman 1965; Crossland & Rubin 2002, Optometry and Vision Science 79, 735.
    """
    covariance = np.cov(_present(gaze_deg, 3, "BCEA").T)
    return float(2 * np.pi * -np.log1p(-share) * np.sqrt(max(np.linalg.det(covariance), 0.0)))


def lost_samples(gaze_deg: FloatArray, t_us: NDArray[np.int64]) -> tuple[int, int]:
    """How many samples have no gaze or never came, and how many there should be.

    Data loss is the one divided by the other. The rate is taken from the median interval, as in the package
    ETDQualitizer.

    Args:
        gaze_deg: (n, 2), NaN where lost.
        t_us: (n,) times of one stretch without interruption, in ascending order.
    """
    present = int(np.isfinite(gaze_deg).all(axis=1).sum())
    if len(t_us) < 2:
        return len(t_us) - present, len(t_us)
    intervals = round(float(t_us[-1] - t_us[0]) / float(np.median(np.diff(t_us))))
    expected = max(intervals + 1, len(t_us))
    return expected - present, expected


def latency(
    reference_deg: FloatArray, delayed_deg: FloatArray, rate_hz: float, most_ms: float = LONGEST_DELAY_MS
) -> Latency | None:
    """By how much `delayed_deg` comes after `reference_deg`: where their velocities correlate most.

    Between samples, the peak is that of the parabola through the three highest. Velocities instead of places,
    because they are near zero but for saccades, so that an offset or drift between the two does not count.

    Args:
        reference_deg, delayed_deg: (n, 2) at the same times, in steps of 1/rate_hz; NaN where lost.
        most_ms: largest delay to look for, either way.
    Returns:
        None where there is none to be seen: no movement, too few samples, or a correlation that is still
        rising at `most_ms`.
    Raises:
        ShapeError: the two do not match.
    Source: Knapp & Carter 1976, IEEE Trans. ASSP 24, 320 (cross-correlation); the parabola as in Céspedes et
        al. 1995, Ultrasonic Imaging 17, 142.
    """
    from scipy.signal import correlate

    _check_pair(reference_deg, delayed_deg)
    most = int(most_ms * rate_hz / 1000)
    half = max(round(VELOCITY_MS / 2 * rate_hz / 1000), 1)
    if most < 2 or len(reference_deg) < 2 * max(most, half):
        return None
    first, second = (_velocity(gaze, half) for gaze in (reference_deg, delayed_deg))
    energy = np.sqrt((first**2).sum() * (second**2).sum())
    if energy == 0:
        return None
    both = sum(correlate(second[:, axis], first[:, axis], method="fft") for axis in (0, 1)) / energy
    middle = len(first) - 1
    near = both[middle - most : middle + most + 1]
    peak = int(near.argmax())
    if not 0 < peak < 2 * most:
        return None
    before, top, after = near[peak - 1 : peak + 2]
    between = 0.5 * (before - after) / (before - 2 * top + after)
    return Latency(float(peak - most + between) * 1000 / rate_hz, float(top))


def auroc(score: FloatArray, positive: NDArray[np.bool_]) -> float:
    """Probability that a positive has the higher score than a negative; equal scores count half.

    Args:
        score, positive: (n,).
    Raises:
        ShapeError: the two do not match, or there are no positives or no negatives.
    Source: Mann-Whitney U, Hanley & McNeil 1982, Radiology 143:29.
    """
    if score.shape != positive.shape or positive.all() or not positive.any():
        raise ShapeError(
            f"no AUROC from {score.shape} scores, {int(positive.sum())} of {positive.size} positive"
        )
    _, of_value, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[of_value]
    positives = int(positive.sum())
    larger = rank[positive].sum() - positives * (positives + 1) / 2
    return float(larger / (positives * (len(score) - positives)))


def _accuracy(error_deg: NDArray[np.float64]) -> Accuracy:
    error_deg = error_deg[np.isfinite(error_deg)]
    if len(error_deg) == 0:
        raise ShapeError("no accuracy from samples of which none has gaze and truth; expected at least one")
    middle, high = np.quantile(error_deg, (0.5, 0.95))
    return Accuracy(float(error_deg.mean()), float(middle), float(high), len(error_deg))


def _present(values: FloatArray, fewest: int, what: str) -> NDArray[np.float64]:
    """The rows without NaN."""
    present = np.asarray(values, np.float64)[np.isfinite(values).all(axis=1)]
    if len(present) < fewest:
        raise ShapeError(f"no {what} from {len(present)} values, expected at least {fewest}")
    return present


def _directions(gaze_deg: FloatArray) -> NDArray[np.float64]:
    """(n, 2) Fick angles as (n, 3) unit vectors."""
    h, v = np.deg2rad(np.asarray(gaze_deg, np.float64)).T
    return np.stack([np.sin(h) * np.cos(v), np.sin(v), np.cos(h) * np.cos(v)], axis=1)


def _velocity(gaze_deg: FloatArray, half: int) -> NDArray[np.float64]:
    """(n, 2) change from `half` samples before to `half` after; zero at the ends and where gaze is lost."""
    gaze_deg = np.asarray(gaze_deg, np.float64)
    velocity = np.zeros_like(gaze_deg)
    velocity[half:-half] = gaze_deg[2 * half :] - gaze_deg[: -2 * half]
    return np.where(np.isfinite(velocity).all(axis=1, keepdims=True), velocity, 0.0)


def _check_pair(one_deg: FloatArray, other_deg: FloatArray) -> None:
    if one_deg.shape != other_deg.shape or one_deg.shape[-1:] != (2,):
        raise ShapeError(f"gaze of shape {one_deg.shape} against {other_deg.shape}, expected (..., 2) twice")
