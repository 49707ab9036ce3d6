"""Per-device standardisation: a headset's readings, unlabelled, made to look like those of the training data.

Parts differ from device to device, LEDs age, faces are darker or lighter: each sensor then has another mean
and another spread than the network was trained with. A minute of wear, whatever the wearer does in it, tells
both; an affine map per sensor takes them back:

    standardised = mean_source + (reading − mean_target) · sd_source / sd_target

The map needs no arithmetic of its own on a device: it is folded into offset and multiplier of the
normalisation, which is affine already (`standardised`). This file is the reference of the device's form.
Everything is in whole numbers, so that everybody finds the same bits:

1. Of the first ROUGH_S seconds, n readings, every sensor's Σx and Σx² are kept. They give a rough mean and
   SD, rounded half up: mean = ⌊(2 Σx + n) / 2n⌋, sd = max(1, ⌊(2 ⌊√(n Σx² − (Σx)²)⌋ + n) / 2n⌋). These sums
   are then given up.
2. From then on a reading counts only if Σ over sensors of |x − mean| · ⌊2^20 / sd⌋ is at most
   GATE_QUARTERS · 2^18 · sensors: if sensors are no more than GATE_QUARTERS / 4 SD from their mean, on the
   mean of all. A closing lid moves most sensors far at once; the eye, wherever it looks, does not. The
   network is not asked whether the eye is open: before its readings are standardised it may not know.
3. The counted readings give mean and SD by the same formulas. At most MOST_READINGS count, those that come
   first: Σx then fits into 32 bits and n Σx² into 64. At 1 kHz they are a minute.

SD is that of one wearer in one fit, on both sides. A source has many wearers: its mean is the mean of theirs,
its SD the root of their mean variance (`pooled`). What lies between wearers is not spread to be matched.

What it takes for granted is that the target's wearer looked around as those of the source did, and is seen by
the sensors as they are. Whoever stares at one corner, or has a darker skin than they, is "corrected" as if it
were the device: docs/domains.md shows what that costs.

Source: Li et al., "Adaptive Batch Normalization for practical domain adaptation", Pattern Recognition 80
(2018), at the input, where psog's networks have their only normalisation; the gate is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from psog.errors import RecordingError
from psog.net.integer import RESIDUAL_BITS, Normalisation

Int64 = NDArray[np.int64]

ROUGH_S = 10.0
"""Length of the first part, which tells only what is far off; a weak value: some ten fixations."""
GATE_QUARTERS = 9
"""Quarters of an SD, 2.25 SD. Of 12 simulated users of ring16 (40 s, lids on their way in 0.4 to 4.4 % of it)
2.2 left 0.02 SD of bias in the mean and 1.4 % in the SD where no gate left 0.06 SD and 6.7 %; 1.6 to 3 were
tried, and below 2 the gate took looks to the side for lids."""
MOST_READINGS = 65_535
"""That count: n² · 65535² is then below 2^64."""
FEWEST_READINGS = 500
"""That must count; a weak value. Not readings are scarce but fixations: a minute has a hundred."""
LEAST_KEPT = 0.5
"""Share of the readings after the rough part that must count: below it that part was of something else."""
MOST_GAIN = 8
"""Between the two SDs, either way. A sensor further off is broken or covered, and no map brings it back."""
_WEIGHT_BITS = 20
_HIGHEST = 65_535
_MAX_MULTIPLIER = 16_383  # docs/SPEC.md


@dataclass(frozen=True)
class WearStatistics:
    """Mean and SD of every sensor while one wearer looks around, in wire units (16 bit).

    Attributes:
        mean: (sensors,) 0 .. 65535.
        sd: (sensors,) 1 .. 32768.
    """

    mean: Int64
    sd: Int64


@dataclass
class WearSums:
    """The sums of one stretch of wear, reading after reading: what a device keeps.

    Args:
        sensors: how many there are.
        rough: readings of the first part: ROUGH_S seconds of them (`rough_readings`).
    """

    sensors: int
    rough: int
    _gate: WearStatistics | None = None
    _seen: int = 0
    _count: int = 0
    _sum: list[int] = field(default_factory=list)
    _squares: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._clear()

    def add(self, wire: NDArray[np.uint16]) -> None:
        """The next readings (n, sensors)."""
        x = np.asarray(wire, np.int64)
        if self._gate is None:
            missing = self.rough - self._count
            self._take(x[:missing])
            if self._count < self.rough:
                return
            self._gate = self._statistics()
            self._clear()
            x = x[missing:]
        self._seen += len(x)
        self._take(x[_near(self._gate, x)][: MOST_READINGS - self._count])

    def statistics(self) -> WearStatistics:
        """Mean and SD of what counted.

        Raises:
            RecordingError: too little of it.
        """
        counted = 0 if self._gate is None else self._count
        if counted < FEWEST_READINGS:
            raise RecordingError(
                f"only {counted} readings count after the first {self.rough}, at least {FEWEST_READINGS} "
                "expected; record a minute of wear"
            )
        kept = self._count / self._seen
        if kept < LEAST_KEPT and self._count < MOST_READINGS:
            raise RecordingError(
                f"{100 * kept:.0f} % of the readings are like the first {self.rough}, at least "
                f"{100 * LEAST_KEPT:.0f} % expected: the headset moved or the eye was closed; record again"
            )
        return self._statistics()

    def _take(self, x: Int64) -> None:
        self._count += len(x)
        self._sum = [a + b for a, b in zip(self._sum, x.sum(axis=0).tolist(), strict=True)]
        self._squares = [a + b for a, b in zip(self._squares, (x * x).sum(axis=0).tolist(), strict=True)]

    def _clear(self) -> None:
        self._count, self._sum, self._squares = 0, [0] * self.sensors, [0] * self.sensors

    def _statistics(self) -> WearStatistics:
        n, mean, sd = self._count, [], []
        for total, squares in zip(self._sum, self._squares, strict=True):
            mean.append(_rounded(total, n))
            sd.append(max(1, _rounded(math.isqrt(n * squares - total * total), n)))
        return WearStatistics(np.array(mean, np.int64), np.array(sd, np.int64))


def rough_readings(rate_hz: float) -> int:
    """How many readings the first part has, at least one."""
    return max(1, round(ROUGH_S * rate_hz))


def wear_statistics(wire: NDArray[np.uint16], rough: int) -> WearStatistics:
    """Mean and SD of a whole stretch of wear, (n, sensors) readings in the order they came.

    Raises:
        RecordingError: too few of them count.
    """
    sums = WearSums(wire.shape[1], rough)
    sums.add(wire)
    return sums.statistics()


def pooled(wearers: Sequence[WearStatistics]) -> WearStatistics:
    """Of several wearers, at least one: the mean of their means, and the root of their mean variance."""
    mean = np.mean([each.mean for each in wearers], axis=0)
    variance = np.mean([each.sd.astype(np.float64) ** 2 for each in wearers], axis=0)
    return WearStatistics(
        np.floor(mean + 0.5).astype(np.int64),
        np.maximum(1, np.floor(np.sqrt(variance) + 0.5)).astype(np.int64),
    )


def gain_and_offset(
    source: WearStatistics, target: WearStatistics
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(sensors,) gain and offset, wire units: standardised = gain · reading + offset.

    Raises:
        RecordingError: a sensor whose spread is out of reach.
    """
    _check(source, target)
    gain = source.sd / target.sd
    return gain, source.mean - gain * target.mean


def standardised(
    normalisation: Normalisation, source: WearStatistics, target: WearStatistics
) -> Normalisation:
    """The normalisation that sees the target's readings as the old one saw the source's.

    Per sensor, with ⌊(2a + b) / 2b⌋ for a / b rounded half up:
    offset' = mean_target + (offset − mean_source) · sd_target / sd_source, and
    multiplier' = multiplier · sd_source / (sd_target · 2^k), at least 1, shift' = shift − k, with the
    smallest k for which all multipliers are at most 16383.

    Raises:
        RecordingError: a sensor whose spread is out of reach, or whose offset leaves 16 bits.
    """
    _check(source, target)
    offset = target.mean + _rounded_each((normalisation.offset - source.mean) * target.sd, source.sd)
    beyond = np.flatnonzero((offset < 0) | (offset > _HIGHEST))
    if beyond.size:
        raise RecordingError(
            f"sensor {beyond[0]} would be centred at {offset[beyond[0]]}, expected 0 to {_HIGHEST}: its "
            "readings are too far from those of the training data; check the sensor"
        )
    least_shift = 1 + (normalisation.planes - 1) * RESIDUAL_BITS
    for halved in range(normalisation.shift - least_shift + 1):
        multiplier = _rounded_each(normalisation.multiplier * source.sd, target.sd << halved)
        if multiplier.max() <= _MAX_MULTIPLIER:
            return replace(
                normalisation,
                offset=offset.astype(np.int32),
                multiplier=np.maximum(1, multiplier).astype(np.int32),
                shift=normalisation.shift - halved,
            )
    raise RecordingError("the target's readings vary too little for the network's input; raise the gain")


def _near(gate: WearStatistics, x: Int64) -> NDArray[np.bool_]:
    """Which readings (n, sensors) are those of an open eye, by rough statistics."""
    far = np.abs(x - gate.mean) @ ((1 << _WEIGHT_BITS) // gate.sd)
    return np.asarray(far <= (GATE_QUARTERS << (_WEIGHT_BITS - 2)) * x.shape[1])


def _rounded(a: int, b: int) -> int:
    return (2 * a + b) // (2 * b)


def _rounded_each(a: NDArray[np.integer], b: Int64) -> Int64:
    return np.asarray((2 * a.astype(np.int64) + b) // (2 * b), np.int64)


def _check(source: WearStatistics, target: WearStatistics) -> None:
    wrong = (source.sd > MOST_GAIN * target.sd) | (target.sd > MOST_GAIN * source.sd)
    if wrong.any():
        sensor = int(np.flatnonzero(wrong)[0])
        raise RecordingError(
            f"sensor {sensor} has a spread of {target.sd[sensor]}, expected {source.sd[sensor]} within a "
            f"factor of {MOST_GAIN}: it is broken, or covered, or the wearer hardly looked around"
        )
