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
from psog.net.calibrated import calibrated, int8_features
from psog.net.integer import IntegerNet
from psog.net.recovery import Recovery
from psog.net.told import kept
from psog.virtual.source import Target
from psog.virtual.wearer import Wearer

_ARRIVAL_S = 0.8
"""From a target's appearing until the eye rests on it (psog.calibration.still has the parts)."""
_WATCHED_S = 8.0
"""Looking around, to judge gaze: some twenty fixations, as the demo does."""
DOT = Target(0.0, 0.0)


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
    headset: Headset, net: IntegerNet, recovery: Recovery, *, seed: int, slip_mm: float
) -> Slipped:
    """A wearer (psog.virtual.wearer) calibrates, the headset slips, and one look at the dot is used."""
    wearer = _Session(headset, seed)
    own = calibrated(net, int8_features, *wearer.calibration())
    if slip_mm > 0:
        wearer.wearer.slip(slip_mm)
    look = wearer.look(DOT)
    features, dot = own.features(look).mean(axis=0), np.array(DOT)
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


def calibration_looks(headset: Headset, seed: int) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
    """(36, sensors) readings and (36, 2) targets: what a device keeps of nine targets of a wearer who has
    just put the headset on."""
    return _Session(headset, seed).calibration()


class _Session:
    """A wearer's time, in pieces."""

    def __init__(self, headset: Headset, seed: int) -> None:
        self.wearer = Wearer(headset, seed)
        self._plan = plan_targets(9, headset.field_deg, seed)
        self._now_us = 0

    def calibration(self) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
        """Readings as a device keeps them, and targets."""
        targets = [Target(target.h_deg, target.v_deg) for target in self._plan.calibration]
        looks = [kept(self.look(target)) for target in targets]
        return np.concatenate(looks), np.repeat(targets, [len(look) for look in looks], axis=0)

    def look(self, target: Target) -> NDArray[np.uint16]:
        """(n, sensors) readings of an open eye that rests on a target."""
        self.wearer.show(target)
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
