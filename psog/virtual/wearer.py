"""A simulated user who wears the virtual headset: looks at targets as they appear, else around."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.sim.live import LiveEye
from psog.sim.movement import EyeMovement, EyeSamples
from psog.sim.population import draw_users
from psog.sim.tasks import viewer
from psog.virtual.source import Readings, Target

_REMEMBERED_US = 60_000_000
_DONNING_MM = 2.0
"""How far from the nominal place the wearer puts the headset on, as training assumes."""


class Truth(NamedTuple):
    """What the wearer did.

    Attributes:
        t_us: (n,) int64 device time.
        gaze_deg: (n, 2) float32 line of sight, right and up positive.
        openness: (n,) float32; 0 closed.
        event: (n,) uint8; 1 fixation, 2 saccade, 3 oscillation after one, 4 smooth movement, 5 blink.
    """

    t_us: NDArray[np.int64]
    gaze_deg: NDArray[np.float32]
    openness: NDArray[np.float32]
    event: NDArray[np.uint8]


_NOTHING = Truth(
    np.empty(0, np.int64), np.empty((0, 2), np.float32), np.empty(0, np.float32), np.empty(0, np.uint8)
)


class Wearer:
    """One simulated user, a source of readings. What it does is a function of the seed and of the targets.

    `slip`, `don` and `truth` may be called from any thread.

    Args:
        seed: which user, how the headset sits, and every movement.
        donning_mm: how far from the nominal place the headset may sit.
        heeds_targets: otherwise the wearer looks around, whatever is shown.
    Raises:
        SimulationError: the headset would touch the eye.
    """

    def __init__(
        self, headset: Headset, seed: int, *, donning_mm: float = _DONNING_MM, heeds_targets: bool = True
    ) -> None:
        self._rate_hz = headset.rate_hz
        self._headset = headset
        users = draw_users(1, seed)
        self._eye = LiveEye(headset, users, 0, seed)
        self._eye.don(donning_mm)
        self._movement = EyeMovement(seed, headset.rate_hz, side=float(users.side[0]))
        self._around = viewer("viewing", headset.rate_hz, headset.field_deg, seed, movement=self._movement)
        self._heeds_targets = heeds_targets
        self._target: Target | None = None
        self._taken = 0
        self._truth: deque[Truth] = deque()
        self._lock = threading.Lock()
        self._eye.read(np.zeros((1, 2)), np.ones(1))  # compiles what must not be late when sensors run

    def take(self, elapsed_us: int) -> Readings:
        """The readings due `elapsed_us` after the start and not taken yet."""
        due = int(np.ceil(elapsed_us * self._rate_hz / 1e6))
        index = np.arange(self._taken, max(due, self._taken))
        t_us = np.rint(index * 1e6 / self._rate_hz).astype(np.int64)
        with self._lock:
            samples = self._look(len(index))
            counts = self._eye.read(samples.gaze_deg, samples.openness)
            self._remember(Truth(t_us, samples.gaze_deg, samples.openness, samples.event))
        self._taken += len(index)
        return Readings(t_us, self._headset.to_wire(counts))

    def show(self, target: Target | None) -> None:
        """The display shows a target, or nothing: then the wearer looks around again."""
        if not self._heeds_targets:
            return
        if target is not None and target != self._target:
            self._movement.look_at(target)
        self._target = target

    def slip(self, distance_mm: float) -> None:
        """Let the headset slip by this much in a random direction."""
        with self._lock:
            self._eye.slip(distance_mm)

    def don(self, donning_mm: float = _DONNING_MM) -> None:
        """Take the headset off and put it on again."""
        with self._lock:
            self._eye.don(donning_mm)

    def truth(self) -> Truth:
        """What the wearer did during the last minute."""
        with self._lock:
            parts = [_NOTHING, *self._truth]
        columns = zip(*parts, strict=True)
        return Truth(*(np.concatenate(column) for column in columns))

    def _look(self, count: int) -> EyeSamples:
        eye = self._around if self._target is None else self._movement
        return eye.advance(count)

    def _remember(self, part: Truth) -> None:
        if len(part.t_us) == 0:
            return
        self._truth.append(part)
        while self._truth[0].t_us[-1] < part.t_us[-1] - _REMEMBERED_US:
            self._truth.popleft()
