"""How far the headset has moved since the calibration, or since somebody began to look, as readings come."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from psog.device.messages import GazeFlag
from psog.live.batch import Batch
from psog.net.integer import IntegerNet
from psog.net.shift import Shift, ShiftMap
from psog.net.surface import TERMS, Moments, inputs_of, moments

Array = NDArray[np.float64]
Since = Literal["calibration", "view"]

EVERY_US = 32_000
"""One reading in so much time is used: neighbours say the same (a weak value)."""
KEPT_S = 5.0
"""In which what was read is forgotten to 1/e, of the time the eye is open. Of 3, 5, 7, 10 and 15 s the
one that tells 2 mm soonest without telling more than 0.6 mm where nothing has moved (psog bench shift, eight
wearers of seed 3000)."""
LEAST_S, LEAST_REACH_DEG = 3.0, 2.5
"""Of readings that an estimate needs: of how long, and how far gaze varies (SD in the direction in which it
varies least); weak values."""
REFERENCE_S = 20.0
"""Of readings that stand for a calibration where nothing of it is known; a weak value."""
_USED = GazeFlag.VALID | GazeFlag.CALIBRATED


class ShiftWatch:
    """One headset on one wearer, read by one thread.

    Args:
        net: the model in use; learnt: what shifts teach about it.
        surface: (6, sensors) of the wearer's calibration (ShiftMap.calibrated); without it, the first
            REFERENCE_S of readings are what everything later is compared with.
        kept_s: in which what was read is forgotten to 1/e.
    """

    def __init__(
        self, net: IntegerNet, learnt: ShiftMap, surface: Array | None = None, *, kept_s: float = KEPT_S
    ) -> None:
        self._kept_s = kept_s
        self._net = net
        self._learnt = learnt
        self._surface = surface
        self.since: Since = "view" if surface is None else "calibration"
        self._last_us: int | None = None
        self._seen = self._nothing

    @property
    def shift(self) -> Shift | None:
        """The estimate now; None while too little has been seen."""
        if self._surface is None or not self._covers(LEAST_S):
            return None
        return self._learnt.shift(self._surface, self._seen)

    def add(self, batch: Batch) -> None:
        """Take the readings of a calibrated headset, as far as the eye is open."""
        if batch.readings is None:
            return
        if self._last_us is not None and batch.t_us[0] < self._last_us:
            self.begin_anew()  # the headset was switched off and on
        last_us = batch.t_us[0] - EVERY_US if self._last_us is None else self._last_us
        chosen = np.flatnonzero(np.diff(batch.t_us // EVERY_US, prepend=last_us // EVERY_US))
        self._last_us = int(batch.t_us[-1])
        chosen = chosen[(batch.flags[chosen] & _USED) == _USED]
        if len(chosen):
            self.take(batch.readings[chosen], batch.gaze_deg[chosen], len(chosen) * EVERY_US * 1e-6)

    def take(self, wire: NDArray[np.uint16], gaze_deg: NDArray[np.floating], seconds: float) -> None:
        """(n, sensors) readings of an open eye and (n, 2) its gaze, evenly over so many seconds, fewer by far
        than those in which readings are forgotten."""
        kept = math.exp(-seconds / self._kept_s) if self._surface is not None else 1.0
        each_s = seconds / len(wire)
        self._seen = self._seen.kept(kept) + moments(inputs_of(self._net, wire), gaze_deg).kept(each_s)
        if self._surface is None and self._covers(REFERENCE_S):
            self._surface = self._learnt.begun(self._seen)
            self._seen = self._nothing

    def begin_anew(self) -> None:
        """Forget what was seen, as after a time without readings, but not what it is compared with."""
        self._last_us = None
        self._seen = self._nothing

    @property
    def _nothing(self) -> Moments:
        return Moments(0.0, np.zeros((TERMS, TERMS)), np.zeros((TERMS, len(self._net.normalisation.offset))))

    def _covers(self, seconds: float) -> bool:
        enough: bool = (
            self._seen.count >= seconds
        )  # what is being forgotten never adds up to more than KEPT_S
        return enough and self._seen.reach_deg() >= LEAST_REACH_DEG
