"""Per-device standardisation: a headset's readings, unlabelled, made to look like those of the training data.

Parts differ from device to device, LEDs age, faces are darker or lighter: each sensor then has another mean
and another spread than the network was trained with. A minute of wear, whatever the wearer does in it, tells
both; an affine map per sensor takes them back:

    standardised = mean_source + (reading − mean_target) · sd_source / sd_target

The map needs no arithmetic of its own on a device: it is folded into offset and multiplier of the
normalisation, which is affine already (`standardised`). The device's own form of it,
for a headset while it is worn, is psog/device/standardising.py: by means alone, from fewer sums.
Everything is in whole numbers, so that everybody finds the same bits:

1. A reading counts only if it is like one 50 to 100 ms ago. Time goes in slots of L = ⌊rate · SLOT_S + 1/2⌋
   readings, at least 1. Reading x counts if there was a slot before its own, of which r is the first reading,
   and Σ over sensors of |x − r| · ⌊2^20 / sd_source⌋ is at most GATE_SIXTEENTHS · 2^16 · sensors. So
   saccades, slips and the lids' way down and up do not count, whatever the sensors' gains; and the network is
   not asked whether the eye is open: before its readings are standardised it may not know. An eye that stays
   shut does count, so whoever knows better passes over such readings first.
2. Of the n readings that count, every sensor's Σx and Σx² are kept. At most MOST_READINGS count, those that
   come first: Σx then fits into 32 bits and n Σx² into 64. At 1 kHz that is more than a minute of wear.
3. mean = ⌊(2 Σx + n) / 2n⌋, sd = max(1, ⌊(2 ⌊√(n Σx² − (Σx)²)⌋ + n) / 2n⌋): rounded half up.

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

SLOT_S = 0.05
"""Lids close within 66 ms (docs/movement.md), so across one to two slots they have moved."""
GATE_SIXTEENTHS = 5
"""Sixteenths of the source's SD, on the mean of all sensors. Of 12 simulated wearers of ring16 (60 s each,
slips of up to 2 mm every ten seconds, also with sensors at 0.5 to 0.8 of their gain and on a headset with
build errors) 86 % of the readings count and 4 to 8 % of those of closing and closed eyes; left is a bias of
0.008 SD in the mean and of 0.7 % in the SD, without a gate 0.047 SD and 4.1 %. Slots of 0.1 s and gates of
0.2 and 0.5 SD were about as good; a gate around the mean of the first ten seconds took slips for lids (0.44
SD).
"""
MOST_READINGS = 65_535
"""That count: n² · 65535² is then below 2^64."""
FEWEST_SLOTS = 200
"""So many slots' readings must count, ten seconds of them; a weak value: a minute has a hundred fixations."""
MOST_GAIN = 64
"""Between the two SDs, either way. A sensor further off is broken or covered, and no map brings it back.
Third-party signals of grid15 differ by a factor of 12 from simulated ones, eye videos by 34; a weak value."""
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
    """The sums of one stretch of wear, reading after reading.

    Args:
        source: what the network was trained with; its SD is the gate's.
        slot: readings in a slot, as `slot_readings` gives them.
    """

    source: WearStatistics
    slot: int
    _seen: int = field(default=0, init=False)
    _remembered: list[Int64] = field(default_factory=list, init=False)
    _count: int = field(default=0, init=False)
    _sum: list[int] = field(default_factory=list, init=False)
    _squares: list[int] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._sum, self._squares = ([0] * len(self.source.mean) for _ in range(2))

    def add(self, wire: NDArray[np.uint16]) -> NDArray[np.bool_]:
        """Take the next readings (n, sensors); which of them (n,) count."""
        x = np.asarray(wire, np.int64)
        counts = np.zeros(len(x), bool)
        first = 0
        while first < len(x):
            if self._seen % self.slot == 0:
                self._remembered = [*self._remembered[-1:], x[first]]
            rows = slice(first, first + self.slot - self._seen % self.slot)
            if len(self._remembered) == 2:
                counts[rows] = self._alike(x[rows], self._remembered[0])
            self._seen += len(x[rows])
            first = rows.stop
        counts &= np.cumsum(counts) <= MOST_READINGS - self._count
        self._take(x[counts])
        return counts

    def statistics(self) -> WearStatistics:
        """Mean and SD of what counted.

        Raises:
            RecordingError: too little of it.
        """
        fewest = FEWEST_SLOTS * self.slot
        if self._count < fewest:
            raise RecordingError(
                f"{self._count} of {self._seen} readings are of an eye at rest, at least {fewest} expected: "
                f"{FEWEST_SLOTS * SLOT_S:g} s; record a minute of wear"
            )
        n, mean, sd = self._count, [], []
        for total, squares in zip(self._sum, self._squares, strict=True):
            mean.append(_rounded(total, n))
            sd.append(max(1, _rounded(math.isqrt(n * squares - total * total), n)))
        return WearStatistics(np.array(mean, np.int64), np.array(sd, np.int64))

    def _alike(self, x: Int64, reference: Int64) -> NDArray[np.bool_]:
        far = np.abs(x - reference) @ ((1 << _WEIGHT_BITS) // self.source.sd)
        return np.asarray(far <= (GATE_SIXTEENTHS << (_WEIGHT_BITS - 4)) * x.shape[1])

    def _take(self, x: Int64) -> None:
        self._count += len(x)
        self._sum = [a + b for a, b in zip(self._sum, x.sum(axis=0).tolist(), strict=True)]
        self._squares = [a + b for a, b in zip(self._squares, (x * x).sum(axis=0).tolist(), strict=True)]


def slot_readings(rate_hz: float) -> int:
    """How many readings a slot has, at least one."""
    return max(1, math.floor(rate_hz * SLOT_S + 0.5))


def exact_statistics(wire: NDArray[np.floating] | NDArray[np.integer]) -> WearStatistics:
    """Mean and SD of (n, sensors) readings of an eye that is known to be open."""
    return in_whole_numbers(wire.mean(axis=0, dtype=np.float64), wire.std(axis=0, dtype=np.float64))


def pooled(wearers: Sequence[WearStatistics]) -> WearStatistics:
    """Of several wearers, at least one: the mean of their means, and the root of their mean variance."""
    mean = np.array([each.mean for each in wearers], np.float64).mean(axis=0)
    variance = (np.array([each.sd for each in wearers], np.float64) ** 2).mean(axis=0)
    return in_whole_numbers(mean, np.sqrt(variance))


def by_means(source: WearStatistics, target: WearStatistics) -> WearStatistics:
    """The target as it would be if its sensors differed from the source's by their gain alone.

    Dark stays dark, since readings have the ambient light subtracted; the gain is then the ratio of the
    means, which scatters less from wearer to wearer than that of the SDs.
    """
    sd = _rounded_each(source.sd * target.mean, np.maximum(1, source.mean))
    return replace(target, sd=np.maximum(1, sd))


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


def in_whole_numbers(mean: NDArray[np.float64], sd: NDArray[np.float64]) -> WearStatistics:
    """(sensors,) mean and SD, rounded half up."""
    return WearStatistics(
        np.floor(mean + 0.5).astype(np.int64), np.maximum(1, np.floor(sd + 0.5)).astype(np.int64)
    )


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
