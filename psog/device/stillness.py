"""Whether the eye rests, as the device judges it: by the mean gaze of the two halves of the last 100 ms.

Means of many readings hide the noise of single ones; a saccade or a blink moves them by degrees. So that a
device need not keep a hundred readings, they are put together in bins of 10 ms, in whole hundredths of a
degree: of the nine bins before the one under way the means are kept. Five of them are the older half; the
newer one are the other four and the mean of what the bin under way has so far, which counts for as much as
any other, so that a saccade is noticed at its first readings.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from psog.device.messages import (
    STILL_BIN_US,
    STILL_BINS,
    STILL_DRIFT_STEPS,
    STILL_FARTHEST_DEG,
    STILL_GAP_US,
    STILL_STEPS_PER_DEG,
)

_HALF = (STILL_BINS + 1) // 2
_MOST_READINGS = (1 << 16) - 1
Steps = tuple[int, int]


@dataclass
class Stillness:
    """One eye, reading after reading.

    Attributes:
        ended: mean of each bin before the one under way, oldest first, right and up.
        sums, count: of the readings of the bin under way; count is 0 while the eye is not open.
        since_us: from the beginning of that bin to the last reading.
        t_us: device time of the last reading of an open eye.
    """

    ended: deque[Steps] = field(default_factory=lambda: deque(maxlen=STILL_BINS))
    sums: Steps = (0, 0)
    count: int = 0
    since_us: int = 0
    t_us: int = 0

    def rests(self, t_us: int, gaze_deg: tuple[float, float], *, valid: bool) -> bool:
        """Take the next reading's gaze, as GAZE has it; whether the eye is at rest."""
        if not valid or not all(map(math.isfinite, gaze_deg)):
            self.count = 0
            return False
        passed_us = (t_us - self.t_us) % (1 << 64)  # a clock that goes back passes for a long time
        if self.count == 0 or passed_us > STILL_GAP_US:
            self.ended.clear()
            self.sums, self.count, self.since_us = (0, 0), 0, 0
        else:
            self._pass(passed_us)
        self.t_us = t_us
        self._add(_steps(gaze_deg[0]), _steps(gaze_deg[1]))
        return len(self.ended) == STILL_BINS and math.hypot(*self._drift()) < _HALF * STILL_DRIFT_STEPS

    def _pass(self, passed_us: int) -> None:
        """End the bins that are over; one without readings has the mean of the one before."""
        self.since_us += passed_us
        mean = self._mean()
        while self.since_us >= STILL_BIN_US:
            self.since_us -= STILL_BIN_US
            self.ended.append(mean)
            self.sums, self.count = (0, 0), 0

    def _add(self, right: int, up: int) -> None:
        if self.count < _MOST_READINGS:
            self.sums, self.count = (self.sums[0] + right, self.sums[1] + up), self.count + 1

    def _mean(self) -> Steps:
        """Of the bin under way, the fraction cut off."""
        right, up = (int(math.copysign(abs(total) // self.count, total)) for total in self.sums)
        return right, up

    def _drift(self) -> Steps:
        """Newer half less older half, of the sums of their bins' means."""
        means = [*self.ended, self._mean()]
        right, up = (sum(means[_HALF:][k][axis] - means[k][axis] for k in range(_HALF)) for axis in (0, 1))
        return right, up


def _steps(gaze_deg: float) -> int:
    """A float32 angle in whole steps, the fraction cut off, in float32 arithmetic."""
    near_deg = max(-STILL_FARTHEST_DEG, min(gaze_deg, STILL_FARTHEST_DEG))
    return int(np.float32(near_deg) * np.float32(STILL_STEPS_PER_DEG))
