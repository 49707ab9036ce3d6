"""A headset that was built: as its file says but for small errors, and what it reads of people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.headset import Headset, Point, Sensor
from psog.recording import Recording, joined
from psog.sim.config import SimulationConfig
from psog.sim.episodes import make_test_episodes
from psog.sim.live import LiveEye
from psog.sim.movement import EyeSamples
from psog.sim.people import PEOPLE, Population
from psog.sim.population import draw_users
from psog.sim.simulate import SEEN_OPENNESS, SLIP_EVERY_S, simulate_shard
from psog.sim.streams import derived_seed, stream
from psog.sim.tasks import viewer
from psog.sim.wear import Wear

PLACE_MM = 0.3
"""Parts sit up to so far from where they should, along each axis; a weak value."""
AIM_DEG = 3.0
"""Parts aim up to so far beside, about each of two axes; a weak value."""
LOBE_SHARE = 0.15
"""Exponents of lobes differ by up to this share; a weak value."""
GAIN_SD = 0.05
"""Gains of sensors scatter by this share, cut at three SD; a weak value."""
WEAR_MM = 2.0
"""Headsets are put on, and then slip every ten seconds, by up to this much."""


@dataclass(frozen=True)
class Built:
    """One headset that was built, under the name of its file.

    Attributes:
        headset: where its parts really are.
        gain: (sensors,) over that of the file.
        population: of those who are tested with it.
    """

    headset: Headset
    gain: NDArray[np.float32]
    population: Population = PEOPLE

    def record(self, users: int, seconds: float, seed: int, rate_hz: float | None = None) -> Recording:
        """Users who look around while the headset slips.

        Args:
            rate_hz: of the headset's file unless given. Of a pose 256 samples are learnt from
                (psog.net.adapt_episodes), so 100 Hz is as good and costs a tenth.
        """
        headset = self.headset if rate_hz is None else self.headset.model_copy(update={"rate_hz": rate_hz})
        config = SimulationConfig(
            headset, users=users, seed=seed, seconds=seconds, wear=Wear(WEAR_MM, slip_mm=WEAR_MM)
        )
        parts = [part for shard in range(config.shards) for part in simulate_shard(config, shard)]
        return self._gained(joined(parts))

    def test(self, users: int, seed: int, slips_mm: tuple[float, ...]) -> Episodes:
        """Other users, who calibrate with 9 points and then wear the headset."""
        episodes = make_test_episodes(
            self.headset, users=users, seed=seed, slips_mm=slips_mm, population=self.population
        )
        return replace(
            episodes, readings=episodes.readings * self.gain, noise_counts=episodes.noise_counts * self.gain
        )

    def record_tested(self, user: int, seconds: float, seed: int) -> Recording:
        """User number `user` of `test`, who looked around on another day."""
        headset = self.headset
        users = draw_users(1, derived_seed(seed, "test"), first=user, population=self.population)
        eye = LiveEye(headset, users, 0, seed, number=user)
        eye.don(WEAR_MM)
        put_on = eye.fit
        viewing = viewer("viewing", headset.rate_hz, headset.field_deg, seed, index=user)
        samples = viewing.advance(round(seconds * headset.rate_hz))
        step = round(SLIP_EVERY_S * headset.rate_hz)
        slips = stream(seed, "slips", user)
        parts = []
        for first in range(0, len(samples.event), step):
            rows = slice(first, first + step)
            eye.place(put_on)
            eye.slip(slips.uniform(0, WEAR_MM))
            parts.append(_rows(headset, eye, samples, rows))
        return self._gained(joined(parts))

    def _gained(self, recording: Recording) -> Recording:
        highest = self.headset.adc.full_scale - 1
        return replace(recording, readings=np.rint(recording.readings * self.gain).clip(0, highest))


def _rows(headset: Headset, eye: LiveEye, samples: EyeSamples, rows: slice) -> Recording:
    """What `eye` reads in some rows of a movement, with the truth."""
    t_us = np.rint(np.arange(len(samples.event))[rows] * 1e6 / headset.rate_hz).astype(np.int64)
    readings = eye.read(samples.gaze_deg[rows], samples.openness[rows])
    columns: dict[str, NDArray[Any]] = {
        "gaze_h_deg": samples.gaze_deg[rows, 0],
        "gaze_v_deg": samples.gaze_deg[rows, 1],
        "shift_x_mm": eye.fits[:, 0],
        "shift_y_mm": eye.fits[:, 1],
        "openness": samples.openness[rows],
        "event": samples.event[rows],
        "valid": samples.openness[rows] >= SEEN_OPENNESS,
    }
    return Recording(headset.name, t_us, readings, columns)


def built(headset: Headset, seed: int) -> Built:
    """A headset with build errors drawn from `seed`; its housing and electronics are as the file says."""
    random = stream(seed, "build")
    sensors = tuple(_sensor(sensor, random) for sensor in headset.sensors)
    changed: dict[str, object] = {"sensors": sensors}
    if headset.lobes is not None:
        of_parts = headset.lobes.model_dump()
        factor = 1 + random.uniform(-LOBE_SHARE, LOBE_SHARE, len(of_parts))
        changed["lobes"] = type(headset.lobes)(
            **{name: of_parts[name] * factor[k] for k, name in enumerate(of_parts)}
        )
    scatter = random.standard_normal(headset.sensor_count).clip(-3, 3)
    return Built(headset.model_copy(update=changed), (1 + GAIN_SD * scatter).astype(np.float32))


def as_designed(headset: Headset) -> Built:
    """The headset that the file describes."""
    return Built(headset, np.ones(headset.sensor_count, np.float32))


def _sensor(sensor: Sensor, random: np.random.Generator) -> Sensor:
    detector_mm, detector_aim_mm = _part(sensor.detector_mm, sensor.detector_aim_mm, random)
    emitter_mm, emitter_aim_mm = _part(sensor.emitter_mm, sensor.emitter_aim_mm, random)
    return Sensor(
        detector_mm=detector_mm,
        detector_aim_mm=detector_aim_mm,
        emitter_mm=emitter_mm,
        emitter_aim_mm=emitter_aim_mm,
    )


def _part(at: Point, aim: Point, random: np.random.Generator) -> tuple[Point, Point]:
    """Where a part sits and aims, in fact."""
    moved_mm = random.uniform(-PLACE_MM, PLACE_MM, 3)
    way = np.subtract(aim, at)
    across = np.cross(way, np.eye(3)[np.abs(way).argmin()])
    across /= np.linalg.norm(across)
    other = np.cross(way, across) / np.linalg.norm(way)
    turn = np.tan(np.deg2rad(random.uniform(-AIM_DEG, AIM_DEG, 2))) * np.linalg.norm(way)
    new_at, new_aim = at + moved_mm, aim + moved_mm + turn[0] * across + turn[1] * other
    return _point(new_at), _point(new_aim)


def _point(place: NDArray[np.float64]) -> Point:
    x, y, z = place
    return (float(x), float(y), float(z))
