"""Saccades: the main sequence and a velocity profile that fits it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, betaln

Array = NDArray[np.float64]

PEAK_LIMIT_DEG_S, PEAK_SCALE_DEG = 562.0, 6.07
DURATION_S_PER_DEG, DURATION_S = 2.42e-3, 12.8e-3
"""Main sequence fitted to 746 hand-labelled saccades of the four EyeLink traces of `irf`."""
SCATTER = 0.12
"""Of peak velocity about it (standard deviation of the logarithm), same traces; a fast saccade is as much
shorter, so that the shape of its velocity stays."""
PEAK_TIME, PEAK_TIME_PER_DEG, PEAK_TIME_LEAST = 0.5, -0.012, 0.25
"""When the peak comes, as a fraction of the duration, same traces: 0.48 at 3°, 0.37 at 10°, 0.28 at 20°."""
_SMALLEST_DEG = 1e-3
_SHARPEST = 60.0


def peak_velocity_deg_s(amplitude_deg: Array | float) -> Array:
    """Main sequence, degrees per second."""
    return np.asarray(PEAK_LIMIT_DEG_S * -np.expm1(-np.asarray(amplitude_deg) / PEAK_SCALE_DEG))


def duration_s(amplitude_deg: Array | float) -> Array:
    """Main sequence, seconds."""
    return np.asarray(DURATION_S + DURATION_S_PER_DEG * np.asarray(amplitude_deg))


@dataclass(frozen=True)
class Saccade:
    """A saccade whose velocity over time is a beta density: single peak, skewed when it is long.

    Attributes:
        start_deg, end_deg: (2,).
        duration_s: from first to last movement.
        peak_time: fraction of the duration at which velocity peaks.
        sharpness: 0 is constant velocity; the larger, the higher the peak over the mean velocity.
    """

    start_deg: Array
    end_deg: Array
    duration_s: float
    peak_time: float
    sharpness: float

    def at(self, t_s: Array) -> Array:
        """(n, 2) gaze at (n,) seconds after the start."""
        a, b = self.sharpness * self.peak_time + 1, self.sharpness * (1 - self.peak_time) + 1
        share = betainc(a, b, np.clip(t_s / self.duration_s, 0, 1))
        return np.asarray(self.start_deg + share[:, None] * (self.end_deg - self.start_deg))


def draw_saccade(random: np.random.Generator, start_deg: Array, end_deg: Array) -> Saccade:
    """A saccade between two points, faster or slower than the main sequence by a random vigour."""
    amplitude = max(float(np.linalg.norm(end_deg - start_deg)), _SMALLEST_DEG)
    scatter = np.exp(SCATTER * random.standard_normal(2))
    duration = float(duration_s(amplitude) * scatter[0])
    peak = float(peak_velocity_deg_s(amplitude) * scatter[1])
    peak_time = max(PEAK_TIME + PEAK_TIME_PER_DEG * amplitude, PEAK_TIME_LEAST)
    return Saccade(
        start_deg, end_deg, duration, peak_time, _sharpness(peak * duration / amplitude, peak_time)
    )


def _sharpness(peak_over_mean: float, peak_time: float) -> float:
    """The beta density's concentration whose maximum is `peak_over_mean`."""

    def excess(sharpness: float) -> float:
        a, b = sharpness * peak_time, sharpness * (1 - peak_time)
        log_peak = a * np.log(peak_time) + b * np.log1p(-peak_time) - betaln(a + 1, b + 1)
        return float(log_peak - np.log(peak_over_mean))

    if peak_over_mean <= 1 or excess(_SHARPEST) < 0:
        return 0.0 if peak_over_mean <= 1 else _SHARPEST
    return brentq(excess, 0.0, _SHARPEST)
