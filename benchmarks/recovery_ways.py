"""What is done in an hour of wear, and what it gains: the error of each user in each minute, for each way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from psog.device.messages import OPENNESS_BORDER
from psog.metrics import angular_error
from psog.net.calibrated import int8_features
from psog.net.integer import IntegerNet
from psog.net.recovery import Recovery, Wearer, covers
from psog.net.surface import Moments
from psog.sim.hours import ASKED, JUDGED, READ

Array = NDArray[np.float64]

KEPT = 0.75
"""Of what readings say is kept from minute to minute."""
SETTLING = 3
"""Minutes after a calibration or an alarm in which drift has no reference yet."""
TARGET_DEG = np.zeros(2)
"""Where a recentre asks to look."""


@dataclass(frozen=True)
class Way:
    """What is done: at alarms, all the time."""

    asks: Callable[[Recovery, Wearer, NDArray[np.uint16]], Wearer] | None = None
    follows: bool = False


def _one_target(recovery: Recovery, wearer: Wearer, wire: NDArray[np.uint16]) -> Wearer:
    return recovery.recentred(wearer, wire, TARGET_DEG)


def _offset(recovery: Recovery, wearer: Wearer, wire: NDArray[np.uint16]) -> Wearer:
    """The plain way: gaze is shifted so that it hits the target."""
    head = wearer.calibrated.head.copy()
    head[:, -1] += TARGET_DEG - wearer.calibrated(wire).mean(axis=0)
    return replace(wearer, calibrated=replace(wearer.calibrated, head=head))


WAYS = {
    "nothing": Way(),
    "offset": Way(_offset),
    "one target": Way(_one_target),
    "implicit": Way(follows=True),
    "both": Way(_one_target, follows=True),
}


@dataclass(frozen=True)
class Worn:
    """Hours of users.

    Attributes:
        error_deg: of each way (users, minutes), of gaze even over the field, before this minute's readings
            correct anything.
        drift: (users, minutes) since the first minutes, alarms or not; NaN where there is no reference yet.
        alarms: (users, minutes), each of the drift since the one before.
    """

    error_deg: dict[str, Array]
    drift: Array
    alarms: NDArray[np.bool_]


def wear(
    net: IntegerNet, recovery: Recovery, wire: NDArray[np.uint16], gaze_deg: NDArray[np.floating]
) -> Worn:
    """Every way, for every user.

    Args:
        wire: (users, 1 + minutes, samples, sensors), gaze_deg: (users, 1 + minutes, samples, 2) of
            psog.sim.hours.
    """
    users = [_user(net, recovery, *one) for one in zip(wire, gaze_deg, strict=True)]
    return Worn(
        {name: np.array([one.error_deg[name] for one in users]) for name in WAYS},
        np.array([one.drift for one in users]),
        np.array([one.alarms for one in users]),
    )


def _user(
    net: IntegerNet, recovery: Recovery, wire: NDArray[np.uint16], gaze_deg: NDArray[np.floating]
) -> Worn:
    wearer = recovery.wearer(net, int8_features, wire[0], gaze_deg[0])
    minutes = len(wire) - 1
    fresh = [wearer.moments(readings, OPENNESS_BORDER) for readings in wire[1:, READ]]
    seen, _, alarms = _watched(recovery, wearer, fresh, begins_anew=True)
    _, drift, _ = _watched(recovery, wearer, fresh, begins_anew=False)
    judged = wearer.calibrated.features(wire[1:, JUDGED].reshape(-1, wire.shape[-1]))
    judged = judged.reshape(minutes, -1, judged.shape[-1])
    error_deg = {}
    for name, way in WAYS.items():
        now, errors = wearer, np.empty(minutes)
        for minute in range(minutes):
            head = recovery.gaze(now).head
            found = judged[minute] @ head[:, :-1].T + head[:, -1]
            errors[minute] = angular_error(found, gaze_deg[1 + minute, JUDGED]).mean()
            if way.follows:
                now = recovery.followed(now, seen[minute], fresh[minute])
            if way.asks is not None and alarms[minute]:
                now = way.asks(recovery, now, wire[1 + minute, ASKED])
        error_deg[name] = errors
    return Worn(error_deg, drift, alarms)


def _watched(
    recovery: Recovery, wearer: Wearer, fresh: Sequence[Moments], *, begins_anew: bool
) -> tuple[list[Moments], Array, NDArray[np.bool_]]:
    """What is known after each minute, drift, and alarms.

    Args:
        fresh: of each minute alone.
        begins_anew: after an alarm, with this minute alone and with another reference to come.
    """
    seen: list[Moments] = []
    drift, alarms = np.full(len(fresh), np.nan), np.zeros(len(fresh), bool)
    since: Array | None = None
    age = 0
    for minute, latest in enumerate(fresh):
        seen.append(seen[-1].kept(KEPT) + latest if age else latest)
        age += 1
        if not covers(seen[-1]):
            continue
        change = recovery.implied(wearer, seen[-1])
        if since is not None:
            drift[minute] = recovery.drift(change, since)
            alarms[minute] = drift[minute] > recovery.alarm
            if alarms[minute] and begins_anew:
                seen[-1], since, age = latest, None, 1
        elif age >= SETTLING:
            since = change
    return seen, drift, alarms
