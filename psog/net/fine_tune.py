"""Fine-tuning: every weight trained on one user, for as long as fixations that were held out gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import RecordingError
from psog.headset import Headset
from psog.metrics import angular_error
from psog.net.adapt import trainable
from psog.net.adapt_episodes import Pose, UsableRows, episodes_of
from psog.net.calibrated import calibrated, int8_features
from psog.net.convert import to_integer
from psog.net.embedding import personal
from psog.net.integer import IntegerNet
from psog.net.loop import TrainingConfig, fit
from psog.net.recorded import in_blocks
from psog.net.store import Model
from psog.net.training import objective_on
from psog.recording import Recording

HELD_OUT_EVERY = 4
"""Fixations: one in so many is not trained on, and judges."""
FEWEST_FIXATIONS = 12
"""So that at least three are held out."""
NEW_TARGET_DEG = 1.0
"""From one row to the next: a new fixation begins, where a recording leaves out how gaze went there. A weak
value."""


@dataclass(frozen=True)
class FineTuning:
    """How to train on one user.

    Attributes:
        learning_rate: at the start of each run; a weak value.
        lengths: steps of the runs that are tried, each from the beginning, until one is no better than those
            before.
    """

    seed: int = 0
    learning_rate: float = 1e-3
    lengths: tuple[int, ...] = (50, 100, 200, 400, 800)

    def config(self, steps: int) -> TrainingConfig:
        """Of a run that rounds as the device does from its first step on: it is to change little."""
        return TrainingConfig(
            steps=steps,
            seed=self.seed,
            learning_rate=self.learning_rate,
            warm_up=0.0,
            quantize_from=0.0,
            users_per_batch=_USERS,
        )


_USERS = 8  # calibrations of the one user in a step


def fine_tuned(
    parent: Model,
    headset: Headset,
    recording: Recording,
    fixating: NDArray[np.int64],
    tuning: FineTuning,
) -> tuple[IntegerNet | None, dict[str, Any]]:
    """The best of some runs of growing length, if it beats the closed form on fixations that are held out.

    Args:
        recording: of one user.
        fixating: (n,) its rows with an open eye, a fixation and gaze.
    Returns:
        The network, told whose eye it sees and with its population's head; None where no run beats the
        closed form. And what happened, JSON types only.
    Raises:
        RecordingError: too few fixations.
        ModelError: what the parent says of its pruning does not describe it, or a run diverged.
    """
    wire, gaze_deg = headset.to_wire(recording.readings), recording.gaze_deg.astype(np.float64)
    held = held_out(fixating, gaze_deg[fixating])
    learnt, judged = fixating[~held], fixating[held]

    def error_deg(net: IntegerNet) -> float:
        own = calibrated(net, int8_features, wire[learnt], gaze_deg[learnt])
        return round(float(angular_error(in_blocks(own, wire[judged]), gaze_deg[judged]).mean()), 4)

    chosen = np.ones(len(recording), bool)
    chosen[judged] = False
    poses = list(UsableRows(parent.net, headset, recording).poses(chosen))
    told = replace(parent, net=personal(parent.net, wire[learnt], gaze_deg[learnt]))
    closed_deg = least_deg = error_deg(parent.net)
    best, tried = None, []
    for steps in tuning.lengths:
        net = _run(told, headset, poses, tuning.config(steps))
        tried.append({"steps": steps, "held_out_deg": error_deg(net)})
        if tried[-1]["held_out_deg"] >= least_deg:
            break
        best, least_deg = net, tried[-1]["held_out_deg"]
    happened = {
        **asdict(tuning),
        "held_out_samples": len(judged),
        "closed_form_deg": closed_deg,
        "held_out_deg": least_deg,
        "kept": "closed form" if best is None else "fine-tuned",
        "tried": tried,
    }
    return best, happened


def held_out(fixating: NDArray[np.int64], gaze_deg: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of some rows (n,) belong to a fixation that is held out.

    Args:
        gaze_deg: (n, 2) of these rows.
    Raises:
        RecordingError: too few fixations to hold some out.
    """
    moved_deg = np.linalg.norm(np.diff(gaze_deg, axis=0), axis=1)
    number = np.cumsum(np.concatenate([[0], (np.diff(fixating) > 1) | (moved_deg > NEW_TARGET_DEG)]))
    if number[-1] + 1 < FEWEST_FIXATIONS:
        raise RecordingError(
            f"it has {number[-1] + 1} fixations, at least {FEWEST_FIXATIONS} expected to fine-tune, because "
            "some judge the others; record for longer, or leave out --fine-tune"
        )
    return np.asarray(number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1)


def _run(told: Model, headset: Headset, poses: Sequence[Pose], config: TrainingConfig) -> IntegerNet:
    """The network trained on the one user's poses."""
    episodes = episodes_of([poses], headset, config.seed)
    net = trainable(told, told.net)
    net.quantize()
    fit(net, objective_on(episodes, headset, net.normalisation, config), config)
    return to_integer(net)
