"""The user's stage: a model for one user, made on the host from a recording of this user at known targets.

The closed form tells the network whose eye it sees, if it can be told, and solves the user's head.
Fine-tuning (psog.net.fine_tune) trains every weight on this user besides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.data_quality import fixations, stretches
from psog.errors import RecordingError
from psog.headset import Headset
from psog.net.adapt_pruned import pruning_of
from psog.net.architecture import LN_ERROR, OPENNESS
from psog.net.calibrated import calibrated, int8_features, uncalibrated
from psog.net.embedding import personal
from psog.net.fine_tune import FineTuning, fine_tuned
from psog.net.integer import IntegerNet
from psog.net.recorded import checked_gaze, in_blocks
from psog.net.ridge import GAZE_OUTPUTS
from psog.net.sources import Source
from psog.net.store import Model
from psog.recording import Recording

FEWEST_SAMPLES = 50
"""Of fixations with an open eye, as many as seven at each of some seven targets."""


def personalise(
    parent: Model,
    source: Source,
    headset: Headset,
    *,
    openness_border: float,
    tuning: FineTuning | None = None,
) -> tuple[IntegerNet, dict[str, Any]]:
    """The network of one user: told whose eye it sees, if it can be, and with this user's head.

    It is a network like any other, without an embedding: it is exported and flashed as such.

    Args:
        source: of one user; its fixations with gaze and an open eye calibrate.
        openness_border: estimated openness below which an eye counts as closed.
        tuning: how to train the whole network on this user; None for the closed form alone.
    Returns:
        The network, and a report as of psog.net.training.train. What fine-tuning came to stands under
        "training"; where it was no better on fixations that were held out, the closed form is what comes.
    Raises:
        ModelError: the model is of another headset.
        RecordingError: the recording is; or it has no usable gaze, several users or too few fixations.
    """
    try:
        return _personalised(parent, source, headset, openness_border, tuning)
    except RecordingError as error:
        raise RecordingError(f"cannot personalise with {source.path}: {error}") from error


def _personalised(
    parent: Model, source: Source, headset: Headset, openness_border: float, tuning: FineTuning | None
) -> tuple[IntegerNet, dict[str, Any]]:
    net, recording = parent.net, source.recording
    gaze_deg = checked_gaze(net, headset, recording)
    rows = _fixating(net, headset, recording, gaze_deg, openness_border)
    training: dict[str, Any] = {"kind": "personal", "embedding": net.embedding is not None}
    wire = headset.to_wire(recording.readings[rows])
    own = personal(net, wire, gaze_deg[rows])
    if tuning is not None:
        tuned, happened = fine_tuned(parent, headset, recording, rows, tuning)
        training |= {"seed": tuning.seed, "fine_tuning": happened}
        own = own if tuned is None else tuned
    weight = own.head.weight.copy()
    weight[:GAZE_OUTPUTS] = calibrated(own, int8_features, wire, gaze_deg[rows]).head
    weight[LN_ERROR, -1] += own.head.calibration_ln
    own = replace(own, head=replace(own.head, weight=weight, calibration_ln=0.0))
    return own, {
        "stage": "user",
        "training": training,
        "data": {"kind": "recordings", "files": [source.told()], "samples": len(rows)},
        "parent": parent.origin,
        "macs": own.macs,
        "parameters": own.parameters,
        **pruning_of(parent),
    }


def _fixating(
    net: IntegerNet,
    headset: Headset,
    recording: Recording,
    gaze_deg: NDArray[np.float64],
    openness_border: float,
) -> NDArray[np.int64]:
    """Rows in which an open eye fixates and its gaze is known, at least FEWEST_SAMPLES."""
    users = sorted(set(stretches(recording)[1]))
    if len(users) > 1:
        raise RecordingError(f"it is of {len(users)} users, expected one; record this user alone")
    stranger = uncalibrated(net, int8_features)
    row = net.head.weight[OPENNESS]
    openness = in_blocks(stranger.features, headset.to_wire(recording.readings)) @ row[:-1] + row[-1]
    seen = np.isfinite(gaze_deg).all(axis=1) & (openness >= openness_border)
    rows = np.flatnonzero(seen & fixations(recording, gaze_deg)[0])
    if len(rows) < FEWEST_SAMPLES:
        raise RecordingError(
            f"it has {len(rows)} samples of fixations with an open eye, at least {FEWEST_SAMPLES} expected; "
            "record for longer, with the targets' places as gaze"
        )
    return rows
