"""Whether the lids are open, as the device judges it: against how open this eye has been lately.

At the edge of the field the network's openness of a stranger's open eye may be 0.65, with noise; a blink
takes it below that within tens of milliseconds. So openness is smoothed a little, and the eye is open when
that is at least LIDS_SHARE of a running level, which rises quickly and falls slowly, and at least LIDS_FLOOR.
No single reading may lie below LIDS_SINGLE_SHARE of the level: smoothing delays the beginning of a blink.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from psog.device.messages import (
    LIDS_FALL_US,
    LIDS_FLOOR,
    LIDS_RISE_US,
    LIDS_SHARE,
    LIDS_SINGLE_SHARE,
    LIDS_SMOOTH_US,
)


@dataclass
class Lids:
    """One eye, reading after reading.

    Attributes:
        smooth: openness without the noise of single readings.
        level: how open the eye has been lately.
        t_us: device time of the last reading.
        begun: whether there has been one.
    """

    smooth: float = 0.0
    level: float = 0.0
    t_us: int = 0
    begun: bool = False

    def open(self, t_us: int, openness: float) -> bool:
        """Take the next reading's openness; whether the lids are open."""
        if not math.isfinite(openness):
            return False
        if not self.begun:
            self.smooth, self.level, self.t_us, self.begun = openness, openness, t_us, True
        passed_us = (t_us - self.t_us) % (1 << 64)  # a clock that goes back passes for a long time
        self.t_us = t_us
        self.smooth = _follow(self.smooth, openness, passed_us, LIDS_SMOOTH_US)
        constant_us = LIDS_RISE_US if self.smooth > self.level else LIDS_FALL_US
        self.level = _follow(self.level, self.smooth, passed_us, constant_us)
        return (
            min(self.smooth, openness) >= LIDS_FLOOR
            and self.smooth >= LIDS_SHARE * self.level
            and openness >= LIDS_SINGLE_SHARE * self.level
        )


def _follow(value: float, target: float, passed_us: int, constant_us: int) -> float:
    """`value` nearer to `target`, with a time constant."""
    return value + (target - value) * min(passed_us / constant_us, 1.0)
