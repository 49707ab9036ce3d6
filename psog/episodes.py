"""Episodes: what a network is trained on, and the only thing simulator and network share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError


@dataclass(frozen=True)
class Episodes:
    """Users who wear a headset that sits elsewhere from one pose to the next.

    Pose 0 is where the user would calibrate; the others are where the headset slipped to.

    Attributes:
        headset: name of the headset.
        readings: (users, poses, samples, sensors) float32 ADC counts, free of noise.
        gaze_deg: (users, poses, samples, 2) float32.
        openness: (users, poses, samples) float32; 0 closed, 1 as open as the gaze asks for.
        noise_counts: (sensors,) float32 standard deviation of one noisy reading.
        seed: what the episodes were drawn from.
    """

    headset: str
    readings: NDArray[np.float32]
    gaze_deg: NDArray[np.float32]
    openness: NDArray[np.float32]
    noise_counts: NDArray[np.float32]
    seed: int

    def __post_init__(self) -> None:
        users_poses_samples = self.readings.shape[:3]
        expected = {
            "gaze_deg": (*users_poses_samples, 2),
            "openness": users_poses_samples,
            "noise_counts": self.readings.shape[3:],
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise ShapeError(f"episodes: {name} has shape {found}, expected {shape}")
