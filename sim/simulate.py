"""Recordings of simulated users: at a task, or the eye movement of a recorded trace."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import psog
from psog.errors import SimulationError
from psog.headset import Headset
from psog.recording import Recording
from psog.sim.ambient import DARK, Ambient
from psog.sim.cores import available_cores
from psog.sim.fits import check_distances
from psog.sim.live import LiveEye
from psog.sim.movement import EyeSamples
from psog.sim.population import Users, draw_users
from psog.sim.replay import eye_samples
from psog.sim.safety import check_exposure
from psog.sim.streams import derived_seed, stream
from psog.sim.tasks import task_named, viewer
from psog.third_party import GazeTrace

SLIP_EVERY_S = 10.0
"""How often the headset slips."""
USERS_APART_US = 1_000_000
"""Device time between the stretches of two users."""
SEEN_OPENNESS = 0.5
"""Below this openness a sample is not valid: the pupil is covered."""
_CHUNK = 8192

Progress = Callable[[int, int], None]
"""Called with (users done, users in all)."""


@dataclass(frozen=True)
class Wear:
    """How the headset sits in a recording.

    Attributes:
        donning_mm: it is put on up to this far from the nominal place in x and y, half that in z.
        slip_mm: every SLIP_EVERY_S it slips to within this distance of where it was put on.
    """

    donning_mm: float = 2.0
    slip_mm: float = 0.0

    def __post_init__(self) -> None:
        check_distances(donning_mm=self.donning_mm, slip_mm=self.slip_mm)


def simulate(
    headset: Headset,
    *,
    users: int,
    seconds: float,
    seed: int,
    task: str = "viewing",
    wear: Wear | None = None,
    ambient: Ambient = DARK,
    progress: Progress | None = None,
) -> Recording:
    """Users who do a task of `psog.sim.tasks` over the headset's field, and blink.

    Returns:
        One stretch per user, one after the other, at the headset's rate; user k depends on (seed, k).
    Raises:
        SimulationError: no users, no time, or no such task.
    """
    if not 0 < seconds < np.inf:
        raise SimulationError(f"cannot simulate {seconds} seconds; expected more than 0")
    count = max(round(seconds * headset.rate_hz), 1)
    t_us = np.rint(np.arange(count) * (1e6 / headset.rate_hz)).astype(np.int64)

    task_named(task)

    def view(user: int) -> EyeSamples:
        return viewer(task, headset.rate_hz, headset.field_deg, seed, index=user).advance(count)

    origin = {"source": "simulated task", "task": task, "seconds": seconds}
    return _record(headset, _People(users, seed, wear or Wear(), ambient, view), t_us, origin, progress)


def replay(
    headset: Headset,
    trace: GazeTrace,
    *,
    users: int = 1,
    seed: int,
    wear: Wear | None = None,
    ambient: Ambient = DARK,
    progress: Progress | None = None,
) -> Recording:
    """Users whose eyes move as in a recorded trace, sampled at the trace's own times.

    Returns:
        One stretch per user, one after the other; the first has exactly the trace's times. `valid` is
        false where the tracker had lost the eye or the lid covers the pupil.
    Raises:
        SimulationError: no users, or a trace that cannot be replayed.
    """
    samples = eye_samples(trace)
    people = _People(users, seed, wear or Wear(), ambient, lambda _: samples)
    return _record(headset, people, trace.t_us, {"source": "replayed trace", "trace": trace.name}, progress)


@dataclass(frozen=True)
class _People:
    """Who is recorded: how many users of which seed, how they wear it, in what light, and how user k's eye
    moves."""

    count: int
    seed: int
    wear: Wear
    ambient: Ambient
    movement: Callable[[int], EyeSamples]


def _record(
    headset: Headset,
    people: _People,
    t_us: NDArray[np.int64],
    origin: dict[str, Any],
    progress: Progress | None,
) -> Recording:
    """All users' stretches, simulated on all cores, one after the other in time."""
    check_exposure(headset)
    users = draw_users(people.count, derived_seed(people.seed, "recording"))
    span_us = int(t_us[-1] - t_us[0]) + USERS_APART_US

    def one(user: int) -> dict[str, NDArray[Any]]:
        return _stretch(headset, users, user, people) | {"t_us": t_us + user * span_us}

    stretches = []
    with ThreadPoolExecutor(available_cores()) as pool:
        for stretch in pool.map(one, range(users.count)):
            stretches.append(stretch)
            if progress is not None:
                progress(len(stretches), users.count)
    columns = {name: np.concatenate([s[name] for s in stretches]) for name in stretches[0]}
    return Recording(
        headset=headset.name,
        t_us=columns.pop("t_us"),
        readings=columns.pop("readings"),
        columns=columns,
        provenance={
            "made_by": f"psog {psog.__version__} simulator",
            "headset": headset.model_dump(mode="json", by_alias=True),
            "seed": people.seed,
            "users": people.count,
            "donning_mm": people.wear.donning_mm,
            "slip_mm": people.wear.slip_mm,
            "ambient": people.ambient.name,
            **origin,
        },
    )


def _stretch(headset: Headset, users: Users, user: int, people: _People) -> dict[str, NDArray[Any]]:
    """One user's readings and truth, all columns (n,) but readings (n, sensors)."""
    eye = LiveEye(headset, users, user, people.seed, ambient=people.ambient)
    eye.don(people.wear.donning_mm)
    slips = stream(people.seed, "slips", user)
    samples = people.movement(user)
    put_on = eye.fit
    step = max(round(SLIP_EVERY_S * headset.rate_hz), 1) if people.wear.slip_mm > 0 else _CHUNK
    readings, fits, pupil = [], [], []
    for first in range(0, len(samples.event), step):
        if first > 0 and people.wear.slip_mm > 0:
            eye.place(put_on)
            eye.slip(slips.uniform(0, people.wear.slip_mm))
        part = slice(first, first + step)
        readings.append(eye.read(samples.gaze_deg[part], samples.openness[part]))
        fits.append(np.tile(eye.fit.astype(np.float32), (len(readings[-1]), 1)))
        pupil.append(eye.pupil_mm)
    fit = np.concatenate(fits)
    return {
        "readings": np.concatenate(readings),
        "gaze_h_deg": samples.gaze_deg[:, 0],
        "gaze_v_deg": samples.gaze_deg[:, 1],
        **{name: fit[:, k] for k, name in enumerate(("shift_x_mm", "shift_y_mm", "shift_z_mm", "roll_deg"))},
        "pupil_mm": np.concatenate(pupil),
        "openness": samples.openness,
        "event": samples.event,
        "user": np.full(len(samples.event), user, dtype=np.int32),
        "session": np.zeros(len(samples.event), dtype=np.int32),
        "valid": samples.openness >= SEEN_OPENNESS,
    }
