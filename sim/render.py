"""Irradiance at each sensor for users, poses and eye states: the simulator's optical half."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError, SimulationError
from psog.headset import Headset
from psog.sim.compiled import compiled
from psog.sim.cores import available_cores
from psog.sim.optics import Sensors, sensors_of
from psog.sim.population import Users
from psog.sim.quadrature import FINE, Nodes, Quadrature, nodes
from psog.sim.sample import render_samples
from psog.sim.state import STATE_COLUMNS
from psog.sim.surfaces import eye_shapes
from psog.sim.tables import Tables, prepare

__all__ = ["FINE", "Optics", "Quadrature", "Scene", "pose_rows", "render"]

Array = NDArray[np.floating]
Array32 = NDArray[np.float32]

_CLEARANCE_MM = 0.5
_PARTS_PER_WORKER = 4
"""So that one slow part does not leave the other cores idle."""


class Optics:
    """A headset's sensors and the quadrature, in the form the kernels take."""

    def __init__(self, headset: Headset, quadrature: Quadrature | None = None) -> None:
        self.sensors: Sensors = sensors_of(headset)
        self.nodes: Nodes = nodes(quadrature or Quadrature())

    @property
    def sensor_count(self) -> int:
        return int(self.sensors.table.shape[1])


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
    _check_distance(optics, users, pose)
    out = np.empty((*states.shape[:2], optics.sensor_count), np.float32)
    states = np.ascontiguousarray(states)

    def work(part: slice) -> None:
        _render(optics.sensors, optics.nodes, (eyes[part], pose[part]), states[part], out[part])

    workers = min(available_cores(), users.count)
    size = -(-users.count // (_PARTS_PER_WORKER * workers))
    parts = [slice(first, first + size) for first in range(0, users.count, size)]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, parts))
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
        _check_distance(optics, user, pose)
        self._optics = optics
        self._tables = _prepare(optics.sensors, optics.nodes, eye_shapes(user)[0], pose[0])

    def render(self, states: Array32) -> Array32:
        """(n, STATE_COLUMNS) eye states to (n, sensors) irradiance like `render`."""
        out = np.empty((len(states), self._optics.sensor_count), np.float32)
        _render_one(self._optics.sensors, self._optics.nodes, self._tables, states, out)
        return out


@compiled
def _prepare(sensors: Sensors, nodes: Nodes, eye: Array32, pose: Array32) -> Tables:
    return prepare(sensors, nodes, eye, pose)


@compiled
def _render_one(sensors: Sensors, nodes: Nodes, tables: Tables, states: Array32, out: Array32) -> None:
    render_samples(sensors, nodes, tables, states, out)


@compiled
def _render(
    sensors: Sensors, nodes: Nodes, eyes_and_poses: tuple[Array32, Array32], states: Array32, out: Array32
) -> None:
    eyes, poses = eyes_and_poses
    for m in range(len(eyes)):
        tables = prepare(sensors, nodes, eyes[m], poses[m])
        render_samples(sensors, nodes, tables, states[m], out[m])


def _check_distance(optics: Optics, users: Users, pose: Array32) -> None:
    """Raise unless every part stays clear of every cornea."""
    eyes = eye_shapes(users)
    apex = eyes[:, 1] + eyes[:, 2]
    table = optics.sensors.table
    for position in (table[0:3], table[6:9]):
        distance = np.sqrt(((position[None] + pose[:, :3, None]) ** 2).sum(axis=1)).min(axis=1)
        tightest = int((distance - apex).argmin())
        if distance[tightest] < apex[tightest] + _CLEARANCE_MM:
            raise SimulationError(
                f"cannot place the headset: a sensor is {distance[tightest]:.1f} mm from the rotation centre "
                f"of an eye that reaches to {apex[tightest]:.1f} mm; move the sensors out or shift less"
            )
