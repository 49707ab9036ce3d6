"""Irradiance at each sensor for users, poses and eye states: the simulator's optical half."""

from __future__ import annotations

from typing import Any, cast

import numba
import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError, SimulationError
from psog.headset import Headset
from psog.sim.compiled import compiled, compiled_parallel
from psog.sim.optics import Lobe, lobe, sensor_table, sensors_in_head
from psog.sim.population import Users
from psog.sim.quadrature import FINE, Nodes, Quadrature, nodes
from psog.sim.sample import render_sample
from psog.sim.state import STATE_COLUMNS
from psog.sim.surfaces import EyeShape, eye_shape, eye_shapes
from psog.sim.tables import Tables, prepare

__all__ = ["FINE", "Optics", "Quadrature", "Scene", "pose_rows", "render"]

Array = NDArray[np.floating]
Array32 = NDArray[np.float32]


class Optics:
    """A headset's sensors and the quadrature, in the form the kernels take."""

    def __init__(self, headset: Headset, quadrature: Quadrature | None = None) -> None:
        self.sensors: Array32 = sensor_table(headset)
        self.detector: Lobe = lobe(headset.lobes.detector_exponent)
        self.emitter: Lobe = lobe(headset.lobes.emitter_exponent)
        self.nodes: Nodes = nodes(quadrature or Quadrature())

    @property
    def sensor_count(self) -> int:
        return int(self.sensors.shape[1])


def pose_rows(shift_mm: Array, roll_deg: Array) -> Array32:
    """(m, 4) poses for `render` from (m, 3) shift and (m,) roll of the headset against the head.

    Raises:
        SimulationError: values that are not finite.
    """
    pose = np.concatenate([shift_mm, np.deg2rad(roll_deg)[:, None]], axis=1)
    if not np.isfinite(pose).all():
        raise SimulationError("cannot place the headset: shift and roll must be finite numbers")
    return pose.astype(np.float32)


def render(optics: Optics, users: Users, pose: Array32, states: Array32) -> Array32:
    """Irradiance for many users and poses at once, on all cores.

    Args:
        users: m users, one per pose.
        pose: (m, 4) from `pose_rows`.
        states: (m, n, STATE_COLUMNS) from `psog.sim.state.eye_states`.
    Returns:
        (m, n, sensors) W/mm² per W/sr of the sensor's emitter.
    Raises:
        ShapeError: the arguments do not match.
        SimulationError: a part of the headset would touch the eye.
    """
    if pose.shape != (users.count, 4) or states.shape[::2] != (users.count, STATE_COLUMNS):
        raise ShapeError(
            f"rendering {users.count} users: poses have shape {pose.shape}, states {states.shape}; "
            f"expected ({users.count}, 4) and ({users.count}, n, {STATE_COLUMNS})"
        )
    eyes = eye_shapes(users)
    _check_distance(optics.sensors, pose, eyes)
    out = np.empty((*states.shape[:2], optics.sensor_count), np.float32)
    states = np.ascontiguousarray(states)
    _render(eyes, pose, states, optics.sensors, optics.detector, optics.emitter, optics.nodes, out)
    return out


class Scene:
    """One user with the headset in one pose, its tables ready: for live use, a few samples at a time."""

    def __init__(self, optics: Optics, user: Users, pose: Array32) -> None:
        """
        Args:
            user: exactly one.
            pose: (1, 4) from `pose_rows`.
        Raises:
            SimulationError: a part of the headset would touch the eye.
        """
        eyes = eye_shapes(user)
        _check_distance(optics.sensors, pose, eyes)
        self._optics = optics
        self._eye = EyeShape(*cast(Any, eyes[0]))
        self._sensors = sensors_in_head(optics.sensors, pose[0])
        self._tables: Tables = prepare(
            self._eye, self._sensors, optics.detector, optics.emitter, optics.nodes
        )

    def render(self, states: Array32) -> Array32:
        """(n, STATE_COLUMNS) eye states to (n, sensors) irradiance as from `render`."""
        out = np.empty((len(states), self._optics.sensor_count), np.float32)
        o = self._optics
        _render_one(self._eye, states, self._tables, self._sensors, o.detector, o.emitter, o.nodes, out)
        return out


@compiled
def _render_one(
    eye: EyeShape,
    states: np.ndarray,
    tables: Tables,
    sensors: np.ndarray,
    detector: Lobe,
    emitter: Lobe,
    nodes: Nodes,
    out: np.ndarray,
) -> None:
    for i in range(len(states)):
        render_sample(eye, states[i], tables, sensors, detector, emitter, nodes, out[i])


@compiled_parallel
def _render(
    eyes: np.ndarray,
    pose: np.ndarray,
    states: np.ndarray,
    sensors: np.ndarray,
    detector: Lobe,
    emitter: Lobe,
    nodes: Nodes,
    out: np.ndarray,
) -> None:
    for m in numba.prange(len(eyes)):
        eye = eye_shape(eyes[m])
        placed = sensors_in_head(sensors, pose[m])
        tables = prepare(eye, placed, detector, emitter, nodes)
        _render_one(eye, states[m], tables, placed, detector, emitter, nodes, out[m])


def _check_distance(sensors: Array32, pose: Array32, eyes: Array32) -> None:
    """Raise unless every part stays clear of the cornea and of the lids in front of it."""
    apex = (eyes[:, 1] + eyes[:, 2]).max()
    for position in (sensors[0:3], sensors[6:9]):
        moved = position[None] + pose[:, :3, None]
        nearest = float(np.sqrt((moved**2).sum(axis=1)).min())
        if nearest <= apex + _CLEARANCE_MM:
            raise SimulationError(
                f"cannot place the headset: a sensor comes within {nearest:.1f} mm of the rotation centre, "
                f"and this eye reaches to {apex:.1f} mm; move the sensors out or shift the headset less"
            )


_CLEARANCE_MM = 0.5
