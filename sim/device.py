"""One device of a design: its sensors are not quite alike, and its offsets wander."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset, Point, Sensor
from psog.sim.streams import stream

_CUT_SD = 3.0
"""Parts further off than this are sorted out."""
_HOUR_S = 3600.0


class Device:
    """Gain, aim and offset of one device's sensors, drawn from (seed, index) alone.

    Attributes:
        gain: (sensors,) of each sensor over that of the design.
        offset_counts: (sensors,) what each reads without light.
        headset: with the aims of this device.
    """

    def __init__(self, headset: Headset, seed: int, index: int) -> None:
        random = stream(seed, "device", index)
        tolerance, count = headset.tolerance, headset.sensor_count
        draws = np.clip(random.standard_normal((count, 6)), -_CUT_SD, _CUT_SD)
        self.gain = (1 + tolerance.gain_sd * draws[:, 0]).astype(np.float32)
        self.offset_counts = (tolerance.offset_sd_counts * draws[:, 1]).astype(np.float32)
        self.headset = _aimed(headset, np.deg2rad(tolerance.aim_sd_deg) * draws[:, 2:])
        self._steps = stream(seed, "drift", index)
        self._step = tolerance.drift_counts_rthour / np.sqrt(_HOUR_S * headset.rate_hz)
        self._drift = np.zeros(count)

    def drift_counts(self, count: int) -> NDArray[np.floating]:
        """(count, sensors) how far each offset has wandered at the next samples: a random walk."""
        if self._step == 0:
            return np.zeros((count, len(self._drift)), np.float32)
        steps = self._steps.standard_normal((count, len(self._drift))) * self._step
        walk = self._drift + np.cumsum(steps, axis=0)
        if count > 0:
            self._drift = walk[-1]
        return np.asarray(walk)


def _aimed(headset: Headset, tilt: NDArray[np.float64]) -> Headset:
    """The headset with tilted parts.

    Args:
        tilt: (sensors, 4) radians about two axes across the aim, of each detector and each emitter.
    """
    if not tilt.any():
        return headset
    sensors = tuple(
        Sensor(
            detector_mm=sensor.detector_mm,
            detector_aim_mm=_tilted(sensor.detector_mm, sensor.detector_aim_mm, angles[:2]),
            emitter_mm=sensor.emitter_mm,
            emitter_aim_mm=_tilted(sensor.emitter_mm, sensor.emitter_aim_mm, angles[2:]),
        )
        for sensor, angles in zip(headset.sensors, tilt, strict=True)
    )
    return headset.model_copy(update={"sensors": sensors})


def _tilted(at: Point, aim: Point, angles: NDArray[np.float64]) -> Point:
    """Where a part aims after small turns (2,) about two axes across its aim."""
    way = np.subtract(aim, at)
    least = np.eye(3)[np.abs(way).argmin()]
    across = np.cross(way, least)
    across /= np.linalg.norm(across)
    other = np.cross(way, across) / np.linalg.norm(way)
    x, y, z = at + way + np.linalg.norm(way) * (np.tan(angles[0]) * across + np.tan(angles[1]) * other)
    return (float(x), float(y), float(z))
