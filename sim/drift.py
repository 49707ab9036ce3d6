"""Slow wandering: fixation drift, pupil unrest, lids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

_SMOOTHER = 5.0
"""The second time constant is this much shorter: it takes the roughness of a random walk away."""
_WARM_UP = 12
"""Time constants after which the start is forgotten."""


class Drift:
    """A stationary, smooth random signal of given spread and memory.

    Noise through two low-pass filters. The signal is the same however its samples are asked for.
    """

    def __init__(self, random: np.random.Generator, rate_hz: float, *, sd: float, time_s: float, axes: int):
        """
        Args:
            sd: standard deviation on each axis.
            time_s: of the slower filter.
        """
        slow = np.exp(-1 / (rate_hz * time_s))
        fast = np.exp(-_SMOOTHER / (rate_hz * time_s))
        variance = (1 + slow * fast) / ((1 - slow * fast) * (1 - slow**2) * (1 - fast**2))
        self._random = random
        self._scale = sd / np.sqrt(variance)
        self._poles = np.array([1.0, -(slow + fast), slow * fast])
        self._memory = np.zeros((2, axes))
        self.advance(int(_WARM_UP * rate_hz * time_s) + 1)

    def advance(self, count: int) -> NDArray[np.float64]:
        """The next (count, axes) values."""
        noise = self._random.standard_normal((count, self._memory.shape[1])) * self._scale
        if count > 0:
            noise, self._memory = lfilter([1.0], self._poles, noise, axis=0, zi=self._memory)
        return np.asarray(noise)
