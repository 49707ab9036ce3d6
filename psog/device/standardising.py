"""Standardisation as a device does it: sensors of this headset seen as bright as those of the training.

Parts differ and LEDs age, so a sensor's gain is not that of the headsets that the model was trained with,
while dark stays dark: readings have the ambient light subtracted. The gain is told by the ratio of the
sensor's mean over a minute of wear to its mean in training, and taken back in the normalisation, which costs
an inference nothing. The standard deviation would tell it too, but that of one wearer's minute scatters
between wearers by half of itself, the mean by a fifth (docs/standardising.md).

The reference of firmware_export/firmware/runtime/standardise.c: whole numbers, the same bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError
from psog.net.integer import RESIDUAL_BITS, Normalisation

MOST_READINGS = 65_535
"""That a device measures: the sum of so many 16-bit readings is below 2^32. At 1 kHz a minute and more."""
MOST_GAIN = 4
"""Between the two means, either way: PSOG_MOST_GAIN. A weak value: half of an LED's light is gone when it
counts as worn out, and a face, by the scatter of simulated ones, is rarely half as bright as the mean.
What is further off is covered or broken."""
_LARGEST_OFFSET, _LARGEST_MULTIPLIER = 65_535, 16_383

Int64 = NDArray[np.int64]


def wear_means(wire: NDArray[np.uint16]) -> Int64:
    """(sensors,) rounded means of (n, sensors) readings, at least 1; 0 of a sensor that does not change."""
    if len(wire) == 0:
        return np.zeros(wire.shape[1], np.int64)
    means = np.maximum(_ratio(wire.sum(axis=0, dtype=np.int64), len(wire)), 1)
    return np.where(wire.min(axis=0) < wire.max(axis=0), means, 0)


def standardised(normalisation: Normalisation, means: Int64, trained: Int64) -> Normalisation:
    """The normalisation that sees readings with `means` as the old one saw those with the means `trained`.

    offset' = offset · mean / trained and multiplier' = multiplier · trained / (mean · 2^k), rounded half up,
    and shift' = shift − k with the smallest k for which all multipliers are in range. A sensor for which one
    of the two is 0 stays as it is.

    Args:
        means: (sensors,) of this headset, 0 to 65535. trained: (sensors,), of the training.
    """
    sensors = normalisation.offset.shape
    if means.shape != sensors or trained.shape != sensors:
        raise ShapeError(f"means have shapes {means.shape} and {trained.shape}, expected {sensors} for both")
    known = (means > 0) & (trained > 0)
    source = np.where(known, trained, 1)
    mean = np.where(known, np.clip(means, -(-source // MOST_GAIN), source * MOST_GAIN), 1)
    most = normalisation.shift - 1 - (normalisation.planes - 1) * RESIDUAL_BITS
    halved, multiplier = 0, _ratio(normalisation.multiplier * source, mean)
    while halved < most and multiplier.max() > _LARGEST_MULTIPLIER:
        halved += 1
        multiplier = _ratio(normalisation.multiplier * source, mean << halved)
    offset = np.minimum(_ratio(normalisation.offset * mean, source), _LARGEST_OFFSET)
    return Normalisation(
        offset.astype(np.int32),
        np.clip(multiplier, 1, _LARGEST_MULTIPLIER).astype(np.int32),
        normalisation.shift - halved,
        normalisation.planes,
    )


def _ratio(a: NDArray[np.integer], b: NDArray[np.integer] | int) -> Int64:
    """a / b, rounded half up."""
    return np.asarray((a.astype(np.int64) + b // 2) // b, np.int64)
