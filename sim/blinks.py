"""Blinks: how the lid closes and opens, and how the eye moves under it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MEDIAN_S, LOG_SD = 0.180, 0.173
"""Duration: median 180 ms, 5 to 95 % 137 to 242 ms (labelled blinks of the four EyeLink traces of `irf`)."""
CLOSING_SHARE = 66 / 180
CLOSED_SHARE = 0.08
"""Of the duration: the lid takes 66 ms to close, stays shut briefly and opens more slowly."""
PER_MINUTE = (8.0, 21.0)
"""Blinks per minute over people."""
DIP_DEG = (1.0, 5.0)
"""The eye turns down and nasal by this much while the lid is shut."""
NASAL_SHARE = 0.5


@dataclass(frozen=True)
class Blink:
    """One blink.

    Attributes:
        duration_s: until the lid is open again.
        dip_deg: (2,) turn of the eye while the lid is shut.
    """

    duration_s: float
    dip_deg: Array

    def openness(self, t_s: Array) -> Array:
        """(n,) 1 open to 0 shut at (n,) seconds after the start."""
        t = t_s / self.duration_s
        opening = (t - CLOSING_SHARE - CLOSED_SHARE) / (1 - CLOSING_SHARE - CLOSED_SHARE)
        closed = np.where(t < CLOSING_SHARE + CLOSED_SHARE, _ease(t / CLOSING_SHARE), 1 - _ease(opening))
        return 1 - closed

    def offset_deg(self, t_s: Array) -> Array:
        """(n, 2) turn of the eye."""
        return np.asarray((1 - self.openness(t_s))[:, None] * self.dip_deg)


def draw_blink(random: np.random.Generator, side: float = 1.0) -> Blink:
    """A blink.

    Args:
        side: +1 for a right eye, whose nose is to the left; -1 for a left eye.
    """
    duration = MEDIAN_S * float(np.exp(LOG_SD * random.standard_normal()))
    dip = float(random.uniform(*DIP_DEG))
    return Blink(duration, dip * np.array([-side * NASAL_SHARE, -1.0]) / np.hypot(1.0, NASAL_SHARE))


def _ease(x: Array) -> Array:
    """0 to 1 with a smooth start and end."""
    return np.asarray((1 - np.cos(np.pi * np.clip(x, 0, 1))) / 2)
