"""Tremor: the fast trembling of an eye that looks steadily."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

TREMOR_SD_DEG = 0.3 / 60
"""Per axis: 0.4 arcmin in all, of at most 0.5 (r: textbook value)."""
TREMOR_HZ, TREMOR_TIME_S = 75.0, 0.01
"""Middle of the band of 50 to 100 Hz (r: textbook value), and a memory that makes it as wide (1/π 10 ms)."""
_WARM_UP = 12
"""Memories after which the start is forgotten."""


class Tremor:
    """Noise through a resonance. The signal is the same however its samples are asked for.

    Below 200 samples a second it folds, as it would for any sensor that samples so slowly.
    """

    def __init__(self, random: np.random.Generator, rate_hz: float) -> None:
        radius, angle = np.exp(-1 / (rate_hz * TREMOR_TIME_S)), 2 * np.pi * TREMOR_HZ / rate_hz
        first, second = 2 * radius * np.cos(angle), -(radius**2)
        # Variance of a second-order autoregression (Box & Jenkins).
        variance = (1 - second) / ((1 + second) * ((1 - second) ** 2 - first**2))
        self._random = random
        self._scale = TREMOR_SD_DEG / np.sqrt(variance)
        self._poles = np.array([1.0, -first, -second])
        self._memory = np.zeros((2, 2))
        self.advance(int(_WARM_UP * rate_hz * TREMOR_TIME_S) + 1)

    def advance(self, count: int) -> NDArray[np.float64]:
        """The next (count, 2) turns, degrees."""
        noise = self._random.standard_normal((count, 2)) * self._scale
        if count > 0:
            noise, self._memory = lfilter([1.0], self._poles, noise, axis=0, zi=self._memory)
        return np.asarray(noise)
