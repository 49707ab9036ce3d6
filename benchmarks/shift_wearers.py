"""Wearers who calibrate, sit still, and whose headset then sits elsewhere: what a watch makes of each."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.shift_person import RATE_HZ, Person, Seen
from psog.headset import Headset
from psog.live.shift import ShiftWatch
from psog.net.calibrated import int8_features
from psog.net.integer import IntegerNet
from psog.net.recovery import Recovery, Wearer
from psog.net.shift import AXES, ShiftMap
from psog.net.surface import inputs_of, moments
from psog.sim.fits import SLIP_ROLL_DEG_PER_MM, Fit
from psog.sim.streams import stream

Array = NDArray[np.float64]

SETTLING_S = 45.0
"""After the calibration: what comes later is compared with it where no calibration is known."""
TIMES_S = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0)
"""After a shift, at which the estimate is told; the last one ends the stretch."""
LIGHT_S = 20.0
"""In a quiet time, after which the display is another; a weak value."""
_AT_ONCE = 8
"""Readings that watches take together: a quarter of a second."""
SINCE = ("calibration", "view")


@dataclass(frozen=True)
class Protocol:
    """What happens to a wearer.

    Attributes:
        quiet_s: without a shift.
        still, sizes_mm, donnings: stretches without a shift, by each of these along each axis, and with the
            headset put on again.
    """

    quiet_s: float = 60.0
    still: int = 3
    sizes_mm: tuple[float, ...] = (0.5, 1.0, 2.0)
    donnings: int = 3


SHORT = Protocol(quiet_s=5.0, still=1, sizes_mm=(2.0,), donnings=1)


@dataclass(frozen=True)
class Stretch:
    """What one shift came to.

    Attributes:
        shift_mm: (3,) true.
        donned: whether the headset was put on again.
        mm, sd_mm: (since, times, 3) the estimate and its standard error; NaN while there is none.
        drift: of psog.net.recovery at the end, since the calibration.
        off_deg: how far the gaze is from a dot straight ahead.
        grew_deg: by how much the mean gaze error is larger than while the headset sat still.
    """

    shift_mm: Array
    donned: bool
    mm: Array
    sd_mm: Array
    drift: float
    off_deg: float
    grew_deg: float


@dataclass(frozen=True)
class Worn:
    """A wearer.

    Attributes:
        stretches: in the order in which they were.
        false_alarms: (since,) how often, while nothing had moved, a watch said that something has.
        told_mm: (since, n) what they said meanwhile.
    """

    stretches: list[Stretch]
    false_alarms: NDArray[np.intp]
    told_mm: Array


class _Watched:
    """A person and the watches on them."""

    def __init__(self, person: Person, net: IntegerNet, learnt: ShiftMap, known: Wearer) -> None:
        self.person, self._net, self._known = person, net, known
        calibration = moments(inputs_of(net, person.wire), person.targets_deg)
        self.watches = [
            ShiftWatch(net, learnt, learnt.calibrated(calibration)),
            ShiftWatch(net, learnt),
        ]

    def look(self, seconds: float) -> Seen:
        seen = self.person.watch(seconds)
        for first in range(0, len(seen.wire), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            wire, gaze_deg = seen.wire[some], seen.gaze_deg[some]
            for watch in self.watches:
                watch.take(wire, gaze_deg, len(wire) / RATE_HZ)
        return seen

    def told(self) -> tuple[Array, Array]:
        """(since, 3) estimates and their standard errors."""
        shifts = [watch.shift for watch in self.watches]
        nothing = np.full(AXES, np.nan)
        return (
            np.array([nothing if shift is None else shift.mm for shift in shifts]),
            np.array([nothing if shift is None else shift.sd_mm for shift in shifts]),
        )

    def stretch(self, recovery: Recovery, *, donned: bool) -> tuple[Stretch, float]:
        """After a shift; and the mean error meanwhile."""
        told, errors = [], []
        all_seen = None
        for since_s, until_s in zip((0.0, *TIMES_S), TIMES_S, strict=False):
            seen = self.look(until_s - since_s)
            now = moments(inputs_of(self._net, seen.wire), seen.gaze_deg)
            all_seen = now if all_seen is None else all_seen + now
            errors.append(seen.error_deg)
            told.append(self.told())
        assert all_seen is not None  # there are times
        drift = recovery.drift(recovery.implied(self._known, all_seen), np.zeros(len(recovery.changes)))
        mm, sd_mm = (np.stack(column, axis=1) for column in zip(*told, strict=True))
        error_deg = float(np.concatenate(errors).mean())
        off_deg = self.person.off_deg(0.0, 0.0)
        return Stretch(self.person.moved_mm, donned, mm, sd_mm, drift, off_deg, 0.0), error_deg


def wear(
    headset: Headset,
    net: IntegerNet,
    learnt: ShiftMap,
    recovery: Recovery,
    *,
    seed: int,
    protocol: Protocol,
) -> Worn:
    """One wearer, who calibrates, sits still, has a quiet time; then the headset sits elsewhere, again and
    again. Each shift begins with what the watches knew before the first one."""
    person = Person(headset, net, seed)
    known = recovery.wearer(net, int8_features, person.wire, person.targets_deg)
    watched = _Watched(person, net, learnt, known)
    watched.look(SETTLING_S)
    alarms, told_mm = _quiet(watched, protocol.quiet_s)
    before = copy.deepcopy(watched.watches)
    found = []
    random = stream(seed, "shifts")
    for shift in [*_shifts(random, protocol), *[None] * protocol.donnings]:
        watched.watches = copy.deepcopy(before)
        if shift is None:
            person.don()
            for watch in watched.watches:
                watch.begin_anew()  # nothing is read of an eye that is not there
        else:
            person.sit(shift)
        found.append(watched.stretch(recovery, donned=shift is None))
    at_rest_deg = np.mean([error_deg for one, error_deg in found if not one.shift_mm.any()])
    stretches = [replace(one, grew_deg=float(error_deg - at_rest_deg)) for one, error_deg in found]
    return Worn(stretches, alarms, told_mm)


def _shifts(random: np.random.Generator, protocol: Protocol) -> list[Fit]:
    """By how much (mm, degrees of roll) from where the headset sat, in random order."""
    found = [np.zeros(4) for _ in range(protocol.still)]
    for size_mm in protocol.sizes_mm:
        for axis in range(AXES):
            shift = np.zeros(4)
            shift[axis] = size_mm * random.choice([-1, 1])
            shift[3] = random.standard_normal() * SLIP_ROLL_DEG_PER_MM * size_mm
            found.append(shift)
    return [found[k] for k in random.permutation(len(found))]


def _quiet(watched: _Watched, seconds: float) -> tuple[NDArray[np.intp], Array]:
    """Alarms, each the first of those that follow each other, and what was told, each second."""
    alarms, said = np.zeros(len(watched.watches), np.intp), np.zeros(len(watched.watches), bool)
    told: list[Array] = []
    for second in range(round(seconds)):
        if second % LIGHT_S == 0:
            watched.person.light()
        watched.look(1.0)
        shifts = [watch.shift for watch in watched.watches]
        moved = np.array([shift is not None and shift.has_moved for shift in shifts])
        alarms += moved & ~said
        said = moved
        told.append(np.array([np.nan if shift is None else shift.size_mm for shift in shifts]))
    return alarms, np.array(told).reshape(-1, len(alarms)).T
