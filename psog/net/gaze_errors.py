"""Gaze errors of users who calibrated with some of the samples there are: one per user, pose and sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.metrics import angular_error
from psog.net.calibrated import Form, Way, calibrated, uncalibrated
from psog.net.integer import IntegerNet


def gaze_errors(
    net: IntegerNet,
    form: Form,
    wire: NDArray[np.uint16],
    episodes: Episodes,
    calibrations: Sequence[NDArray[np.bool_]],
    *,
    way: Way = "both",
) -> NDArray[np.float64]:
    """Errors on every pose but the first, after calibrating with some samples of the first.

    Args:
        form: float or int8.
        wire: (users, poses, samples, sensors) readings as the device gets them.
        calibrations: (samples,) each, which samples of pose 0 calibrate; none leaves the population's head.
        way: what a calibration is used for.
    Returns:
        (calibrations, users, poses - 1, samples) degrees.
    """
    users, poses, samples = wire.shape[:3]
    stranger = uncalibrated(net, form)
    errors = np.empty((len(calibrations), users, poses - 1, samples))
    for user in range(users):
        in_use = wire[user, 1:].reshape((poses - 1) * samples, -1)
        true_deg = episodes.gaze_deg[user, 1:]
        for index, chosen in enumerate(calibrations):
            wearer = stranger
            if chosen.any():
                seen = wire[user, 0][chosen], episodes.gaze_deg[user, 0][chosen]
                wearer = calibrated(net, form, *seen, way)
            errors[index, user] = angular_error(wearer(in_use).reshape(true_deg.shape), true_deg)
    return errors
