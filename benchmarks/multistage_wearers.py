"""Unseen users of a headset in `psog bench multistage`, some of whom have recorded before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from psog.benchmarks.stages_headset import Built
from psog.device.messages import OPENNESS_BORDER
from psog.net.calibrated import int8_features
from psog.net.evaluation import noisy_wire
from psog.net.fine_tune import FineTuning
from psog.net.gaze_errors import gaze_errors
from psog.net.personalise import personalise
from psog.net.sources import Source
from psog.net.store import Model

if TYPE_CHECKING:
    from psog.benchmarks.multistage import Protocol

SLIPS_MM = (0.0, 1.0)
NINE = "9 points"
OWN = "own recording, then 9 points"
TUNED = "fine-tuned, then 9 points"

Errors = list[list[float]]
"""Of the first users, at each slip, degrees."""


class Wearers:
    """Users who calibrate with 9 points, and then wear the headset in SLIPS_MM."""

    def __init__(self, worn: Built, protocol: Protocol, seed: int) -> None:
        self._worn, self._protocol, self._seed = worn, protocol, seed
        self._test = worn.test(protocol.test_users, seed, SLIPS_MM)
        self._wire = noisy_wire(self._test, worn.headset, seed)

    def errors(self, model: Model, *, tuned: bool) -> dict[str, Errors]:
        """By how the users calibrated.

        Args:
            tuned: whether some also get a network of their own.
        """
        everybody = slice(0, self._protocol.test_users)
        found: dict[str, Errors] = {NINE: self._nine_points(model, everybody)}
        if not tuned:
            return found
        tuning = FineTuning(seed=0, lengths=self._protocol.tuned_steps)
        users = self._protocol.tuned_users
        for calibration, how in ((OWN, None), (TUNED, tuning)):
            found[calibration] = [
                row
                for user in range(users)
                for row in self._nine_points(self._personal(model, user, how), slice(user, user + 1))
            ]
        return found

    def _personal(self, model: Model, user: int, tuning: FineTuning | None) -> Model:
        recording = self._worn.record_tested(user, self._protocol.own_s, self._seed)
        source = Source(Path(f"own{user}"), recording)
        return Model(
            *personalise(model, source, self._worn.headset, openness_border=OPENNESS_BORDER, tuning=tuning)
        )

    def _nine_points(self, model: Model, users: slice) -> Errors:
        wire, test = self._wire[users], self._test
        some = replace(
            test,
            readings=test.readings[users],
            gaze_deg=test.gaze_deg[users],
            openness=test.openness[users],
        )
        everything = np.ones(wire.shape[2], bool)
        of_samples = gaze_errors(model.net, int8_features, wire, some, [everything])[0]
        rows: Errors = of_samples.mean(axis=-1).round(4).tolist()
        return rows
