"""Positives: readings that differ in everything but the gaze; what is learnt from without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError


@dataclass(frozen=True)
class Positives:
    """Moments of wearers, each seen several times with the same gaze.

    The views of a moment are readings of one fixation, or of one gaze that the simulator renders again with
    other noise, gain, pupil, lids and a headset that has slipped a little. Where anybody looked is not told.

    Attributes:
        headset: name of the headset.
        readings: (moments, views, sensors) float32 ADC counts, noise included; 2 views or more.
        wearer: (moments,) int64 whose each moment is; a wearer's moments follow each other.
    """

    headset: str
    readings: NDArray[np.float32]
    wearer: NDArray[np.int64]

    def __post_init__(self) -> None:
        shape = self.readings.shape
        if len(shape) != 3 or shape[1] < 2 or self.wearer.shape != shape[:1]:
            raise ShapeError(
                f"positives: readings have shape {shape}, wearers {self.wearer.shape}; expected "
                "(moments, views, sensors) with 2 views or more, and (moments,)"
            )
