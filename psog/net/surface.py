"""A wearer's surface: what each sensor reads, as a quadratic in gaze, from sums that are kept of readings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.net.integer import IntegerNet
from psog.net.ridge import GAZE_UNIT_DEG

Array = NDArray[np.float64]

TERMS = 6
"""Of a quadratic surface over gaze: 1, h, v, h², hv, v²."""
SURFACE_RIDGE = 0.02
"""Of the fitted surfaces, per reading, with gaze in units of GAZE_UNIT_DEG: of 0.003, 0.02 and 0.1 the one
with the least error on simulated slips."""
CALIBRATION_RIDGE = 0.01
"""The same of a calibration, whose targets are spread over the field."""


@dataclass(frozen=True)
class Moments:
    """What is kept of readings without targets: 22 + 6 · sensors numbers.

    Attributes:
        count: of readings; a fraction once some are half forgotten.
        terms: (6, 6) sum of the products of the terms of gaze.
        readings: (6, sensors) sum of their products with the inputs.
    """

    count: float
    terms: Array
    readings: Array

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.count + other.count, self.terms + other.terms, self.readings + other.readings)

    def kept(self, share: float) -> Moments:
        """The same with less weight: call it at equal intervals, and what is old is forgotten."""
        return Moments(self.count * share, self.terms * share, self.readings * share)

    def reach_deg(self) -> float:
        """SD of the gaze in the direction in which it varies least."""
        mean = self.terms / max(self.count, 1e-9)
        h, v = mean[0, 1], mean[0, 2]
        hh, hv, vv = mean[1, 1] - h * h, mean[1, 2] - h * v, mean[2, 2] - v * v
        least = (hh + vv) / 2 - np.hypot((hh - vv) / 2, hv)
        return float(np.sqrt(max(least, 0.0)) * GAZE_UNIT_DEG)


def inputs_of(net: IntegerNet, wire: NDArray[np.uint16]) -> Array:
    """(n, sensors) what the network sees of readings, all its input planes together."""
    return np.asarray(net.centred(wire) * np.float64(net.input_step))


def terms(gaze_deg: NDArray[np.floating]) -> Array:
    """(…, 2) gaze to the (…, 6) terms of a surface."""
    h, v = np.moveaxis(np.asarray(gaze_deg, np.float64) / GAZE_UNIT_DEG, -1, 0)
    return np.stack([np.ones_like(h), h, v, h * h, h * v, v * v], axis=-1)


def moments(inputs: NDArray[np.floating], gaze_deg: NDArray[np.floating]) -> Moments:
    """Of (n, sensors) inputs at (n, 2) gazes."""
    rows = terms(gaze_deg)
    return Moments(float(len(rows)), rows.T @ rows, rows.T @ np.asarray(inputs, np.float64))


def fitted(seen: Moments, expected: Array, ridge: float) -> Array:
    """(6, sensors) surface of how far readings are from what is expected of them."""
    count = max(seen.count, 1e-9)
    away = (seen.readings - seen.terms @ expected) / count
    return np.asarray(np.linalg.solve(seen.terms / count + ridge * np.eye(TERMS), away))
