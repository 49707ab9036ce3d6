"""Wearers of one design's headsets: as designed, with aged LEDs, with parts beside their place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.stages_headset import WEAR_MM, Built, as_designed, built
from psog.episodes import Episodes
from psog.headset import Headset
from psog.sim.live import LiveEye
from psog.sim.population import draw_users
from psog.sim.streams import derived_seed, stream
from psog.sim.tasks import viewer

AGED = {"LEDs at 90 to 100 %": 0.9, "LEDs at 70 to 100 %": 0.7, "LEDs at 50 to 100 %": 0.5}
"""What is left of each sensor's light, by the least of it; weak values."""
DIM = 0.7
SOUND, DIMMED, OTHERS = "as designed", "all LEDs at 70 %", "parts beside their place"
DEVICES = (SOUND, *AGED, DIMMED, OTHERS)
BUILDS = 4
"""Of headsets with parts beside their place; wearers take turns with them."""
RATE_HZ = 200.0
"""At which wearers who look around are read; means and SDs are those at a thousand, five times as soon."""


@dataclass(frozen=True)
class Worn:
    """One wearer with one headset.

    Attributes:
        wire: (n, sensors) uint16 readings of a while of looking around, on another day than the rest.
        episodes: of this wearer alone: a calibration, and looks after slips.
        gain: (sensors,) that the readings of both have been multiplied with.
    """

    wire: NDArray[np.uint16]
    episodes: Episodes
    gain: NDArray[np.float32]


def wearers(
    headset: Headset, users: int, seconds: float, seed: int, slips_mm: tuple[float, ...]
) -> Iterator[dict[str, Worn]]:
    """Each wearer with every one of DEVICES; wearer k depends on (seed, k) alone."""
    sound = as_designed(headset)
    others = [replace(built(headset, k), gain=sound.gain) for k in range(min(BUILDS, users))]
    gain_of_others = [built(headset, k).gain for k in range(len(others))]
    tests = {id(one): one.test(users, seed, slips_mm) for one in (sound, *others)}
    for user in range(users):
        turn = user % len(others)
        aged = {name: _aged(name, headset, seed, user) for name in AGED}
        dim = sound.gain * np.float32(DIM)
        gains = {SOUND: sound.gain, **aged, DIMMED: dim, OTHERS: gain_of_others[turn]}
        headsets = {name: others[turn] if name == OTHERS else sound for name in gains}
        counts = {id(one): _minute(one, user, seconds, seed) for one in (sound, others[turn])}
        yield {
            name: Worn(
                _wire(headset, counts[id(one)] * gains[name]),
                _of_one(tests[id(one)], user, gains[name]),
                gains[name],
            )
            for name, one in headsets.items()
        }


def sound_minutes(headset: Headset, users: int, seconds: float, seed: int) -> Iterator[NDArray[np.uint16]]:
    """(n, sensors) readings of wearers who look around with the headset as designed, blinks included."""
    for user in range(users):
        yield _wire(headset, _minute(as_designed(headset), user, seconds, seed))


def _minute(worn: Built, user: int, seconds: float, seed: int) -> NDArray[np.float32]:
    """(n, sensors) counts of user number `user` of Built.test, who puts the headset on and looks around."""
    headset = worn.headset.model_copy(update={"rate_hz": RATE_HZ})
    eye = LiveEye(headset, draw_users(1, derived_seed(seed, "test"), first=user), 0, seed, number=user)
    eye.don(WEAR_MM)
    around = viewer("viewing", headset.rate_hz, headset.field_deg, seed, index=user)
    moves = around.advance(round(seconds * headset.rate_hz))
    return eye.read(moves.gaze_deg, moves.openness)


def _aged(name: str, headset: Headset, seed: int, user: int) -> NDArray[np.float32]:
    return stream(seed, name, user).uniform(AGED[name], 1, headset.sensor_count).astype(np.float32)


def _wire(headset: Headset, counts: NDArray[np.floating]) -> NDArray[np.uint16]:
    return headset.to_wire(np.rint(counts).clip(0, headset.adc.full_scale - 1))


def _of_one(episodes: Episodes, user: int, gain: NDArray[np.float32]) -> Episodes:
    one = slice(user, user + 1)
    return replace(
        episodes,
        readings=episodes.readings[one] * gain,
        gaze_deg=episodes.gaze_deg[one],
        openness=episodes.openness[one],
        noise_counts=episodes.noise_counts * gain,
    )
