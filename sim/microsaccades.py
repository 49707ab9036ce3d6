"""Microsaccades: how often, how far, and whither."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PER_S = (1.0, 2.0)
"""Over people (R: 1 to 2 a second)."""
LEAST_GAP_S = 0.1
"""Between two; a weak value."""
MEDIAN_DEG, LOG_SD = 0.33, 0.45
"""With their overshoot a median of 0.45°, as the labelled saccades below 1° of the four EyeLink traces of
`irf` have it (5 to 95 %: 0.23 to 0.88°)."""
REACH_DEG = (0.1, 0.8)
"""Shortest and longest; with the overshoot they end at 1° (R: 0.1 to 1°)."""
RETURN_DEG = 0.15
"""The farther beside the goal in units of this, the more surely they go back to it; a weak value."""


def microsaccades_per_s(random: np.random.Generator) -> float:
    """One person's rate while looking steadily."""
    return float(random.uniform(*PER_S))


def microsaccade_gap_s(random: np.random.Generator, per_s: float) -> float:
    """Seconds from the end of a saccade to the next microsaccade."""
    return LEAST_GAP_S + float(random.exponential(1 / per_s - LEAST_GAP_S))


def microsaccade_end_deg(random: np.random.Generator, start_deg: Array, way_deg: Array) -> Array:
    """Where one ends that begins at (2,) `start_deg`, when the goal is (2,) `way_deg` from there."""
    reach = np.clip(MEDIAN_DEG * np.exp(LOG_SD * random.standard_normal()), *REACH_DEG)
    angle = np.arctan2(way_deg[1], way_deg[0])
    angle += random.vonmises(0.0, float(np.linalg.norm(way_deg)) / RETURN_DEG)
    return np.asarray(start_deg + reach * np.array([np.cos(angle), np.sin(angle)]))
