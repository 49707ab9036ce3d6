"""How bright a headset's sensors are, on the average of simulated wearers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.sim.episodes import make_episodes

USERS = 1000
"""The means of wearers scatter by a fifth, so that the mean of so many is known to 0.6 %."""
SEED = 1
_POSES, _SAMPLES = 3, 16


def mean_wire(headset: Headset, users: int = USERS, seed: int = SEED) -> NDArray[np.int64]:
    """(sensors,) mean readings, in wire units, of users as `psog train` draws them, blinks included."""
    episodes = make_episodes(headset, users=users, poses=_POSES, samples=_SAMPLES, seed=seed)
    counts = np.clip(np.rint(episodes.readings), 0, headset.adc.full_scale - 1)
    mean: NDArray[np.int64] = np.rint(headset.to_wire(counts).mean(axis=(0, 1, 2))).astype(np.int64)
    return mean
