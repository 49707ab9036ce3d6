"""What a headset says of simulated wearers who look around, beside what they did; faster than real time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.calibration.targets import plan_targets
from psog.device.lids import Lids
from psog.device.messages import GazeFlag
from psog.headset import Headset
from psog.live.batch import Batch
from psog.net.architecture import OPENNESS
from psog.net.calibrated import calibrated, int8_features
from psog.net.integer import IntegerNet
from psog.recording import FIXATION
from psog.virtual.source import Target
from psog.virtual.wearer import Truth, Wearer

POINTS = 9
_SETTLE_S, _FIXATE_S = 0.8, 0.4
_ONE_TARGET_US = round(1e6 * (_SETTLE_S + _FIXATE_S))


@dataclass(frozen=True)
class Watched:
    """One wearer.

    Attributes:
        batch: what the headset says.
        truth: of the same readings.
    """

    batch: Batch
    truth: Truth


def watch(net: IntegerNet, headset: Headset, seed: int, seconds: float) -> Watched:
    """A new wearer calibrates with nine points, then looks around for some seconds (at most 60)."""
    wearer = Wearer(headset, seed)
    now_us = 0
    wires, targets = [], []
    for target in plan_targets(POINTS, headset.field_deg, seed).calibration:
        wearer.show(Target(target.h_deg, target.v_deg))
        now_us += _ONE_TARGET_US
        wire = wearer.take(now_us).wire
        kept = wire[-round(_FIXATE_S * headset.rate_hz) :: 4]
        wires.append(kept)
        targets.append(np.tile([target.h_deg, target.v_deg], (len(kept), 1)))
    wearer.show(None)
    readings = wearer.take(now_us + round(seconds * 1e6))
    gaze = calibrated(net, int8_features, np.concatenate(wires), np.concatenate(targets))
    features = int8_features(net)(readings.wire)
    openness = features @ net.head.weight[OPENNESS, :-1] + net.head.weight[OPENNESS, -1]
    truth = wearer.truth()
    rows = np.searchsorted(truth.t_us, readings.t_us)
    of_readings = Truth._make(column[rows] for column in truth)
    return Watched(_batch(readings.t_us, gaze(readings.wire), openness), of_readings)


def _batch(t_us: NDArray[np.int64], gaze_deg: NDArray[np.floating], openness: NDArray[np.floating]) -> Batch:
    lids = Lids()
    valid = np.array([lids.open(int(t), float(o)) for t, o in zip(t_us, openness, strict=True)])
    return Batch(
        t_us,
        np.arange(len(t_us)).astype(np.uint16),
        gaze_deg.astype(np.float32),
        openness.astype(np.float32),
        np.ones(len(t_us), np.float32),
        np.where(valid, int(GazeFlag.VALID), 0).astype(np.uint8),
        np.full(len(t_us), np.nan),
        None,
    )


def jitter_deg(watched: Watched) -> float:
    """RMS-S2S of the gaze while the eye fixates."""
    fixates = watched.truth.event == FIXATION
    steps_deg = np.diff(watched.batch.gaze_deg.astype(np.float64), axis=0)[fixates[1:] & fixates[:-1]]
    return float(np.sqrt((steps_deg**2).sum(1).mean()))
