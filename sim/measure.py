"""How fast the simulator is, and how far its quadrature is from a fine one."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.headset import Headset
from psog.sim.cores import available_cores
from psog.sim.population import Users, draw_users
from psog.sim.render import FINE, FIRST_ORDER, TABLES_PAY, Effects, Optics, Quadrature, pose_rows, render
from psog.sim.state import eye_states
from psog.sim.streams import stream

_SHIFT_MM, _ROLL_DEG = np.array([3.0, 3.0, 1.5]), 3.0
_PUPIL_MM, _LID_SD_MM = (2.0, 8.0), 0.2
_CHECKED_POSES, _CHECKED_SAMPLES = 100, 16
POSES_A_USER = 64
"""Where every sample has a pose of its own."""

Scenes = tuple[Users, NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Figures:
    """What `psog bench sim` reports.

    Attributes:
        samples_per_s, samples_per_cpu_s: samples (readings of all sensors) per second of time and of work.
        cores: that took part.
        quadrature_error: rms difference to FINE over all readings, over their mean.
        quadrature_error_worst: the same for the worst sensor.
        sensors: read by each sample.
        samples_per_pose: for which tables are made once.
    """

    samples_per_s: int
    samples_per_cpu_s: int
    cores: int
    quadrature_error: float
    quadrature_error_worst: float
    sensors: int
    samples_per_pose: int


def measure(
    headset: Headset,
    *,
    poses: int,
    samples: int,
    seed: int,
    quadrature: Quadrature | None = None,
    effects: Effects = FIRST_ORDER,
) -> Figures:
    """Render `poses` users with `samples` each, the clock running, and some more against FINE.

    With one sample a pose there are no tables, and the users take turns of POSES_A_USER poses.

    Raises:
        SimulationError: nothing to render.
    """
    if min(poses, samples) < 1:
        raise SimulationError(f"cannot measure {poses} poses of {samples} samples; expected at least 1 each")
    optics = Optics(headset, quadrature, effects)
    tables = samples >= TABLES_PAY
    mean, worst = _errors(optics, headset, seed, tables=tables)
    timed = random_scenes(headset, poses, samples, seed + 1)
    if not tables:
        users = draw_users(-(-poses // POSES_A_USER), seed + 1)
        timed = (users.take(np.arange(poses) // POSES_A_USER), *timed[1:])
    render(optics, *random_scenes(headset, 2, samples, seed))  # compiles, if need be
    start, cpu_start = time.perf_counter(), time.process_time()
    render(optics, *timed)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return Figures(
        samples_per_s=round(poses * samples / seconds),
        samples_per_cpu_s=round(poses * samples / cpu_seconds),
        cores=available_cores(),
        quadrature_error=mean,
        quadrature_error_worst=worst,
        sensors=headset.sensor_count,
        samples_per_pose=samples,
    )


def random_scenes(headset: Headset, poses: int, samples: int, seed: int) -> Scenes:
    """Users, poses and states for `render`, with everything varied at once and eyes open."""
    random = stream(seed, "scenes")
    users = draw_users(poses, seed)
    shift, roll = random.uniform(-1, 1, (poses, 3)) * _SHIFT_MM, random.uniform(-1, 1, poses) * _ROLL_DEG
    states = eye_states(
        users,
        roll_deg=roll,
        gaze_deg=random.uniform(-1, 1, (poses, samples, 2)) * headset.field_deg,
        openness=np.ones((poses, samples)),
        pupil_mm=random.uniform(*_PUPIL_MM, (poses, samples)),
        lid_offset_mm=random.standard_normal((poses, samples, 2)) * _LID_SD_MM,
    )
    return users, pose_rows(shift, roll), states


def _errors(optics: Optics, headset: Headset, seed: int, *, tables: bool) -> tuple[float, float]:
    """Quadrature error over all sensors and of the worst one."""
    scenes = random_scenes(headset, _CHECKED_POSES, _CHECKED_SAMPLES, seed)
    found = render(optics, *scenes, tables=tables).astype(np.float64)
    fine = render(Optics(headset, FINE, optics.effects), *scenes).astype(np.float64)
    squares = ((found - fine) ** 2).mean(axis=(0, 1))
    worst = np.sqrt(squares) / fine.mean(axis=(0, 1))
    return float(np.sqrt(squares.mean()) / fine.mean()), float(worst.max())
