"""An hour of wear, looked at once a minute: a calibration, then readings while the headset moves.

Each minute holds READ readings of whatever the wearer looks at, ASKED of one fixation of the centre, as a
recentre asks for, and JUDGED of gazes even over the field, by which an error is told whatever was looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

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
from psog.sim.pupil import AROUSAL_SD_MM, DISPLAY_CD_M2, LUMINANCE_LOG_SD
from psog.sim.slippage import MOTIONS, Motion, Slippage
from psog.sim.streams import derived_seed, stream
from psog.sim.tasks import TASKS

Array = NDArray[np.float64]

READ, ASKED, JUDGED = slice(0, 35), slice(35, 39), slice(39, 63)
SAMPLES = 63
"""As a calibration has: seven readings at each of nine targets."""
_REPEATS = SAMPLES // CALIBRATION_TARGETS
_RATE_HZ = 1.0
_MINUTE_S = 60
DONNING_MM = 2.0


@dataclass(frozen=True)
class Wear:
    """What happens to the headset in an hour.

    Attributes:
        motion: while it is worn.
        donned: minutes at which it is taken off and put on again.
        jolt: minute and millimetres of one slip; none if None.
    """

    motion: Motion
    donned: tuple[int, ...] = ()
    jolt: tuple[int, float] | None = None


WEARS = {
    "fixed": Wear(MOTIONS["fixed"]),
    "still": Wear(MOTIONS["still"]),
    "office": Wear(MOTIONS["office"]),
    "active": Wear(MOTIONS["active"]),
    "donned again": Wear(MOTIONS["still"], donned=(15, 30, 45)),
    "jolt": Wear(MOTIONS["fixed"], jolt=(20, 2.0)),
}
"""By name: the motions; three times off and on; and one slip of 2 mm in an hour without any other."""


def _viewing(random: np.random.Generator, field_deg: Array) -> Array:
    return random.uniform(-1, 1, (READ.stop, 2)) * field_deg


def _reading(random: np.random.Generator, field_deg: Array) -> Array:
    """Fixations of a minute of text, 250 of them from anywhere on the page, thinned."""
    steps = islice(TASKS["reading"].steps(random, field_deg), 600)
    targets = np.array([step.target_deg for step in steps])
    first = random.integers(0, len(targets) - 250)
    return np.asarray(targets[np.sort(random.choice(250, READ.stop, replace=False)) + first])


def _watching(random: np.random.Generator, field_deg: Array) -> Array:
    """Near the centre, as a film is watched, now and then far from it."""
    far = random.standard_t(3, (READ.stop, 2)) * 0.15 * field_deg
    return np.asarray(np.clip(far, -field_deg, field_deg))


def _one_side(random: np.random.Generator, field_deg: Array) -> Array:
    """In the outer two thirds of one half of the field: a screen beside the wearer."""
    gaze = random.uniform(-1, 1, (READ.stop, 2))
    axis, side = random.integers(2), random.choice([-1, 1])
    gaze[:, axis] = side * random.uniform(1 / 3, 1, READ.stop)
    return np.asarray(gaze * field_deg)


GAZES: dict[str, Callable[[np.random.Generator, Array], Array]] = {
    "viewing": _viewing,
    "reading": _reading,
    "watching": _watching,
    "one side": _one_side,
}
"""What a wearer looks at for a minute; every minute draws one."""


@dataclass(frozen=True)
class Hours:
    """Hours of many users.

    Attributes:
        episodes: pose 0 is the calibration, pose 1 + m minute m.
        shift_mm: (users, minutes) distance from where the calibration was.
        gaze: (users, minutes) index into GAZES.
    """

    episodes: Episodes
    shift_mm: Array
    gaze: NDArray[np.intp]


def wear_for_hours(
    headset: Headset,
    wear: Wear,
    *,
    users: int,
    seed: int,
    minutes: int = 60,
    progress: Progress | None = None,
) -> Hours:
    """Users calibrate and then wear the headset.

    Pupils follow a display whose luminance is another every minute; how a user holds the lids, and how wide
    the pupil is in one light, change with each donning. Eyes are open. User k is the same person in every
    wear of a seed.

    Raises:
        SimulationError: fewer than one user or minute.
    """
    if min(users, minutes) < 1:
        raise SimulationError(f"cannot wear for {minutes} minutes by {users} users; expected at least 1 each")
    field = np.array(headset.field_deg, dtype=np.float64)
    users_seed = derived_seed(seed, "hours")
    fits = [_fits(wear, users_seed, k, minutes) for k in range(users)]
    kinds = [stream(users_seed, "gaze", k).integers(len(GAZES), size=minutes) for k in range(users)]
    order = iter(range(users))

    def draw(random: np.random.Generator, pupil_mm: float) -> Draw:
        k = next(order)
        gaze, label = _gaze(random, field, kinds[k])
        diameter, offset = _moments(random, wear, 1 + minutes, pupil_mm)
        return Draw(fits[k], gaze, label, np.ones(label.shape[:2]), diameter, offset)

    episodes = rendered_episodes(
        headset, draw, count=users, users_seed=users_seed, seed=seed, quadrature=None, progress=progress
    )
    moved = np.array(fits)[:, 1:, :3] - np.array(fits)[:, :1, :3]
    return Hours(episodes, np.linalg.norm(moved, axis=-1), np.array(kinds))


def _fits(wear: Wear, seed: int, index: int, minutes: int) -> Array:
    """(1 + minutes, 4) where the headset sits at the calibration and in the middle of each minute."""
    random = stream(seed, "fits", index)
    fits = np.empty((1 + minutes, 4))
    fits[0] = donning(random, DONNING_MM)
    begins = [0, *(m for m in wear.donned if m < minutes)]
    for worn, (first, stop) in enumerate(zip(begins, [*begins[1:], minutes], strict=True)):
        placed = fits[0] if worn == 0 else donning(random, DONNING_MM)
        slippage = Slippage(wear.motion, seed, index, _RATE_HZ, donning=worn)
        slip = slippage.advance((stop - first) * _MINUTE_S).fits[_MINUTE_S // 2 :: _MINUTE_S]
        fits[1 + first : 1 + stop] = placed + slip
    if wear.jolt is not None:
        minute, distance_mm = wear.jolt
        fits[1 + minute :] += slipped(random, np.zeros(4), distance_mm)
    return fits


def _gaze(random: np.random.Generator, field: Array, kinds: NDArray[np.intp]) -> tuple[Array, Array]:
    """(poses, samples, 2) where the eye looks, and where it is said to."""
    label = np.zeros((1 + len(kinds), SAMPLES, 2))
    targets = calibration_targets((field[0], field[1]), CALIBRATION_TARGETS)
    label[0] = np.repeat(targets, _REPEATS, axis=0)
    looks = list(GAZES.values())
    for minute, kind in enumerate(kinds):
        label[1 + minute, READ] = looks[kind](random, field)
    label[1:, JUDGED] = random.uniform(-1, 1, label[1:, JUDGED].shape) * field
    gaze = label.copy()
    gaze[0] += random.standard_normal(gaze[0].shape) * FIXATION_SD_DEG
    gaze[1:, ASKED] += random.standard_normal((len(kinds), 1, 2)) * FIXATION_SD_DEG
    return gaze, label


def _moments(random: np.random.Generator, wear: Wear, poses: int, pupil_mm: float) -> tuple[Array, Array]:
    """(poses, samples) pupil, (poses, samples, 2) lid offsets."""
    worn = np.searchsorted(np.array(wear.donned), np.arange(poses) - 1, side="right")
    arousal = random.standard_normal(len(wear.donned) + 1) * AROUSAL_SD_MM
    held = random.standard_normal((len(wear.donned) + 1, 2)) * lids.POSE_SD_MM
    luminance = DISPLAY_CD_M2 * np.exp(LUMINANCE_LOG_SD * random.standard_normal(poses))
    mean = pupil.own_diameter_mm(pupil_mm + arousal[worn], luminance)
    diameter = mean[:, None] + random.standard_normal((poses, SAMPLES)) * pupil.MOMENT_SD_MM
    wander = random.standard_normal((poses, SAMPLES, 2)) * lids.MOMENT_SD_MM
    return np.clip(diameter, *PUPIL_RANGE_MM), held[worn][:, None] + wander
