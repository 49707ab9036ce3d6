"""Readings of one target: waiting until the eye rests on it, then the device's own or both heads' gaze."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.calibration.events import PointJudged, PointTaken
from psog.calibration.interruption import Check, go_on
from psog.calibration.pairs import PairCollector
from psog.calibration.quality import TargetQuality
from psog.calibration.still import Arrival, Gaze, StillnessRule, centre
from psog.calibration.targets import Target
from psog.device.answers import TuneProgress
from psog.device.client import Client
from psog.device.samples import GazeSample, Sample, SensorSample, TrialSample
from psog.errors import CalibrationError
from psog.metrics import precision_rms_s2s, precision_std

_MOSTLY = 0.5
TOO_BRIGHT = "the sensors were at the end of their range (too much light: shade the headset)"
_GLANCE_S = 0.05
_STEPS = 20

Seen = Callable[[float], None]
"""Told how much of a target's readings is in, 0 … 1."""


class Taken(NamedTuple):
    """A calibration target.

    Attributes:
        point: what is told of it.
        reading: (sensors,) the mean of what the sensors read; None unless they are streamed.
    """

    point: PointTaken
    reading: NDArray[np.float64] | None


class UnusableTargetError(CalibrationError):
    """A target could not be used; it may be shown again. `found` says why, for people."""

    def __init__(self, found: str, target: Target) -> None:
        self.found = found
        self.target = target
        super().__init__(
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


def _what_is_wrong(client: Client) -> str:
    """Why the device passes over most of the readings of the next 50 ms of device time."""
    client.drop_samples()
    samples = [s for s in client.samples(seconds=_GLANCE_S) if isinstance(s, GazeSample)]
    if sum(sample.saturated for sample in samples) > _MOSTLY * len(samples):
        return TOO_BRIGHT
    if sum(sample.valid for sample in samples) > _MOSTLY * len(samples):
        return "the eye was open but hardly ever at rest"
    return "the eye was mostly closed"


def wait_until_still(
    client: Client, target: Target, rule: StillnessRule, started_deg: Gaze | None, check: Check = go_on
) -> int:
    """Follow the gaze until the eye rests; device microseconds since the target appeared.

    Args:
        started_deg: gaze just before the target appeared, if known.
    Raises:
        UnusableTargetError: it does not in the time the rule allows.
        LinkError: no samples come.
    """
    client.drop_samples()  # what was sent before the target appeared
    arrival = Arrival(rule, started_deg)
    saturated = 0
    for sample in _checked(client.samples(), check):
        if not isinstance(sample, GazeSample):
            continue
        saturated += sample.saturated
        if arrival.add(sample.t_us, _gaze(sample), valid=sample.valid, still=sample.still):
            break
        if arrival.overdue:
            raise _never_rested(target, rule, arrival, saturated)
    return arrival.waited_us


def take_readings(
    client: Client, target: Target, readings: int, patience_s: float, *, seen: Seen, check: Check
) -> Taken:
    """Have the device add the next `readings` as one calibration target, and wait until they are in.

    Args:
        patience_s: after which they have to be in, by this computer's clock.
        seen: told what this computer has seen of them; the device's own count comes at the end.
    Raises:
        UnusableTargetError: they are not in by then.
    """
    client.drop_samples()
    client.tune_target_begin(target.h_deg, target.v_deg, readings)
    end_s = time.monotonic() + patience_s
    gaze_deg, steps = [], 0
    latest: SensorSample | None = None
    wire = []
    progress: TuneProgress | None = None
    for sample in _checked(client.samples(), check):
        if isinstance(sample, GazeSample):
            gaze_deg += [_gaze(sample)] if sample.still else []
            if latest is not None and latest.t_us == sample.t_us and sample.still and sample.valid:
                wire.append(latest.readings)
            steps = _tell_steps(seen, steps, len(gaze_deg) / readings)
        elif isinstance(sample, SensorSample):
            latest = sample  # its gaze comes next
        progress = client.tune_progress()
        if progress is not None:
            break
        if time.monotonic() > end_s:
            raise UnusableTargetError(f"{_what_is_wrong(client)} for {patience_s:g} s", target)
    assert progress is not None  # `samples` has no end
    seen(1.0)
    gaze = np.array(gaze_deg[:readings], np.float64)
    precision = (precision_rms_s2s(gaze), precision_std(gaze)) if len(gaze) > 1 else (None, None)
    reading = np.array(wire, np.float64).mean(axis=0) if wire else None
    return Taken(PointTaken(target, *progress, *precision), reading)


def collect_pairs(
    client: Client, target: Target, readings: int, patience_s: float, *, seen: Seen, check: Check
) -> PointJudged:
    """Both heads' gaze of the next `readings` undisturbed readings; those left out and lost are counted.

    Args:
        patience_s: device time after which the readings have to be in.
    Raises:
        UnusableTargetError: too few such readings in that time.
    """
    pairs = PairCollector(readings)
    steps = 0
    head_in_use: GazeSample | None = None
    for sample in _checked(client.samples(seconds=patience_s), check):
        if isinstance(sample, GazeSample):
            head_in_use = sample
        elif isinstance(sample, TrialSample) and head_in_use and sample.t_us == head_in_use.t_us:
            rests = sample.still and _finite(sample)
            pairs.add(sample.t_us, _gaze(head_in_use), _gaze(sample), rests=rests)
            steps = _tell_steps(seen, steps, len(pairs) / readings)
            if pairs.complete:
                break
    else:
        raise UnusableTargetError(
            f"only {len(pairs)} of {readings} readings in {patience_s:g} s show an open eye at rest", target
        )
    before_deg, after_deg = pairs.gaze_deg
    return PointJudged(
        before=TargetQuality(target, before_deg, pairs.lost),
        after=TargetQuality(target, after_deg, pairs.lost),
    )


def _checked(samples: Iterator[Sample], check: Check) -> Iterator[Sample]:
    for sample in samples:
        check()
        yield sample


def _tell_steps(seen: Seen, told: int, share: float) -> int:
    """Tell each whole step once; the last one told."""
    step = min(int(share * _STEPS), _STEPS)
    if step > told:
        seen(step / _STEPS)
    return max(step, told)


def _gaze(sample: GazeSample | TrialSample) -> Gaze:
    return sample.gaze_h_deg, sample.gaze_v_deg


def _finite(sample: GazeSample | TrialSample) -> bool:
    return math.isfinite(sample.gaze_h_deg) and math.isfinite(sample.gaze_v_deg)


def _never_rested(
    target: Target, rule: StillnessRule, arrival: Arrival, saturated: int
) -> UnusableTargetError:
    closed, bright = arrival.closed / arrival.readings, saturated / arrival.readings
    if bright > _MOSTLY:
        found = f"{TOO_BRIGHT} in {bright:.0%} of the readings"
    elif closed > _MOSTLY:
        found = f"the eye was closed in {closed:.0%} of the readings"
    else:
        found = "the eye did not rest"
    return UnusableTargetError(f"{found} for {rule.latest_us / 1e6:g} s", target)
