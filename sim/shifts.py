"""Users who calibrate, and whose headset then sits elsewhere: slipped while it is worn, or put on again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.errors import SimulationError
from psog.headset import Headset
from psog.sim import lids, pupil
from psog.sim.anatomy import PUPIL_RANGE_MM
from psog.sim.episodes import CALIBRATION_TARGETS, FIXATION_SD_DEG, Draw, Progress, rendered_episodes
from psog.sim.fits import donning, slipped
from psog.sim.grids import calibration_targets
from psog.sim.streams import derived_seed, stream

Array = NDArray[np.float64]

STILL, WORN, DONNED = 2, 6, 4
"""Poses after the calibration: the headset sits where it sat; it has slipped; it was put on again."""
SLIP_MM, DONNING_MM = 3.0, 2.0
"""How far it slips at most; how far beside the nominal place it is put on, as training assumes."""
_REPEATS = 7
SAMPLES = CALIBRATION_TARGETS * _REPEATS


@dataclass(frozen=True)
class Shifted:
    """Many users.

    Attributes:
        episodes: pose 0 is a calibration and `gaze_deg` its targets; in the others gaze is even over the
            field.
        shift_mm: (users, poses - 1, 3) how far the headset sits from where it sat, right, up and away from
            the face.
    """

    episodes: Episodes
    shift_mm: Array


def shifted_episodes(headset: Headset, *, users: int, seed: int, progress: Progress | None = None) -> Shifted:
    """Users of STILL + WORN + DONNED poses after their calibration, all with open eyes.

    The display's luminance is another in each pose; how a user holds the lids, and how wide the pupil is in
    one light, change with each donning. User k depends on (seed, k).

    Raises:
        SimulationError: fewer than one user.
    """
    if users < 1:
        raise SimulationError(f"cannot shift the headsets of {users} users; expected at least 1")
    users_seed = derived_seed(seed, "shifts")
    fits = [_fits(stream(users_seed, "fits", k)) for k in range(users)]
    order = iter(range(users))
    targets = np.repeat(calibration_targets(headset.field_deg, CALIBRATION_TARGETS), _REPEATS, axis=0)

    def draw(random: np.random.Generator, pupil_mm: float) -> Draw:
        own = fits[next(order)]
        label = random.uniform(-1, 1, (len(own), SAMPLES, 2)) * headset.field_deg
        label[0] = targets
        gaze = label.copy()
        gaze[0] += random.standard_normal(targets.shape) * FIXATION_SD_DEG
        return Draw(own, gaze, label, np.ones(label.shape[:2]), *_moments(random, pupil_mm))

    episodes = rendered_episodes(
        headset, draw, count=users, users_seed=users_seed, seed=seed, quadrature=None, progress=progress
    )
    moved = np.array(fits)[..., :3]
    return Shifted(episodes, moved[:, 1:] - moved[:, :1])


def _fits(random: np.random.Generator) -> Array:
    """(poses, 4) where the headset sits."""
    start = donning(random, DONNING_MM)
    slips = [slipped(random, start, random.uniform(0, SLIP_MM)) for _ in range(WORN)]
    return np.array([start, *[start] * STILL, *slips, *(donning(random, DONNING_MM) for _ in range(DONNED))])


def _moments(random: np.random.Generator, pupil_mm: float) -> tuple[Array, Array]:
    """(poses, samples) pupil, (poses, samples, 2) lid offsets."""
    worn = np.maximum(np.arange(1 + STILL + WORN + DONNED) - STILL - WORN, 0)
    luminance, _ = pupil.draw_stretches(random, len(worn))
    arousal = (random.standard_normal(DONNED + 1) * pupil.AROUSAL_SD_MM)[worn]
    held = (random.standard_normal((DONNED + 1, 2)) * lids.POSE_SD_MM)[worn]
    shape = (len(worn), SAMPLES)
    mean = pupil.own_diameter_mm(pupil_mm + arousal, luminance)
    diameter = mean[:, None] + random.standard_normal(shape) * pupil.MOMENT_SD_MM
    wander = random.standard_normal((*shape, 2)) * lids.MOMENT_SD_MM
    return np.clip(diameter, *PUPIL_RANGE_MM), held[:, None] + wander
