"""Gaze without its noise, and its velocity: straight lines through short windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Lines:
    """The straight lines through the gaze in a window about each reading, by least squares.

    Args:
        t_us: (n,); xy: (n, 2) degrees; usable: (n,) which of them count. half: readings on either side.
    Attributes:
        count: (n,) usable readings in the window.
        middle_deg: (n, 2) their mean; NaN without one.
        velocity_deg_s: (n, 2) slope; 0 where it is not known.
    """

    def __init__(self, t_us: NDArray[np.int64], xy: Array, usable: NDArray[np.bool_], half: int) -> None:
        self._half = half
        weight = usable.astype(np.float64)
        t_s = (t_us - t_us[0]) * 1e-6
        moments = np.column_stack([weight, weight * t_s, weight * t_s**2])
        gaze = weight[:, None] * xy
        count, first, second = self._summed(moments).T
        along, across = self._summed(gaze), self._summed(gaze * t_s[:, None])
        spread = count * second - first**2
        self.count = count
        with np.errstate(invalid="ignore", divide="ignore"):
            self.middle_deg = along / count[:, None]
            slope = (count[:, None] * across - first[:, None] * along) / spread[:, None]
        self.velocity_deg_s = np.where((count > 2)[:, None] & np.isfinite(slope), slope, 0.0)

    def near(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(n,) whether the mask is set anywhere in the window."""
        hit: NDArray[np.bool_] = self._summed(mask[:, None].astype(np.float64))[:, 0] > 0
        return hit

    def _summed(self, columns: Array) -> Array:
        """(n, k) sums over the window about each row."""
        before = np.concatenate([np.zeros((1, columns.shape[1])), columns.cumsum(0)])
        rows = np.arange(len(columns))
        upper = np.minimum(rows + self._half + 1, len(columns))
        summed: Array = before[upper] - before[np.maximum(rows - self._half, 0)]
        return summed
