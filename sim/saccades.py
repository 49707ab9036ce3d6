"""Saccades: the main sequence, a velocity profile that fits it, and how the eye swings at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, betaln

Array = NDArray[np.float64]

PEAK_LIMIT_DEG_S, PEAK_SCALE_DEG = 690.0, 4.8
DURATION_S_PER_DEG, DURATION_S = 2.42e-3, 12.8e-3
"""Main sequence of 638 hand-labelled saccades of the four EyeLink traces of `irf`, 0.2 to 30°, overshoot
included, as the labels do."""
SCATTER = 0.12
"""Of peak velocity and, apart, of duration about it (standard deviation of the logarithm), same traces."""
PEAK_TIME, PEAK_TIME_PER_DEG, PEAK_TIME_LEAST = 0.5, -0.012, 0.25
"""When the peak comes, as a fraction of the duration, same traces: 0.48 at 3°, 0.37 at 10°, 0.28 at 20°."""
OVERSHOOT_DEG, OVERSHOOT_SCALE_DEG, OVERSHOOT_SCATTER = 0.27, 0.6, 0.5
"""Overshoot where a saccade's labels end: limit, amplitude that comes within 1/e of it, standard deviation
of the logarithm; same traces (medians 0.15° at 0.4°, 0.28° at 1.5°, 0.1 to 0.3° beyond)."""
OSCILLATION_HZ, OSCILLATION_TIME_S = 38.0, 0.014
"""Of the swing after it: first trough after 13 ms, of -0.4 of the overshoot, same traces."""
OSCILLATION_S = 0.020
"""How long it is labelled, same traces (medians 15 to 25 ms)."""
SETTLED_S = 0.070
"""After this nothing is left of it."""
_SMALLEST_DEG = 1e-3
_SHARPEST = 60.0


def peak_velocity_deg_s(amplitude_deg: Array | float) -> Array:
    """Main sequence, degrees per second: a hyperbola, proportional to small amplitudes."""
    amplitude = np.asarray(amplitude_deg)
    return np.asarray(PEAK_LIMIT_DEG_S * amplitude / (amplitude + PEAK_SCALE_DEG))


def duration_s(amplitude_deg: Array | float) -> Array:
    """Main sequence, seconds."""
    return np.asarray(DURATION_S + DURATION_S_PER_DEG * np.asarray(amplitude_deg))


@dataclass(frozen=True)
class Saccade:
    """A saccade whose velocity over time is a beta density: single peak, skewed when it is long.

    It overshoots, and swings about its end as a damped oscillator does that is let go.

    Attributes:
        start_deg, end_deg: (2,).
        duration_s: from first movement to overshoot.
        peak_time: fraction of the duration at which velocity peaks.
        sharpness: 0 is constant velocity; the larger, the higher the peak over the mean velocity.
        overshoot_deg: (2,) beyond the end.
    """

    start_deg: Array
    end_deg: Array
    duration_s: float
    peak_time: float
    sharpness: float
    overshoot_deg: Array

    def at(self, t_s: Array) -> Array:
        """(n, 2) gaze at (n,) seconds after the start."""
        a, b = self.sharpness * self.peak_time + 1, self.sharpness * (1 - self.peak_time) + 1
        share = betainc(a, b, np.clip(t_s / self.duration_s, 0, 1))
        beyond = np.where(t_s < self.duration_s, share, _swing(np.maximum(t_s - self.duration_s, 0)))
        way = self.end_deg - self.start_deg
        return np.asarray(self.start_deg + share[:, None] * way + beyond[:, None] * self.overshoot_deg)


def draw_saccade(random: np.random.Generator, start_deg: Array, end_deg: Array) -> Saccade:
    """A saccade between two points, faster or slower than the main sequence by a random vigour."""
    way = end_deg - start_deg
    distance = max(float(np.linalg.norm(way)), _SMALLEST_DEG)
    scatter = random.standard_normal(3)
    overshoot = OVERSHOOT_DEG * -np.expm1(-distance / OVERSHOOT_SCALE_DEG)
    overshoot *= np.exp(OVERSHOOT_SCATTER * scatter[2])
    amplitude = distance + overshoot
    duration = float(duration_s(amplitude) * np.exp(SCATTER * scatter[0]))
    peak = float(peak_velocity_deg_s(amplitude) * np.exp(SCATTER * scatter[1]))
    peak_time = max(PEAK_TIME + PEAK_TIME_PER_DEG * amplitude, PEAK_TIME_LEAST)
    sharpness = _sharpness(peak * duration / amplitude, peak_time)
    return Saccade(start_deg, end_deg, duration, peak_time, sharpness, way / distance * overshoot)


def _swing(t_s: Array) -> Array:
    """(n,) 1 at the start, at rest; then a damped oscillation about 0."""
    phase = 2 * np.pi * OSCILLATION_HZ * t_s
    damping = 1 / (2 * np.pi * OSCILLATION_HZ * OSCILLATION_TIME_S)
    return np.asarray(np.exp(-t_s / OSCILLATION_TIME_S) * (np.cos(phase) + damping * np.sin(phase)))


def _sharpness(peak_over_mean: float, peak_time: float) -> float:
    """The beta density's concentration whose maximum is `peak_over_mean`."""

    def excess(sharpness: float) -> float:
        a, b = sharpness * peak_time, sharpness * (1 - peak_time)
        log_peak = a * np.log(peak_time) + b * np.log1p(-peak_time) - betaln(a + 1, b + 1)
        return float(log_peak - np.log(peak_over_mean))

    if peak_over_mean <= 1 or excess(_SHARPEST) < 0:
        return 0.0 if peak_over_mean <= 1 else _SHARPEST
    return brentq(excess, 0.0, _SHARPEST)
