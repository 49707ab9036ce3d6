"""Which readings a validation target is judged on: an eye at rest, and not about to blink."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from psog.calibration.still import Gaze

BLINK_FLANK_US = 100_000
"""Left out before an eye that is not at rest: lids on their way bend the gaze by degrees, and a blink takes
about 66 ms to close (docs/movement.md). After it the device itself waits for as long (STILL)."""


class PairCollector:
    """Collects what two heads say of the same readings until enough undisturbed ones are in.

    Args:
        wanted: pairs to collect.
    """

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._kept: list[tuple[int, Gaze, Gaze]] = []
        self._waiting: deque[tuple[int, Gaze, Gaze]] = deque()  # until no blink has followed closely
        self._times_us: list[int] = []

    def add(self, t_us: int, before_deg: Gaze, after_deg: Gaze, *, rests: bool) -> None:
        """Take the two heads' gaze of one reading, in time order."""
        self._times_us.append(t_us)
        if rests:
            self._waiting.append((t_us, before_deg, after_deg))
        else:
            self._waiting.clear()
        while self._waiting and self._waiting[0][0] < t_us - BLINK_FLANK_US and not self.complete:
            self._kept.append(self._waiting.popleft())

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def complete(self) -> bool:
        return len(self._kept) >= self._wanted

    @property
    def gaze_deg(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n, 2) of the first head and of the second."""
        return (
            np.array([before for _, before, _ in self._kept], np.float64),
            np.array([after for _, _, after in self._kept], np.float64),
        )

    @property
    def lost(self) -> int:
        """Readings the device took up to the last pair kept that are no pair: disturbed, or not arrived."""
        interval_us = float(np.median(np.diff(self._times_us)))
        span_us = self._kept[-1][0] - self._times_us[0]
        return round(span_us / interval_us) + 1 - len(self._kept)
