"""Training a candidate, and what users say of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.headset import Headset
from psog.net.calibrated import int8_features
from psog.net.evaluation import noisy_wire
from psog.net.gaze_errors import gaze_errors
from psog.net.integer import IntegerNet
from psog.net.loop import ProgressCallback, TrainingConfig
from psog.net.training import train
from psog.search.space import Candidate


def trained(
    candidate: Candidate,
    episodes: Episodes,
    headset: Headset,
    *,
    steps: int,
    seed: int,
    users_per_batch: int = TrainingConfig.users_per_batch,
    progress: ProgressCallback | None = None,
) -> IntegerNet:
    """The candidate after so many steps. With one seed, all candidates see the same batches.

    Raises:
        ModelError: the run diverged.
    """
    config = TrainingConfig(
        steps=steps,
        seed=seed,
        architecture=candidate.architecture,
        users_per_batch=users_per_batch,
        pruning=candidate.pruning,
    )
    return train(episodes, headset, config, progress)[0]


def errors_deg(net: IntegerNet, judges: Episodes, headset: Headset) -> NDArray[np.float64]:
    """(users, slips) mean error in int8 after a calibration with every sample of pose 0, degrees."""
    wire = noisy_wire(judges, headset, judges.seed)
    everything = np.ones(judges.readings.shape[2], np.bool_)
    each: NDArray[np.float64] = gaze_errors(net, int8_features, wire, judges, [everything])[0].mean(axis=2)
    return each
