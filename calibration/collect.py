"""Samples of one target: waiting until the eye rests on it, then pairing what both heads say."""

from __future__ import annotations

import math

import numpy as np

from psog.calibration.events import PointJudged
from psog.calibration.pairs import PairCollector
from psog.calibration.quality import TargetQuality
from psog.calibration.still import Gaze, StillnessDetector, StillnessRule, centre
from psog.calibration.targets import Target
from psog.device.client import Client
from psog.device.samples import GazeSample, TrialSample
from psog.errors import CalibrationError
from psog.metrics import precision_rms_s2s, precision_std

_MOSTLY = 0.5
TOO_BRIGHT = "the sensors were at the end of their range (too much light: shade the headset)"
_GLANCE_S = 0.05


def unusable(found: str, target: Target) -> CalibrationError:
    """Why a target could not be used, and what the wearer can do."""
    return CalibrationError(
        f"calibration stopped at the target {target}: {found}; the headset keeps its last calibration; "
        "check that it is worn, keep the eye on the target and start again"
    )


def gaze_now(client: Client) -> Gaze | None:
    """Where the eye looks, by the head in use, over the next 50 ms of device time; None when it is closed."""
    client.drop_samples()
    gaze_deg = [
        _gaze(sample)
        for sample in client.samples(seconds=_GLANCE_S)
        if isinstance(sample, GazeSample) and sample.valid and _finite(sample)
    ]
    return centre(gaze_deg) if gaze_deg else None


def saturates(client: Client) -> bool:
    """Whether most of the readings of the next 50 ms of device time have too much light to tell anything."""
    client.drop_samples()
    samples = [s for s in client.samples(seconds=_GLANCE_S) if isinstance(s, GazeSample)]
    return sum(sample.saturated for sample in samples) > _MOSTLY * len(samples)


def wait_until_still(client: Client, target: Target, rule: StillnessRule, started_deg: Gaze | None) -> int:
    """Follow the gaze until the eye rests; device microseconds since the target appeared.

    Args:
        started_deg: gaze just before the target appeared, if known.
    Raises:
        CalibrationError: it does not in the time the rule allows.
        LinkError: no samples come.
    """
    client.drop_samples()  # what was sent before the target appeared
    detector = StillnessDetector(rule, started_deg)
    saturated = 0
    for sample in client.samples():
        if not isinstance(sample, GazeSample):
            continue
        saturated += sample.saturated
        if detector.add(sample.t_us, _gaze(sample), valid=sample.valid and _finite(sample)):
            break
        if detector.overdue:
            raise _never_rested(target, rule, detector, saturated)
    return detector.waited_us


def precision_of(client: Client, readings: int) -> tuple[float, float] | tuple[None, None]:
    """(RMS-S2S, STD) in degrees of the next gaze samples: those of the `readings` the device has just taken.

    None when the eye was closed in all but one.
    """
    gaze_deg = np.array(
        [
            _gaze(sample)
            for sample in client.samples(count=readings)
            if isinstance(sample, GazeSample) and sample.valid and _finite(sample)
        ],
        np.float64,
    )
    if len(gaze_deg) < 2:
        return None, None
    return precision_rms_s2s(gaze_deg), precision_std(gaze_deg)


def collect_pairs(client: Client, target: Target, readings: int, patience_s: float) -> PointJudged:
    """Both heads' gaze of the next `readings` undisturbed readings; those left out and lost are counted.

    Args:
        patience_s: device time after which the readings have to be in.
    Raises:
        CalibrationError: too few such readings in that time.
    """
    pairs = PairCollector(readings)
    head_in_use: GazeSample | None = None
    for sample in client.samples(seconds=patience_s):
        if isinstance(sample, GazeSample):
            head_in_use = sample
        elif isinstance(sample, TrialSample) and head_in_use and sample.t_us == head_in_use.t_us:
            valid = all(one.valid and _finite(one) for one in (head_in_use, sample))
            pairs.add(sample.t_us, _gaze(head_in_use), _gaze(sample), valid=valid)
            if pairs.complete:
                break
    else:
        raise unusable(
            f"only {len(pairs)} of {readings} readings in {patience_s:g} s show a steadily open eye", target
        )
    before_deg, after_deg = pairs.gaze_deg
    return PointJudged(
        before=TargetQuality(target, before_deg, pairs.lost),
        after=TargetQuality(target, after_deg, pairs.lost),
    )


def _gaze(sample: GazeSample | TrialSample) -> Gaze:
    return sample.gaze_h_deg, sample.gaze_v_deg


def _finite(sample: GazeSample | TrialSample) -> bool:
    return math.isfinite(sample.gaze_h_deg) and math.isfinite(sample.gaze_v_deg)


def _never_rested(
    target: Target, rule: StillnessRule, detector: StillnessDetector, saturated: int
) -> CalibrationError:
    closed, bright = detector.closed / detector.readings, saturated / detector.readings
    if bright > _MOSTLY:
        found = f"{TOO_BRIGHT} in {bright:.0%} of the readings"
    elif closed > _MOSTLY:
        found = f"the eye was closed in {closed:.0%} of the readings"
    else:
        found = "the eye did not rest"
    return unusable(f"{found} for {rule.latest_us / 1e6:g} s", target)
