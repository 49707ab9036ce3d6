"""A model for one user, made on the host from a recording of this user at known targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from psog.data_quality import fixations, stretches
from psog.errors import RecordingError
from psog.headset import Headset
from psog.net.architecture import LN_ERROR, OPENNESS
from psog.net.calibrated import calibrated, int8_features, uncalibrated
from psog.net.embedding import personal
from psog.net.integer import IntegerNet
from psog.net.recorded import checked_gaze, in_blocks
from psog.recording import Recording

FEWEST_SAMPLES = 50
"""Of fixations with an open eye, as many as seven at each of some seven targets."""


def personalise(
    net: IntegerNet, headset: Headset, recording: Recording, *, openness_border: float
) -> tuple[IntegerNet, int]:
    """The network of one user: told whose eye it sees, if it can be, and with this user's head.

    It is a network like any other, without an embedding: it is exported and flashed as such.

    Args:
        recording: of one user; its fixations with gaze and an open eye calibrate.
        openness_border: estimated openness below which an eye counts as closed.
    Returns:
        The network, and how many samples it was made from.
    Raises:
        ModelError: the model is of another headset.
        RecordingError: the recording is; or it has no usable gaze, several users or too few fixations.
    """
    true_deg = checked_gaze(net, headset, recording)
    users = sorted(set(stretches(recording)[1]))
    if len(users) > 1:
        raise RecordingError(f"it is of {len(users)} users, expected one; record this user alone")
    wire = headset.to_wire(recording.readings)
    stranger = uncalibrated(net, int8_features)
    row = net.head.weight[OPENNESS]
    openness = in_blocks(stranger.features, wire) @ row[:-1] + row[-1]
    seen = np.isfinite(true_deg).all(axis=1) & (openness >= openness_border)
    fit = np.flatnonzero(seen & fixations(recording, true_deg)[0])
    if len(fit) < FEWEST_SAMPLES:
        raise RecordingError(
            f"it has {len(fit)} samples of fixations with an open eye, at least {FEWEST_SAMPLES} expected; "
            "record for longer, with the targets' places as gaze"
        )
    weight = net.head.weight.copy()
    weight[:2] = calibrated(net, int8_features, wire[fit], true_deg[fit]).head
    weight[LN_ERROR, -1] += net.head.calibration_ln
    own = personal(net, wire[fit], true_deg[fit])
    return replace(own, head=replace(net.head, weight=weight, calibration_ln=0.0)), len(fit)
