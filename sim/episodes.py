"""Episodes for training and testing: many users, each with a calibration pose and slipped poses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.errors import SimulationError
from psog.headset import Headset
from psog.sim import lids, pupil
from psog.sim.anatomy import PUPIL_RANGE_MM
from psog.sim.device import Device
from psog.sim.electronics import gains, noise_counts
from psog.sim.fits import check_distances, donning, slipped
from psog.sim.grids import calibration_targets
from psog.sim.people import PEOPLE, Population
from psog.sim.population import Users, draw_users
from psog.sim.render import Optics, Quadrature, pose_rows, render
from psog.sim.safety import check_exposure
from psog.sim.state import eye_states
from psog.sim.streams import derived_seed, stream

Progress = Callable[[int, int], None]
"""Called with (users done, users in all)."""

BLINK_SHARE = 0.03
"""Of samples in which the lid is on its way: 8 to 21 blinks a minute of 180 ms are 2.4 to 6 % of the time."""
FIXATION_SD_DEG = 0.3
"""How far from a calibration target people look, per axis."""
CALIBRATION_TARGETS = 9
_BATCH = 64


@dataclass(frozen=True)
class Draw:
    """One user's random part: what happens in each pose.

    Attributes:
        fits: (poses, 4) shift (mm) and roll (degrees).
        gaze_deg: (poses, samples, 2) where the eye looks.
        label_deg: (poses, samples, 2) where it is said to look.
        openness, pupil_mm: (poses, samples).
        lid_offset_mm: (poses, samples, 2).
    """

    fits: NDArray[np.float64]
    gaze_deg: NDArray[np.float64]
    label_deg: NDArray[np.float64]
    openness: NDArray[np.float64]
    pupil_mm: NDArray[np.float64]
    lid_offset_mm: NDArray[np.float64]


def make_episodes(
    headset: Headset,
    *,
    users: int,
    poses: int = 5,
    samples: int = 64,
    seed: int,
    donning_mm: float = 2.0,
    slip_mm: float = 2.5,
    field_deg: tuple[float, float] | None = None,
    population: Population = PEOPLE,
    quadrature: Quadrature | None = None,
    progress: Progress | None = None,
) -> Episodes:
    """Training episodes: pose 0 as donned, the others slipped by up to `slip_mm` from it.

    Gaze is uniform over the field (the headset's unless given); a few samples are blinks, told by
    `openness`. User k depends on (seed, k) and the parameters, not on how many users there are.

    Raises:
        SimulationError: a parameter that cannot be.
    """
    _check(users=users, poses=poses, samples=samples)
    check_distances(donning_mm=donning_mm, slip_mm=slip_mm)
    field = np.array(field_deg or headset.field_deg, dtype=np.float64)

    def draw(random: np.random.Generator, pupil_mm: float) -> Draw:
        start = donning(random, donning_mm)
        moved = [slipped(random, start, random.uniform(0, slip_mm)) for _ in range(poses - 1)]
        gaze = random.uniform(-1, 1, (poses, samples, 2)) * field
        return Draw(np.array([start, *moved]), gaze, gaze, *draw_moments(random, (poses, samples), pupil_mm))

    return rendered_episodes(
        headset,
        draw,
        count=users,
        users_seed=derived_seed(seed, "train"),
        seed=seed,
        population=population,
        quadrature=quadrature,
        progress=progress,
    )


def make_test_episodes(
    headset: Headset,
    *,
    users: int,
    seed: int,
    points: int = CALIBRATION_TARGETS,
    repeats: int = 7,
    slips_mm: Sequence[float] = (0.0, 0.5, 1.0, 2.0),
    donning_mm: float = 2.0,
    lids_share: float = 0.0,
    population: Population = PEOPLE,
    quadrature: Quadrature | None = None,
    progress: Progress | None = None,
) -> Episodes:
    """Test episodes: pose 0 is a calibration, pose p a slip of exactly slips_mm[p - 1] from it.

    In pose 0 the eye looks beside its target by FIXATION_SD_DEG, and `gaze_deg` is the *target*: what a
    calibration is told. In the other poses gaze is uniform over the headset's field and `gaze_deg` is
    where the eye looks. Users never coincide with those of `make_episodes`.

    Args:
        points: of `psog.sim.grids.calibration_targets`.
        lids_share: of the samples after the calibration in which the lid is on its way, anywhere;
            in the others, and while they calibrate, eyes are open.
    Returns:
        Episodes of 1 + len(slips_mm) poses with points · repeats samples; targets row by row from the
        lower left, each `repeats` times.
    Raises:
        SimulationError: a parameter that cannot be.
    """
    _check(users=users, repeats=repeats, points=points)
    check_distances(donning_mm=donning_mm, **{f"slips_mm[{k}]": slip for k, slip in enumerate(slips_mm)})
    targets = calibration_targets(headset.field_deg, points)
    row_by_row = np.lexsort(targets.T)
    grid = np.repeat(targets[row_by_row], repeats, axis=0)
    shape = (1 + len(slips_mm), len(grid))

    def draw(random: np.random.Generator, pupil_mm: float) -> Draw:
        start = donning(random, donning_mm)
        fits = np.array([start, *(slipped(random, start, slip) for slip in slips_mm)])
        label = random.uniform(-1, 1, (*shape, 2)) * headset.field_deg
        label[0] = grid
        gaze = label.copy()
        gaze[0] += random.standard_normal(grid.shape) * FIXATION_SD_DEG
        openness, diameter, offset = draw_moments(random, shape, pupil_mm, lids_share)
        openness[0] = 1.0
        return Draw(fits, gaze, label, openness, diameter, offset)

    return rendered_episodes(
        headset,
        draw,
        count=users,
        users_seed=derived_seed(seed, "test"),
        seed=seed,
        population=population,
        quadrature=quadrature,
        progress=progress,
    )


def make_episodes_of_one(
    headset: Headset,
    user: Users,
    *,
    poses: int,
    samples: int = 64,
    seed: int,
    donning_mm: float = 4.0,
    quadrature: Quadrature | None = None,
    progress: Progress | None = None,
) -> Episodes:
    """Episodes of one user, who puts the headset on anew for every pose and keeps the eyes open.

    Gaze is uniform over the headset's field. Sensors are those of the design, without tolerances. Pose k
    depends on (seed, k), the user and the parameters, not on how many poses there are.

    Args:
        user: one row of Users.
        progress: counts poses instead of users.
    Returns:
        Episodes of one user.
    Raises:
        SimulationError: a parameter that cannot be, or not exactly one user.
    """
    _check(poses=poses, samples=samples)
    check_distances(donning_mm=donning_mm)
    if user.count != 1:
        raise SimulationError(f"cannot make episodes of one user: {user.count} users given, expected 1")
    check_exposure(headset)
    optics, gain = Optics(headset, quadrature), gains(headset)

    def draw(random: np.random.Generator) -> Draw:
        fit = donning(random, donning_mm)[None]
        gaze = random.uniform(-1, 1, (1, samples, 2)) * headset.field_deg
        return Draw(fit, gaze, gaze, *draw_moments(random, (1, samples), float(user.pupil_mm[0]), 0.0))

    readings, labels = [], []
    for first in range(0, poses, _BATCH):
        numbers = range(first, min(first + _BATCH, poses))
        draws = [draw(stream(seed, "pose", k)) for k in numbers]
        readings.append(_render(optics, user.take(np.zeros(len(draws), np.intp)), draws)[:, 0] * gain)
        labels.append(np.concatenate([one.label_deg for one in draws]).astype(np.float32))
        if progress is not None:
            progress(numbers.stop, poses)
    return Episodes(
        headset=headset.name,
        readings=np.concatenate(readings)[None],
        gaze_deg=np.concatenate(labels)[None],
        openness=np.ones((1, poses, samples), np.float32),
        noise_counts=noise_counts(headset, gain),
        seed=seed,
    )


def draw_moments(
    random: np.random.Generator, shape: tuple[int, int], pupil_mm: float, lids_share: float = BLINK_SHARE
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Openness, pupil and lid offsets of one user: (poses, samples), the same, (poses, samples, 2)."""
    poses = shape[0]
    openness = np.where(random.random(shape) < lids_share, random.random(shape), 1.0)
    luminance, arousal = pupil.draw_stretches(random, poses)
    mean = pupil.own_diameter_mm(pupil_mm + arousal, luminance)
    diameter = np.clip(mean[:, None] + random.standard_normal(shape) * pupil.MOMENT_SD_MM, *PUPIL_RANGE_MM)
    offset = random.standard_normal((poses, 1, 2)) * lids.POSE_SD_MM
    return openness, diameter, offset + random.standard_normal((*shape, 2)) * lids.MOMENT_SD_MM


def rendered_episodes(
    headset: Headset,
    draw: Callable[[np.random.Generator, float], Draw],
    *,
    count: int,
    users_seed: int,
    seed: int,
    population: Population = PEOPLE,
    quadrature: Quadrature | None,
    progress: Progress | None,
) -> Episodes:
    """Draw and render `count` users of a population in batches."""
    check_exposure(headset)
    optics, gain = Optics(headset, quadrature), gains(headset)
    users = draw_users(count, users_seed, population=population)
    readings, labels, openness = [], [], []
    for first in range(0, count, _BATCH):
        batch = users.take(slice(first, first + _BATCH))
        draws = [
            draw(stream(users_seed, "episode", first + k), float(batch.pupil_mm[k]))
            for k in range(batch.count)
        ]
        devices = [Device(headset, users_seed, first + k) for k in range(batch.count)]
        readings.append(_as_built(_render(optics, batch, draws) * gain, devices))
        labels.append(np.stack([one.label_deg for one in draws]).astype(np.float32))
        openness.append(np.stack([one.openness for one in draws]).astype(np.float32))
        if progress is not None:
            progress(first + batch.count, count)
    return Episodes(
        headset=headset.name,
        readings=np.concatenate(readings),
        gaze_deg=np.concatenate(labels),
        openness=np.concatenate(openness),
        noise_counts=noise_counts(headset, gain),
        seed=seed,
    )


def _as_built(readings: NDArray[np.float32], devices: Sequence[Device]) -> NDArray[np.float32]:
    """(users, poses, samples, sensors) readings as each user's own device gives them."""
    gain = np.stack([device.gain for device in devices])
    offset = np.stack([device.offset_counts for device in devices])
    return readings * gain[:, None, None] + offset[:, None, None]


def _render(optics: Optics, users: Users, draws: Sequence[Draw]) -> NDArray[np.float32]:
    """(users, poses, samples, sensors) irradiance."""
    poses = len(draws[0].fits)
    each = users.take(np.repeat(np.arange(users.count), poses))
    fits = np.concatenate([one.fits for one in draws])
    states = eye_states(
        each,
        roll_deg=fits[:, 3],
        gaze_deg=np.concatenate([one.gaze_deg for one in draws]),
        openness=np.concatenate([one.openness for one in draws]),
        pupil_mm=np.concatenate([one.pupil_mm for one in draws]),
        lid_offset_mm=np.concatenate([one.lid_offset_mm for one in draws]),
    )
    irradiance = render(optics, each, pose_rows(fits[:, :3], fits[:, 3]), states)
    return irradiance.reshape(users.count, poses, *irradiance.shape[1:])


def _check(**counts: int) -> None:
    for name, value in counts.items():
        if value < 1:
            raise SimulationError(f"cannot make episodes: {name} is {value}, expected at least 1")
