"""Whether the lids are open, as the device judges it: against how open this eye has been lately.

At the edge of the field the network's openness of a stranger's open eye may be 0.7; a blink takes it below
that within tens of milliseconds. So an eye is open when its openness is at least LIDS_SHARE of a running
level, which rises quickly and falls slowly, and never below LIDS_FLOOR.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from psog.device.messages import LIDS_FALL_US, LIDS_FLOOR, LIDS_RISE_US, LIDS_SHARE


@dataclass
class Lids:
    """One eye, reading after reading.

    Attributes:
        level: running openness.
        t_us: device time of the last reading.
    """

    level: float = 0.0
    t_us: int = 0

    def open(self, t_us: int, openness: float) -> bool:
        """Take the next reading's openness; whether the lids are open."""
        if not math.isfinite(openness):
            return False
        passed_us = (t_us - self.t_us) % (1 << 64)  # a clock that goes back passes for a long time
        change = openness - self.level
        self.level += change * min(passed_us / (LIDS_RISE_US if change > 0 else LIDS_FALL_US), 1.0)
        self.t_us = t_us
        return openness >= LIDS_FLOOR and openness >= LIDS_SHARE * self.level
