"""One look at one target: how far off the gaze is there, and the head that is most probably right now.

The method is docs/recovery.md's; what slips teach about the model is a file beside it (psog recovery).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from psog.calibration.collect import UnusableTargetError, gaze_now, wait_until_still
from psog.calibration.session import FIXATION_S
from psog.calibration.still import StillnessRule
from psog.calibration.targets import Target
from psog.device.calibration_record import Calibration
from psog.device.client import Client
from psog.device.messages import Stream
from psog.device.samples import FeatureSample, GazeSample
from psog.net.integer import IntegerNet
from psog.net.recovery import SURPRISE, Recovery

Advice = Literal["nothing", "recenter", "calibrate"]

_PATIENCE_S = 3.0
"""For the readings of a look; a blink takes a quarter of a second at most (docs/movement.md)."""
OFF_SD = 2.45
"""Farther off than so many `Recovery.noise_deg` lies one look in twenty where nothing has slipped, were
errors normal (χ² of 2 degrees of freedom); docs/recovery.md has how often it really is."""


@dataclass(frozen=True)
class Look:
    """A resting, open eye at a target.

    Attributes:
        target_deg: (2,) where the wearer was asked to look.
        gaze_deg: (2,) mean gaze by the head in use.
        features: (n, D) of each reading, as the network has them.
    """

    target_deg: NDArray[np.float64]
    gaze_deg: NDArray[np.float64]
    features: NDArray[np.int8]

    @property
    def off_deg(self) -> float:
        """How far the gaze is from the target."""
        return float(np.hypot(*(self.gaze_deg - self.target_deg)))


@dataclass(frozen=True)
class Recentred:
    """What a look says of a calibration.

    Attributes:
        calibration: with the head that is most probable now.
        expected_off_deg: how far its gaze is from the same target, on the same readings.
        advice: what to do: nothing, recentre, or calibrate anew, since no slip explains the look.
    """

    calibration: Calibration
    expected_off_deg: float
    advice: Advice


def take_look(client: Client, h_deg: float, v_deg: float, rate_hz: float) -> Look:
    """Show a target and see the eye rest on it; the target and all streams are off afterwards.

    Args:
        rate_hz: of the headset's readings.
    Raises:
        CalibrationError: the eye does not rest, or is closed.
    """
    target = Target("calibration", h_deg, v_deg)
    client.stream(Stream.GAZE | Stream.FEATURES)
    try:
        before_deg = gaze_now(client)
        client.show_target(h_deg, v_deg)
        wait_until_still(client, target, StillnessRule(), before_deg)
        return _seen(client, target, max(2, round(FIXATION_S * rate_hz)))
    finally:
        client.stream(Stream(0))
        client.hide_target()


def _seen(client: Client, target: Target, readings: int) -> Look:
    """The next readings of an open eye at rest."""
    gaze_deg, features, good_us = [], [], -1
    for sample in client.samples(seconds=_PATIENCE_S):
        if isinstance(sample, GazeSample):
            gaze = sample.gaze_h_deg, sample.gaze_v_deg
            good = sample.valid and sample.still and all(map(math.isfinite, gaze))
            good_us = sample.t_us if good else -1
        elif isinstance(sample, FeatureSample) and sample.t_us == good_us:
            gaze_deg.append(gaze)
            features.append(sample.features)
            if len(features) == readings:
                break
    else:
        raise UnusableTargetError(f"the eye was closed or moved for {_PATIENCE_S:g} s", target)
    return Look(np.array((target.h_deg, target.v_deg)), np.mean(gaze_deg, axis=0), np.array(features))


def recentred(calibration: Calibration, recovery: Recovery, net: IntegerNet, look: Look) -> Recentred:
    """The calibration in use after a look.

    Args:
        net: the model in use, `recovery` what slips teach about it.
    """
    features = net.real_features(look.features).mean(axis=0)
    change, surprise = recovery.one_target(calibration.head, features, look.target_deg)
    head = recovery.changed(calibration.head, change)
    left_deg = head @ np.append(features, 1.0) - look.target_deg
    now_deg = calibration.head @ np.append(features, 1.0) - look.target_deg
    advice = advice_of(float(np.hypot(*now_deg)), surprise, recovery.noise_deg)
    return Recentred(replace(calibration, head=head.astype(np.float32)), float(np.hypot(*left_deg)), advice)


def advice_of(off_deg: float, surprise: float, noise_deg: float) -> Advice:
    """What a look that is so far off and so surprising (Recovery.one_target) says should be done."""
    if surprise > SURPRISE:
        return "calibrate"
    return "recenter" if off_deg > OFF_SD * noise_deg else "nothing"
