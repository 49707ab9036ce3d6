"""Recordings of simulated users: at a task, or the eye movement of a recorded trace.

Shard k of a recording is a function of (config, k) alone, so shards can be made anywhere and in any order
(`psog.sim.production` does). It comes in parts, so a long stretch never is in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import psog
from psog.recording import Recording, joined
from psog.sim.config import SimulationConfig
from psog.sim.cores import available_cores
from psog.sim.live import LiveEye
from psog.sim.movement import EyeSamples
from psog.sim.population import draw_users
from psog.sim.replay import ReplayedMovement, eye_samples
from psog.sim.slippage import motion_named
from psog.sim.streams import derived_seed, stream
from psog.sim.tasks import viewer

SLIP_EVERY_S = 10.0
"""How often the headset slips."""
USERS_APART_US = 1_000_000
"""Device time between the stretches of two users."""
SEEN_OPENNESS = 0.5
"""Below this openness a sample is not valid: the pupil is covered."""
_CHUNK = 8192


class Movement(Protocol):
    """How an eye moves; keeps its state from call to call."""

    def advance(self, count: int) -> EyeSamples:
        """The next `count` samples."""


def simulate(config: SimulationConfig) -> Recording:
    """A whole recording in memory, on all cores: the stretches of its users, one after the other in time.

    Raises:
        SimulationError, RecordingError: what the config asks for is impossible.
    """
    with ThreadPoolExecutor(available_cores()) as pool:
        shards = pool.map(lambda shard: list(simulate_shard(config, shard)), range(config.shards))
        return joined([part for shard in shards for part in shard])


def simulate_shard(config: SimulationConfig, shard: int) -> Iterator[Recording]:
    """Shard number `shard` of a recording, in parts of bounded size, by one core.

    Raises:
        SimulationError, RecordingError: no such shard, or what the config asks for is impossible.
    """
    script = _script(config)
    origin = provenance(config)
    for user in config.users_of(shard):
        for columns in _stretch(config, user, script):
            yield Recording(
                headset=config.headset.name,
                t_us=columns.pop("t_us"),
                readings=columns.pop("readings"),
                columns=columns,
                provenance=origin,
            )


def provenance(config: SimulationConfig) -> dict[str, Any]:
    """What a recording says of where it comes from."""
    return {"made_by": f"psog {psog.__version__} simulator", **config.provenance()}


@dataclass(frozen=True)
class _Script:
    """What each user does, and when.

    Attributes:
        span_us: from the first to the last sample of a stretch.
        times: device time (n,) of samples first to stop - 1 since the stretch began.
        movement: how the eye of user k moves, on side ±1.
    """

    span_us: int
    times: Callable[[int, int], NDArray[np.int64]]
    movement: Callable[[int, float], Movement]


def _script(config: SimulationConfig) -> _Script:
    if config.trace is not None:
        trace = config.trace.read()
        samples = eye_samples(trace)
        return _Script(
            span_us=int(trace.t_us[-1] - trace.t_us[0]),
            times=lambda first, stop: trace.t_us[first:stop],
            movement=lambda _user, _side: ReplayedMovement(samples),
        )

    def times(first: int, stop: int) -> NDArray[np.int64]:
        t_us = np.arange(first, stop) * (1e6 / config.headset.rate_hz)
        return np.asarray(np.rint(t_us), dtype=np.int64)

    def movement(user: int, side: float) -> Movement:
        headset = config.headset
        return viewer(config.task, headset.rate_hz, headset.field_deg, config.seed, index=user, side=side)

    last = config.samples_per_user - 1
    return _Script(span_us=int(times(last, last + 1)[0]), times=times, movement=movement)


def _stretch(config: SimulationConfig, user: int, script: _Script) -> Iterator[dict[str, NDArray[Any]]]:
    """One user's readings and truth, part by part; all columns (n,) but readings (n, sensors)."""
    seed = derived_seed(config.seed, "recording")
    users = draw_users(1, seed, first=user, population=config.population)
    motion = motion_named(config.wear.motion)
    eye = LiveEye(config.headset, users, 0, config.seed, number=user, ambient=config.ambient, motion=motion)
    eye.don(config.wear.donning_mm)
    slips = stream(config.seed, "slips", user)
    movement = script.movement(user, float(users.side[0]))
    start_us = user * (script.span_us + USERS_APART_US)
    put_on = eye.fit
    slip_mm = config.wear.slip_mm
    step = max(round(SLIP_EVERY_S * config.headset.rate_hz), 1) if slip_mm > 0 else _CHUNK
    for first in range(0, config.samples_per_user, step):
        stop = min(first + step, config.samples_per_user)
        if first > 0 and slip_mm > 0:
            eye.place(put_on)
            eye.slip(slips.uniform(0, slip_mm))
        samples = movement.advance(stop - first)
        yield {"t_us": start_us + script.times(first, stop), **_rows(eye, samples, user)}


def _rows(eye: LiveEye, samples: EyeSamples, user: int) -> dict[str, NDArray[Any]]:
    """What the headset reads during some samples, with the truth."""
    count = len(samples.event)
    readings = eye.read(samples.gaze_deg, samples.openness)
    return {
        "readings": readings,
        "gaze_h_deg": samples.gaze_deg[:, 0],
        "gaze_v_deg": samples.gaze_deg[:, 1],
        **{
            name: eye.fits[:, k]
            for k, name in enumerate(("shift_x_mm", "shift_y_mm", "shift_z_mm", "roll_deg"))
        },
        "pupil_mm": eye.pupil_mm,
        "openness": samples.openness,
        "event": samples.event,
        "user": np.full(count, user, dtype=np.int32),
        "session": np.zeros(count, dtype=np.int32),
        "valid": samples.openness >= SEEN_OPENNESS,
    }
