"""A headset's parts in the form the kernels take: places, aims and angular responses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.parts import Lobe
from psog.sim.crosstalk import emitter_mixing

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]

_LOBE_STEPS = 512
ABREAST = 8
"""Sensors are rounded up to a multiple of this, so that loops over them fill vector registers."""


@dataclass(frozen=True)
class Response:
    """A lobe as (cos²)^whole · (cos²)^rest, so that the common exponents need products only; or as a table.

    Attributes:
        rest: 0 for even n, 0.5 for odd n, anything below 1 for other exponents.
        table: response at even steps of the cosine from 0 to 1; empty where there is an exponent.
    """

    whole: int
    rest: float
    table: Array32


@dataclass(frozen=True)
class Sensors:
    """A headset's sensors, in headset axes.

    Attributes:
        count: of sensors; the arrays have `across` of them, count rounded up, which repeat the last one.
        table: (14, across) float32: position (mm) and aim (unit vector) of the detectors, the same of the
            emitters, and two gains (1) for the kernels to change.
        steps: (k,) int32: reading s sees the emitters s + steps[k], counted round,
        mixing: (k, across) float32: and this much of each.
    """

    count: int
    table: Array32
    detector: Response
    emitter: Response
    steps: NDArray[np.int32]
    mixing: Array32


def response(lobe: Lobe) -> Response:
    """A part's lobe for the kernels."""
    if lobe.exponent is None:
        cosines = np.linspace(0, 1, _LOBE_STEPS + 1)
        return Response(0, 0.0, lobe.at(cosines).astype(np.float32))
    whole = int(lobe.exponent // 2)
    return Response(whole, lobe.exponent / 2 - whole, np.zeros(0, np.float32))


def sensors_of(headset: Headset) -> Sensors:
    """The sensors, each with the emitters it sees."""
    count = headset.sensor_count
    mixing = emitter_mixing(headset)
    sensor = np.arange(count)
    steps = np.array([k for k in range(count) if mixing[sensor, (sensor + k) % count].any()], np.int32)
    shares = np.stack([mixing[sensor, (sensor + k) % count] for k in steps])
    spare = -count % ABREAST
    return Sensors(
        count,
        np.pad(_part_table(headset), ((0, 0), (0, spare)), mode="edge").astype(np.float32),
        response(headset.detector_lobe),
        response(headset.emitter_lobe),
        steps,
        np.pad(shares, ((0, 0), (0, spare))).astype(np.float32),
    )


def placed_table(headset: Headset, pose: Array32) -> Array:
    """(12, sensors) detector position (mm) and aim (unit vector), emitter position and aim, in head axes.

    Args:
        pose: (4,) a row of `psog.sim.render.pose_rows`.
    """
    shift, roll = pose[:3].astype(np.float64), float(pose[3])
    turn = np.array([[np.cos(roll), -np.sin(roll), 0.0], [np.sin(roll), np.cos(roll), 0.0], [0.0, 0.0, 1.0]])
    table = _part_table(headset)
    moved = [
        turn @ (table[k : k + 3] + moves * shift[:, None])
        for k, moves in zip((0, 3, 6, 9), (1, 0, 1, 0), strict=True)
    ]
    return np.concatenate(moved)


def _part_table(headset: Headset) -> Array:
    """(14, sensors) as in `Sensors.table`."""
    parts = []
    for at, aim in (("detector_mm", "detector_aim_mm"), ("emitter_mm", "emitter_aim_mm")):
        position = np.array([getattr(sensor, at) for sensor in headset.sensors], dtype=np.float64)
        direction = np.array([getattr(sensor, aim) for sensor in headset.sensors]) - position
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        parts += [position.T, direction.T]
    return np.concatenate([*parts, np.ones((2, headset.sensor_count))])
