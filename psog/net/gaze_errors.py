"""Gaze errors of users who calibrated with some of the samples there are: one per user, pose and sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.metrics import angular_error
from psog.net.evaluation import RealFeatures
from psog.net.integer import IntegerNet
from psog.net.ridge import solve_head


def gaze_errors(
    net: IntegerNet,
    features: RealFeatures,
    wire: NDArray[np.uint16],
    episodes: Episodes,
    calibrations: Sequence[NDArray[np.bool_]],
) -> NDArray[np.float64]:
    """Errors on every pose but the first, after calibrating with some samples of the first.

    Args:
        wire: (users, poses, samples, sensors) readings as the device gets them.
        calibrations: (samples,) each, which samples of pose 0 calibrate; none leaves the population's head.
    Returns:
        (calibrations, users, poses - 1, samples) degrees.
    """
    users, poses, samples = wire.shape[:3]
    prior = net.head.weight[:2].astype(np.float64)
    errors = np.empty((len(calibrations), users, poses - 1, samples))
    for user in range(users):
        seen = np.asarray(features(wire[user].reshape(poses * samples, -1)), np.float64)
        seen = seen.reshape(poses, samples, -1)
        for index, chosen in enumerate(calibrations):
            head = prior
            if chosen.any():
                targets = episodes.gaze_deg[user, 0][chosen]
                head = solve_head(seen[0][chosen], targets, prior, net.head.ridge)
            gaze = seen[1:] @ head[:, :-1].T + head[:, -1]
            errors[index, user] = angular_error(gaze, episodes.gaze_deg[user, 1:])
    return errors
