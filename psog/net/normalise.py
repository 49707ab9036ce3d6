"""Fitting the integer normalisation to readings, and applying it without rounding for training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import ModelError
from psog.headset import WIRE_BITS
from psog.net.integer import RESIDUAL_BITS, Normalisation, Quantization

INPUT = Quantization(np.float32(1 / 32), 0)
"""The network input: int8 steps of 1/32, so that the ends are at ±4. A fitted sensor has a standard
deviation near 1 when its readings are about normal."""

_REACH = 0.92  # fitted extremes land here of ±127 steps; the rest is room for users not seen in training
_OUTSIDE = 0.0005  # share of readings beyond each fitted extreme: a few outliers must not cost resolution
_MAX_MULTIPLIER = 16383  # products stay below 2^30 (docs/SPEC.md)
_MAX_SHIFT = 30
_FULL = (1 << WIRE_BITS) - 1


def fit_normalisation(wire: NDArray[np.floating], highest: float = _FULL, planes: int = 1) -> Normalisation:
    """Offset and multiplier per sensor so that almost all readings fill the int8 input.

    Centre and reach come from low and high quantiles instead of mean and SD: readings are skewed, and one
    int8 plane has no resolution to spare.

    Args:
        wire: (n, sensors) readings in wire units (16 bit, not necessarily whole numbers).
        highest: what a saturated converter gives.
        planes: of the network's input.
    Raises:
        ModelError: a sensor is not a number, saturated, or never changes.
    """
    check_readings(wire, highest)
    low, high = np.quantile(wire, (_OUTSIDE, 1 - _OUTSIDE), axis=0)
    flat = np.flatnonzero(high - low < 1.0)
    if flat.size:
        raise ModelError(
            f"sensor {flat[0]} reads {low[flat[0]]:.0f} throughout; expected readings that change with gaze; "
            "leave out the recording or mend the sensor"
        )
    offset = np.rint((low + high) / 2)
    steps_per_wire = 127 * _REACH / ((high - low) / 2)
    shift = int(np.floor(np.log2(_MAX_MULTIPLIER / steps_per_wire.max())))
    shift = min(max(shift, 1 + (planes - 1) * RESIDUAL_BITS), _MAX_SHIFT)
    multiplier = np.clip(np.rint(steps_per_wire * 2.0**shift), 1, _MAX_MULTIPLIER)
    return Normalisation(offset.astype(np.int32), multiplier.astype(np.int32), shift, planes)


def to_steps(normalisation: Normalisation, wire: NDArray[np.floating]) -> NDArray[np.float32]:
    """(…, sensors) wire readings to input steps before rounding and clipping."""
    factor = normalisation.multiplier * 2.0**-normalisation.shift
    return ((np.asarray(wire, np.float64) - normalisation.offset) * factor).astype(np.float32)


def check_readings(wire: NDArray[np.floating], highest: float = _FULL) -> None:
    """Raise ModelError when a sensor is not a number or saturated in more than 1 % of (n, sensors) rows."""
    if len(wire) == 0:
        raise ModelError("there are no readings to train on; expected at least one row")
    broken = np.argwhere(~np.isfinite(wire))
    if broken.size:
        row, sensor = broken[0]
        raise ModelError(f"sensor {sensor} is not a number in row {row} of the readings; remove the row")
    saturated = ((wire <= 0) | (wire >= highest)).mean(axis=0)
    worst = int(saturated.argmax())
    if saturated[worst] > _SATURATED:
        raise ModelError(
            f"sensor {worst} is saturated in {100 * saturated[worst]:.0f} % of the readings, at most "
            f"{100 * _SATURATED:.0f} % expected; lower the emitter current or the gain"
        )


_SATURATED = 0.01  # a clipped reading carries no gaze; blinks and glints clip a few
