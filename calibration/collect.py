"""Samples of one target: waiting until the eye rests on it, then pairing what both heads say."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from psog.calibration.events import PointJudged
from psog.calibration.quality import TargetQuality
from psog.calibration.still import StillnessDetector, StillnessRule
from psog.calibration.targets import Target
from psog.device.client import Client
from psog.device.samples import GazeSample, TrialSample
from psog.errors import CalibrationError
from psog.metrics import precision_rms_s2s, precision_std

_MOSTLY = 0.5


def unusable(found: str, target: Target) -> CalibrationError:
    """Why a target could not be used, and what the wearer can do."""
    return CalibrationError(
        f"calibration stopped at the target {target}: {found}; the headset keeps its last calibration; "
        "check that it is worn, keep the eye on the target and start again"
    )


def wait_until_still(client: Client, target: Target, rule: StillnessRule) -> int:
    """Follow the gaze until the eye rests; device microseconds since the target appeared.

    Raises:
        CalibrationError: it does not in the time the rule allows.
        LinkError: no samples come.
    """
    client.drop_samples()  # what was sent before the target appeared
    detector = StillnessDetector(rule)
    for sample in client.samples():
        if not isinstance(sample, GazeSample):
            continue
        usable = sample.valid and _finite(sample)
        if detector.add(sample.t_us, sample.gaze_h_deg, sample.gaze_v_deg, valid=usable):
            break
        if detector.overdue:
            raise _never_rested(target, rule, detector)
    return detector.waited_us


def precision_of(client: Client, readings: int) -> tuple[float, float] | tuple[None, None]:
    """(RMS-S2S, STD) in degrees of the next gaze samples: those of the `readings` the device has just taken.

    None when the eye was closed in all but one.
    """
    gaze_deg = _gaze_deg(
        [
            sample
            for sample in client.samples(count=readings)
            if isinstance(sample, GazeSample) and sample.valid and _finite(sample)
        ]
    )
    if len(gaze_deg) < 2:
        return None, None
    return precision_rms_s2s(gaze_deg), precision_std(gaze_deg)


def collect_pairs(client: Client, target: Target, readings: int, patience_s: float) -> PointJudged:
    """Both heads' gaze of the next `readings` usable readings; closed eyes and missing samples are counted.

    Args:
        patience_s: device time after which the readings have to be in.
    Raises:
        CalibrationError: too few usable readings in that time.
    """
    head_in_use: dict[int, GazeSample] = {}
    pairs: list[tuple[GazeSample, TrialSample]] = []
    t_us: list[int] = []
    for sample in client.samples(seconds=patience_s):
        if isinstance(sample, GazeSample):
            head_in_use[sample.t_us] = sample
        elif isinstance(sample, TrialSample) and sample.t_us in head_in_use:
            t_us.append(sample.t_us)
            pair = (head_in_use.pop(sample.t_us), sample)
            if all(one.valid and _finite(one) for one in pair):
                pairs.append(pair)
            if len(pairs) == readings:
                break
    else:
        raise unusable(
            f"only {len(pairs)} of {readings} readings in {patience_s:g} s show an open eye", target
        )
    lost = _expected(t_us) - len(pairs)
    return PointJudged(
        before=TargetQuality(target, _gaze_deg([gaze for gaze, _ in pairs]), lost),
        after=TargetQuality(target, _gaze_deg([trial for _, trial in pairs]), lost),
    )


def _expected(t_us: list[int]) -> int:
    """Readings the device took between the first and the last of these, itself included."""
    interval_us = float(np.median(np.diff(t_us)))
    return round((t_us[-1] - t_us[0]) / interval_us) + 1


def _gaze_deg(samples: list[GazeSample] | list[TrialSample]) -> NDArray[np.float64]:
    return np.array([(sample.gaze_h_deg, sample.gaze_v_deg) for sample in samples], np.float64)


def _finite(sample: GazeSample | TrialSample) -> bool:
    return math.isfinite(sample.gaze_h_deg) and math.isfinite(sample.gaze_v_deg)


def _never_rested(target: Target, rule: StillnessRule, detector: StillnessDetector) -> CalibrationError:
    closed = detector.closed / detector.readings
    found = (
        f"the eye was closed in {closed:.0%} of the readings" if closed > _MOSTLY else "the eye did not rest"
    )
    return unusable(f"{found} for {rule.latest_us / 1e6:g} s", target)
