"""Wearers of the virtual headset who calibrate, slip and look at one dot; no board between: the integers are
those of the firmware (tests/firmware), so what a device finds is computed here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.calibration.session import FIXATION_S
from psog.calibration.targets import plan_targets
from psog.device.messages import OPENNESS_BORDER
from psog.headset import Headset
from psog.metrics import angular_error
from psog.net.architecture import OPENNESS
from psog.net.calibrated import Calibrated, calibrated, int8_features
from psog.net.integer import IntegerNet
from psog.net.recovery import Recovery
from psog.net.told import kept
from psog.virtual.wearer import Wearer

_ARRIVAL_S = 0.8
"""From a target's appearing until the eye rests on it: a saccade, perhaps a blink (psog.calibration.still)."""
_WATCHED_S = 8.0
"""Looking around, to judge gaze: some twenty fixations, as the demo does."""
DOT_DEG = (0.0, 0.0)


@dataclass(frozen=True)
class Slipped:
    """One wearer after one slip.

    Attributes:
        error_deg: mean error while looking around, by what was done: "nothing", "offset", "one target".
        dot_deg: distance of the gaze from the dot, by the same.
        surprise: of the look (Recovery.one_target).
    """

    error_deg: dict[str, float]
    dot_deg: dict[str, float]
    surprise: float


def wear_and_slip(
    headset: Headset, net: IntegerNet, recovery: Recovery, seed: int, slip_mm: float, points: int = 9
) -> Slipped:
    """A wearer (psog.virtual.wearer) calibrates, the headset slips, and one look at the dot is used."""
    wearer = _Session(headset, seed)
    own = _calibrate(wearer, headset, net, seed, points)
    if slip_mm > 0:
        wearer.wearer.slip(slip_mm)
    look = wearer.look(DOT_DEG)
    features, dot = own.features(look).mean(axis=0), np.array(DOT_DEG)
    change, surprise = recovery.one_target(own.head, features, dot)
    shifted = own.head.copy()
    shifted[:, -1] += dot - own(look).mean(axis=0)
    heads = {"nothing": own.head, "offset": shifted, "one target": recovery.changed(own.head, change)}
    wire, gaze_deg = wearer.watch(net)
    seen = own.features(wire)
    error_deg = {
        name: float(angular_error(seen @ head[:, :-1].T + head[:, -1], gaze_deg).mean())
        for name, head in heads.items()
    }
    dot_deg = {name: float(np.hypot(*(head @ np.append(features, 1) - dot))) for name, head in heads.items()}
    return Slipped(error_deg, dot_deg, surprise)


def _calibrate(wearer: _Session, headset: Headset, net: IntegerNet, seed: int, points: int) -> Calibrated:
    """As the device does: four readings of each target."""
    plan = plan_targets(points, headset.field_deg, seed)  # type: ignore[arg-type]
    looks = [kept(wearer.look((target.h_deg, target.v_deg))) for target in plan.calibration]
    targets = [(target.h_deg, target.v_deg) for target in plan.calibration]
    return calibrated(
        net, int8_features, np.concatenate(looks), np.repeat(targets, [len(look) for look in looks], axis=0)
    )


class _Session:
    """A wearer's time, in pieces."""

    def __init__(self, headset: Headset, seed: int) -> None:
        self.wearer = Wearer(headset, seed)
        self._now_us = 0

    def look(self, target_deg: tuple[float, float]) -> NDArray[np.uint16]:
        """(n, sensors) readings of an open eye that rests on a target."""
        self.wearer.show(target_deg)
        self._take(_ARRIVAL_S)
        while True:
            wire, _, resting = self._take(FIXATION_S)
            if resting.sum() > len(wire) // 2:  # else a blink: again
                self.wearer.show(None)
                return wire[resting]

    def watch(self, net: IntegerNet) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
        """(n, sensors) readings and (n, 2) gaze of an eye that looks around, as far as it seems open."""
        wire, gaze_deg, _ = self._take(_WATCHED_S)
        openness = net.apply_head(net.features(net.input(wire)))[:, OPENNESS]
        is_open = openness >= OPENNESS_BORDER
        return wire[is_open], gaze_deg[is_open]

    def _take(self, seconds: float) -> tuple[NDArray[np.uint16], NDArray[np.float32], NDArray[np.bool_]]:
        """Readings, gaze, and where an open eye rests."""
        self._now_us += round(seconds * 1e6)
        wire = self.wearer.take(self._now_us).wire
        truth = self.wearer.truth()
        last = slice(len(truth.t_us) - len(wire), None)
        resting = (truth.event[last] == 1) & (truth.openness[last] > 0.9)
        return wire, truth.gaze_deg[last], resting
