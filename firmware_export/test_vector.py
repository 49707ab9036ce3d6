"""The reading a model carries to test itself, with what it must make of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.headset import WIRE_BITS
from psog.net.arithmetic import Int8
from psog.net.integer import Float32, IntegerNet, Normalisation

HEAD_TOLERANCE = 1e-3
"""How far a float head may stray, in degrees: sums of 64 products in float32 differ by their order."""

_REACH = 64  # half of the int8 input: far from saturation, yet every sensor's scale matters
_GOLDEN = (np.sqrt(5) - 1) / 2  # multiples of it, modulo 1, never cluster


@dataclass(frozen=True)
class TestVector:
    """A reading and its results.

    Attributes:
        reading: (sensors,) uint16, as on the wire.
        features: (features,) int8.
        output: (4,) float32: gaze right, gaze up (degrees), openness, ln of expected error.
    """

    __test__ = False  # pytest: this is no test class

    reading: NDArray[np.uint16]
    features: Int8
    output: Float32


def make_test_vector(net: IntegerNet) -> TestVector:
    """A fixed reading near the mean, each sensor at another level, and what `net` makes of it."""
    reading = _reading_near_mean(net.normalisation)
    features = net.features(net.input(reading[None]))
    return TestVector(reading, features[0], net.apply_head(features)[0])


def _reading_near_mean(normalisation: Normalisation) -> NDArray[np.uint16]:
    """(sensors,) a reading whose input values spread evenly over ±64."""
    spread = np.arange(1, len(normalisation.offset) + 1) * _GOLDEN % 1
    steps = (2 * spread - 1) * _REACH
    wire = normalisation.offset + steps * 2.0**normalisation.shift / normalisation.multiplier
    reading: NDArray[np.uint16] = np.clip(np.rint(wire), 0, (1 << WIRE_BITS) - 1).astype(np.uint16)
    return reading
