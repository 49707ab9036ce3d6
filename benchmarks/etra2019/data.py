"""What the ETRA 2019 protocol is run on: 22 users who follow a dot while the headset's place cycles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.sim import lids
from psog.sim.device import Device
from psog.sim.drift import Drift
from psog.sim.electronics import Electronics
from psog.sim.live import LID_TIME_S
from psog.sim.movement import EyeSamples
from psog.sim.population import Users, draw_users
from psog.sim.pupil import Pupil, draw_stretches
from psog.sim.render import Optics, pose_rows, render
from psog.sim.simulate import SEEN_OPENNESS
from psog.sim.state import eye_states
from psog.sim.streams import derived_seed, stream
from psog.sim.tasks import viewer
from psog.sim.windows import SHIFT_CYCLE_MM

FOLDS = (
    ("1", "2", "3", "4"),
    ("5", "6", "7", "8"),
    ("10", "11", "12", "13"),
    ("14", "15", "16", "17"),
    ("18", "19", "20"),
    ("21", "22", "23"),
)
"""The paper's grouping of its 22 users, by their numbers."""
RATE_HZ = 120.0
"""Of the paper's video."""
TARGETS_DEG = (19.1, 16.7)
"""Half width and half height of where the paper's targets were."""
FARTHEST_DEG = 20.0
"""The paper drops gaze beyond this on either axis."""


@dataclass(frozen=True)
class Subject:
    """What the sensors read while one user looked around.

    Attributes:
        name: the user's number.
        frame: (n,) int64 which picture of the video, RATE_HZ a second; rows that are dropped leave a gap.
        readings: (n, sensors) float32 ADC counts.
        gaze_deg: (n, 2) float32.
    """

    name: str
    frame: NDArray[np.int64]
    readings: NDArray[np.float32]
    gaze_deg: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.frame)

    def seen(self, valid: NDArray[np.bool_]) -> Subject:
        """The rows that the protocol keeps: those where (n,) `valid` holds and gaze is within the field."""
        keep = valid & (np.abs(self.gaze_deg) <= FARTHEST_DEG).all(axis=1)
        return Subject(self.name, self.frame[keep], self.readings[keep], self.gaze_deg[keep])


def simulated_subjects(headset: Headset, samples: int, seed: int) -> list[Subject]:
    """The 22 users of the paper's grouping, simulated: each follows a jumping dot for `samples` rows.

    Picture k is seen with the headset shifted by step k of the cycle of 81, from its nominal place. Rows in
    which a blink covers the pupil are dropped. User k, row by row, depends on (seed, k) alone.
    """
    base = derived_seed(seed, "etra2019")
    filmed = headset.model_copy(update={"rate_hz": RATE_HZ})
    optics = Optics(filmed)
    return [
        _subject(filmed, optics, name, samples, base) for name in (name for fold in FOLDS for name in fold)
    ]


def _subject(headset: Headset, optics: Optics, name: str, samples: int, seed: int) -> Subject:
    number = int(name)
    user = draw_users(1, seed, first=number)
    cycles = -(-samples // len(SHIFT_CYCLE_MM))
    eye = viewer("saccades", RATE_HZ, TARGETS_DEG, seed, index=number).advance(cycles * len(SHIFT_CYCLE_MM))
    light = _light(optics, user, eye, number, seed)
    electronics = Electronics(headset, device=Device(headset, seed, number))
    readings = electronics.read(light, stream(seed, "noise", number))
    subject = Subject(name, np.arange(samples), readings[:samples], eye.gaze_deg[:samples])
    return subject.seen(eye.openness[:samples] >= SEEN_OPENNESS)


def _light(optics: Optics, user: Users, eye: EyeSamples, number: int, seed: int) -> NDArray[np.float32]:
    """(n, sensors) irradiance; n is a multiple of the cycle's length. Samples of one shift are rendered
    together, which is thirty times as fast as one after the other."""
    count, shifts = len(eye.openness), len(SHIFT_CYCLE_MM)
    wear = stream(seed, "wear", number)
    held_mm = wear.standard_normal(2) * lids.POSE_SD_MM
    (luminance,), (arousal,) = draw_stretches(wear, 1)
    pupil = Pupil(seed, number, RATE_HZ, user.pupil_mm[0])
    pupil.settle(user.pupil_mm[0] + arousal, luminance)
    wander = Drift(stream(seed, "lids", number), RATE_HZ, sd=lids.MOMENT_SD_MM, time_s=LID_TIME_S, axes=2)

    def by_shift(values: NDArray[np.floating]) -> NDArray[np.floating]:
        """(n, …) to (shifts, n / shifts, …)."""
        return values.reshape(-1, shifts, *values.shape[1:]).swapaxes(0, 1)

    same = user.take(np.zeros(shifts, dtype=np.intp))
    states = eye_states(
        same,
        roll_deg=np.zeros(shifts),
        gaze_deg=by_shift(eye.gaze_deg),
        openness=by_shift(eye.openness),
        pupil_mm=by_shift(pupil.advance(count, luminance)),
        lid_offset_mm=by_shift(held_mm + wander.advance(count)),
    )
    shift_mm = np.concatenate([SHIFT_CYCLE_MM, np.zeros((shifts, 1))], axis=1)
    light = render(optics, same, pose_rows(shift_mm, np.zeros(shifts)), states, tables=True)
    return light.swapaxes(0, 1).reshape(count, -1)
