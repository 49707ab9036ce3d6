"""Whose light counts in a reading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset


def emitter_mixing(headset: Headset) -> NDArray[np.float64]:
    """(sensors, sensors): how much the light of each emitter (column) counts in each reading (row).

    Slots follow the order of the sensors, and the last slot of a sample is the neighbour of the first of the
    next. With ideal time multiplexing each reading has its own light alone; `drive.crosstalk` is the share
    that either neighbouring slot adds; without multiplexing all light counts in full.
    """
    count = headset.sensor_count
    if headset.drive.multiplexing == "none":
        return np.ones((count, count))
    own = np.eye(count)
    if count == 1:
        return own
    return own + headset.drive.crosstalk * (np.roll(own, 1, axis=1) + np.roll(own, -1, axis=1))
