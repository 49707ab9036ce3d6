"""How far a headset sits from where it sat at the calibration, from readings without targets.

At a calibration each reading is fitted as a quadratic in gaze: the wearer's surface (psog.net.surface).
Later the same is fitted to what differs from it over the last seconds, with the gaze as the headset
estimates it, and a linear map takes the 6 coefficients of each sensor to millimetres. Being a difference
over gaze, it says little about where the wearer happened to look. The map and its error are learnt from
simulated users (psog.net.shift_learning); docs/recovery.md has what it comes to on others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.net.surface import CALIBRATION_RIDGE, SURFACE_RIDGE, Moments, fitted

Array = NDArray[np.float64]

AXES = 3
"""To the wearer's right, up, and away from the face."""
MOVED_MM = 1.0
"""From here on a shift is worth a look at a dot: the smallest after which `psog recenter` gains something
(docs/recovery.md)."""
_P95 = 1.96
"""SDs that hold 95 % of a normal distribution."""
_IN_WEAR = 1.25
"""By how much errors while people look around for some seconds are larger than over the stretches of the
learning (psog bench shift with 8 wearers of seed 3000)."""


@dataclass(frozen=True)
class Shift:
    """An estimate.

    Attributes:
        mm: (3,) to the wearer's right, up, and away from the face.
        sd_mm: (3,) standard error of each.
    """

    mm: Array
    sd_mm: Array

    @property
    def size_mm(self) -> float:
        """How far, in whatever direction."""
        return float(np.linalg.norm(self.mm))

    @property
    def within_mm(self) -> float:
        """Half of the interval about the size that holds the true one in 95 % of cases: along the direction
        of the shift, and evenly over directions where it is too small to have one."""
        along = np.square(self.mm) + np.square(self.sd_mm)
        return float(_P95 * _IN_WEAR * np.sqrt(np.average(np.square(self.sd_mm), weights=along)))

    @property
    def has_moved(self) -> bool:
        """Whether something should be done."""
        return self.size_mm >= MOVED_MM


@dataclass(frozen=True)
class ShiftMap:
    """What simulated shifts teach, for one network.

    Attributes:
        surface: (6, sensors) inputs over gaze of the average calibration.
        weight: (3, 6 · sensors), bias: (3,) from a surface's coefficients to millimetres.
        still_mm: (3,) SD of the error where nothing has moved.
        share: (3,) of the size of a shift, by which the SD grows: SD² = still² + (share · size)².
    """

    surface: Array
    weight: Array
    bias: Array
    still_mm: Array
    share: Array

    def calibrated(self, seen: Moments) -> Array:
        """(6, sensors) the wearer's surface, from the readings of a calibration at its targets."""
        return self.surface + fitted(seen, self.surface, CALIBRATION_RIDGE)

    def begun(self, seen: Moments) -> Array:
        """(6, sensors) the same from readings without targets, over gaze as the headset estimates it."""
        return self.surface + fitted(seen, self.surface, SURFACE_RIDGE)

    def shift(self, surface: Array, seen: Moments) -> Shift:
        """How far the headset sits from where that surface was taken."""
        away = fitted(seen, surface, SURFACE_RIDGE)
        mm = self.weight @ away.ravel() + self.bias
        return Shift(mm, np.hypot(self.still_mm, self.share * np.linalg.norm(mm)))
