"""A simulated person who wears a headset that can be moved by so many millimetres, and looks around.

Readings are simulated at the rate at which a watch uses them, one in psog.live.shift.EVERY_US. The eye looks
around or reads, blinks, and is squinted now and then; the pupil has its unrest. Network and head are the
firmware's integers, without its clock and port.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.calibration.session import FIXATION_S
from psog.calibration.targets import plan_targets
from psog.device.lids import Lids
from psog.headset import Headset
from psog.live.shift import EVERY_US
from psog.metrics import angular_error
from psog.net.architecture import OPENNESS
from psog.net.calibrated import Calibrated, calibrated, int8_features
from psog.net.integer import IntegerNet
from psog.net.told import kept
from psog.recording import FIXATION
from psog.sim.fits import Fit
from psog.sim.live import LiveEye
from psog.sim.movement import EyeMovement, EyeSamples
from psog.sim.population import draw_users
from psog.sim.pupil import draw_stretches
from psog.sim.slippage import Motion
from psog.sim.streams import stream
from psog.sim.tasks import viewer

Array = NDArray[np.float64]

RATE_HZ = 1e6 / EVERY_US
DONNING_MM = 2.0
FACES = Motion(expressions_per_min=2.0)
"""Squinting and raised brows as often as at a desk (psog.sim.slippage), without moving the headset."""
TASKS = ("viewing", "reading")
_ARRIVAL_S = 0.8
"""From a target's appearing until the eye rests on it (psog.calibration.still has the parts)."""


class Seen(NamedTuple):
    """Readings of an eye that seems open.

    Attributes:
        wire: (n, sensors). gaze_deg: (n, 2) by the wearer's own head. error_deg: (n,) of that gaze.
    """

    wire: NDArray[np.uint16]
    gaze_deg: Array
    error_deg: Array


class Person:
    """One who has just put the headset on.

    Attributes:
        targets_deg: (n, 2), wire: (n, sensors) what a device keeps of their calibration at nine targets.
        own: the network and head that it finds.
    """

    def __init__(self, headset: Headset, net: IntegerNet, seed: int) -> None:
        headset = headset.model_copy(update={"rate_hz": RATE_HZ})
        users = draw_users(1, seed)
        self._net = net
        self._eye = LiveEye(headset, users, 0, seed, motion=FACES)
        self._eye.don(DONNING_MM)
        self._movement = EyeMovement(seed, RATE_HZ, side=float(users.side[0]))
        self._around = [
            viewer(task, RATE_HZ, headset.field_deg, seed, movement=self._movement) for task in TASKS
        ]
        self._random = stream(seed, "shift bench")
        self._headset = headset
        self._lids, self._now_us = Lids(), 0
        self._began: Fit = self._eye.fit.copy()
        plan = plan_targets(9, headset.field_deg, seed)
        looks = [kept(self._look(target.h_deg, target.v_deg)) for target in plan.calibration]
        places = [(target.h_deg, target.v_deg) for target in plan.calibration]
        self.wire = np.concatenate(looks)
        self.targets_deg = np.repeat(np.array(places), [len(look) for look in looks], axis=0)
        self.own: Calibrated = calibrated(net, int8_features, self.wire, self.targets_deg)

    @property
    def moved_mm(self) -> Array:
        """(3,) how far the headset sits from where it sat at the calibration."""
        return np.asarray(self._eye.fit[:3] - self._began[:3])

    def sit(self, moved: Fit) -> None:
        """Have the headset sit so far (mm, degrees of roll) from where it sat at the calibration."""
        self._eye.place(self._began + moved)

    def don(self) -> None:
        """Take the headset off and put it on again."""
        self._eye.don(DONNING_MM)

    def light(self) -> None:
        """Have the display show something brighter or darker."""
        (luminance,), _ = draw_stretches(self._random, 1)
        self._eye.luminance_cd_m2 = float(luminance)

    def watch(self, seconds: float) -> Seen:
        """Look around, or read, for so long."""
        around = self._around[self._random.integers(len(TASKS))]
        wire, samples = self._read(around.advance(round(seconds * RATE_HZ)))
        features, lids = self.own.features(wire), self._net.head.weight[OPENNESS]
        openness = features @ lids[:-1] + lids[-1]
        is_open = np.array([self._lids.open(self._tick(), float(one)) for one in openness], bool)
        gaze_deg = features[is_open] @ self.own.head[:, :-1].T + self.own.head[:, -1]
        return Seen(wire[is_open], gaze_deg, angular_error(gaze_deg, samples.gaze_deg[is_open]))

    def off_deg(self, h_deg: float, v_deg: float) -> float:
        """How far the gaze is from a dot that is looked at, as psog recenter --check measures it."""
        return float(np.hypot(*(self.own(self._look(h_deg, v_deg)).mean(axis=0) - (h_deg, v_deg))))

    def _look(self, h_deg: float, v_deg: float) -> NDArray[np.uint16]:
        """(n, sensors) readings of an open eye that rests on a target."""
        self._movement.look_at((h_deg, v_deg))
        self._read(self._movement.advance(round(_ARRIVAL_S * RATE_HZ)))
        while True:
            wire, samples = self._read(self._movement.advance(round(FIXATION_S * RATE_HZ)))
            resting = (samples.event == FIXATION) & (samples.openness > 0.9)
            if resting.sum() > len(wire) // 2:  # else a blink: again
                return np.asarray(wire[resting])

    def _read(self, samples: EyeSamples) -> tuple[NDArray[np.uint16], EyeSamples]:
        counts = self._eye.read(samples.gaze_deg, samples.openness)
        wire: NDArray[np.uint16] = self._headset.to_wire(counts)
        return wire, samples

    def _tick(self) -> int:
        self._now_us += EVERY_US
        return self._now_us
