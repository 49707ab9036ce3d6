"""What a network makes of a recording, beside the gaze that the recording knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.data_quality import (
    GazeSamples,
    data_quality,
    distance_mm,
    fixations,
    joined_samples,
    rounded,
    stretches,
    true_gaze,
)
from psog.errors import ModelError, RecordingError
from psog.headset import Headset
from psog.metrics import accuracy
from psog.net.architecture import OPENNESS
from psog.net.calibrated import Calibrated, RealFeatures, calibrated, float_features, int8_features
from psog.net.integer import IntegerNet
from psog.recording import Recording

_SATURATED = 0.01
"""Share of readings at an end of the converter from which a sensor is useless, as in psog.net.normalise."""
_ROWS = 16_384
"""That go through the network at a time, so that memory does not grow with a recording's length."""


@dataclass(frozen=True)
class RecordedGaze:
    """The gaze of one recording or several.

    Attributes:
        samples: with the gaze as the device computes it, in int8.
        float_deg: (n, 2) the same when nothing is rounded but the weights.
        shown: (n,) whether the device would say that its gaze can be trusted.
        fixations_from: how fixations are known: "event", "speed".
    """

    samples: GazeSamples
    float_deg: NDArray[np.float64]
    shown: NDArray[np.bool_]
    fixations_from: str

    def report(self) -> dict[str, Any]:
        """Its data quality, ready for JSON; docs/metrics.md explains every key."""
        samples, true_deg = self.samples, self.samples.true_deg
        seen = np.isfinite(true_deg).all(axis=1)
        trusted = seen & self.shown
        return {
            "float": rounded(accuracy(self.float_deg, true_deg)),
            "int8": rounded(accuracy(samples.estimated_deg, true_deg)),
            "int8_shown": rounded(accuracy(samples.estimated_deg[trusted], true_deg[trusted]))
            if trusted.any()
            else None,
            "withheld": round(1 - float(trusted.sum() / seen.sum()), 6),
            "fixations_from": self.fixations_from,
            **data_quality(samples),
        }


def joined_gaze(parts: Mapping[str, RecordedGaze]) -> RecordedGaze:
    """The gaze of several recordings by name, at least one; each has its own users, called after it."""
    return RecordedGaze(
        joined_samples([replace(part.samples, users=_named(name, part)) for name, part in parts.items()]),
        np.concatenate([part.float_deg for part in parts.values()]),
        np.concatenate([part.shown for part in parts.values()]),
        ", ".join(sorted({part.fixations_from for part in parts.values()})),
    )


def _named(recording: str, part: RecordedGaze) -> tuple[str, ...]:
    users = part.samples.users
    return tuple(f"{recording} {user}" if len(set(users)) > 1 else recording for user in users)


def recorded_gaze(
    net: IntegerNet,
    headset: Headset,
    recording: Recording,
    *,
    openness_border: float,
    calibration_s: float = 0.0,
) -> RecordedGaze:
    """Run a recording through the network, in float and in int8.

    Args:
        openness_border: estimated openness below which a gaze counts as withheld.
        calibration_s: fit the head of each stretch of wear to the fixations in its first so many seconds,
            which then do not count; 0 for the population's head.
    Raises:
        ModelError: the model is of another headset.
        RecordingError: the recording is; or it is empty, without gaze, never valid or saturated; or it has
            too few fixations to calibrate.
    """
    true_deg = checked_gaze(net, headset, recording)
    fixating, source = fixations(recording, true_deg)
    stretch, users = stretches(recording)
    calibrating = _first_seconds(recording.t_us, stretch, calibration_s)
    kept = ~calibrating
    if not np.isfinite(true_deg[kept]).all(axis=1).any():
        raise RecordingError(
            f"no gaze is left to judge after {calibration_s:g} s of calibration; take fewer seconds"
        )
    support = calibrating & fixating
    wire = headset.to_wire(recording.readings)
    outputs = {}
    for form, of_net in {"float": float_features, "int8": int8_features}.items():
        real = in_blocks(of_net(net), wire)
        outputs[form] = net.head(real.astype(np.float32)).astype(np.float64)
        if calibration_s > 0:
            open_enough = outputs[form][:, OPENNESS] >= openness_border
            outputs[form][:, :2] = _by_wearers(
                partial(calibrated, net, of_net), wire, true_deg, stretch, support & open_enough
            )
    return RecordedGaze(
        GazeSamples(
            t_us=recording.t_us[kept],
            estimated_deg=outputs["int8"][kept, :2],
            true_deg=true_deg[kept],
            shift_mm=distance_mm(recording)[kept],
            fixating=fixating[kept],
            stretch=stretch[kept],
            users=users,
        ),
        float_deg=outputs["float"][kept, :2],
        shown=outputs["int8"][kept, OPENNESS] >= openness_border,
        fixations_from=source,
    )


def _by_wearers(
    calibrate: Callable[[NDArray[np.uint16], NDArray[np.float64]], Calibrated],
    wire: NDArray[np.uint16],
    true_deg: NDArray[np.float64],
    stretch: NDArray[np.int64],
    support: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Gaze (n, 2) of each stretch, calibrated with its samples in `support` that have gaze."""
    gaze_deg = np.empty_like(true_deg)
    for number in np.unique(stretch):
        rows = np.flatnonzero(stretch == number)
        fit = rows[support[rows] & np.isfinite(true_deg[rows]).all(axis=1)]
        if not fit.size:
            raise RecordingError(
                f"cannot calibrate stretch {number} of the recording: no fixation of an open eye in its "
                "first seconds, expected some; take more seconds"
            )
        wearer = calibrate(wire[fit], true_deg[fit])
        gaze_deg[rows] = in_blocks(wearer, wire[rows])
    return gaze_deg


def checked_gaze(net: IntegerNet, headset: Headset, recording: Recording) -> NDArray[np.float64]:
    """True gaze (n, 2) of a recording that can be judged, NaN where it is lost."""
    if net.headset != headset.name:
        raise ModelError(f"the model is for headset {net.headset!r}, expected {headset.name!r}")
    recording.check_headset(headset)
    if len(recording) == 0:
        raise RecordingError("it has no rows, expected at least one; record again")
    true_deg = true_gaze(recording)
    seen = np.isfinite(true_deg).all(axis=1)
    if not seen.any():
        raise RecordingError(f"none of its {len(recording)} rows is valid and has gaze; record again")
    readings = recording.readings[seen]
    if not np.isfinite(readings).all():
        sensor = int(np.argwhere(~np.isfinite(readings))[0, 1])
        raise RecordingError(f"sensor {sensor} is not a number in some rows; remove them")
    saturated = ((readings <= 0) | (readings >= headset.adc.full_scale - 1)).mean(axis=0)
    worst = int(saturated.argmax())
    if saturated[worst] > _SATURATED:
        raise RecordingError(
            f"sensor {worst} is saturated in {100 * saturated[worst]:.0f} % of the readings of an open eye, "
            f"at most {100 * _SATURATED:.0f} % expected; lower the emitter current or the gain"
        )
    return true_deg


def in_blocks(features: RealFeatures, wire: NDArray[np.uint16]) -> NDArray[np.float64]:
    blocks = [features(wire[first : first + _ROWS]) for first in range(0, len(wire), _ROWS)]
    return np.concatenate(blocks).astype(np.float64)


def _first_seconds(t_us: NDArray[np.int64], stretch: NDArray[np.int64], seconds: float) -> NDArray[np.bool_]:
    """Which samples (n,) lie in the first seconds of their stretch."""
    begins = np.flatnonzero(np.diff(stretch, prepend=-1))
    return np.asarray(t_us - t_us[begins][stretch] < seconds * 1e6)
