"""Irradiance at each sensor for users, poses and eye states: the simulator's optical half."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError, SimulationError
from psog.headset import Headset
from psog.sim.cores import available_cores
from psog.sim.effects import FIRST_ORDER, Effects, effects_on
from psog.sim.native import Kernels
from psog.sim.optics import sensors_of
from psog.sim.population import Users
from psog.sim.quadrature import FINE, Quadrature, nodes
from psog.sim.state import STATE_COLUMNS
from psog.sim.surfaces import eye_shapes

__all__ = ["FINE", "FIRST_ORDER", "Effects", "Optics", "Quadrature", "pose_rows", "render", "render_user"]

Array = NDArray[np.floating]
Array32 = NDArray[np.float32]

_CLEARANCE_MM = 0.5
TABLES_PAY = 8
"""Samples per pose."""
_PARTS_PER_WORKER = 4
"""So that one slow part does not leave the other cores idle."""


class Optics:
    """A headset's sensors, the quadrature and the effects, in the form the kernels take them.

    Attributes:
        sensors, effects: what was asked for.
        kernels: that know them.
    """

    def __init__(
        self, headset: Headset, quadrature: Quadrature | None = None, effects: Effects | None = None
    ) -> None:
        """
        Args:
            effects: all of them unless given; spectacles only where the headset has room for them.
        """
        self.sensors = sensors_of(headset)
        self.effects = effects_on(headset, effects or Effects())
        self.kernels = Kernels(self.sensors, nodes(quadrature or Quadrature()), self.effects)

    @property
    def sensor_count(self) -> int:
        return int(self.sensors.count)


def pose_rows(shift_mm: Array, roll_deg: Array) -> Array32:
    """(m, 4) poses for `render` from (m, 3) shift and (m,) roll of the headset against the head.

    Raises:
        SimulationError: values that are not finite.
    """
    pose = np.concatenate([shift_mm, np.deg2rad(roll_deg)[:, None]], axis=1)
    if not np.isfinite(pose).all():
        raise SimulationError("cannot place the headset: shift and roll must be finite numbers")
    return pose.astype(np.float32)


def render(
    optics: Optics, users: Users, pose: Array32, states: Array32, *, tables: bool | None = None
) -> Array32:
    """Irradiance for many users and poses at once, on all cores.

    Args:
        users: m users, one per pose.
        pose: (m, 4) from `pose_rows`.
        states: (m, n, STATE_COLUMNS) from `psog.sim.state.eye_states`.
        tables: whether to make tables for each pose, which pay from about TABLES_PAY samples per pose on;
            decided by that unless given. Either way has its own quadrature, so its own last digits.
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
    check_distance(optics, users, pose)
    eyes = eye_shapes(users, optics.effects)
    out = np.empty((*states.shape[:2], optics.sensor_count), np.float32)
    tables = states.shape[1] >= TABLES_PAY if tables is None else tables

    def work(part: slice) -> None:
        out[part] = optics.kernels.render(eyes[part], pose[part], states[part], tables=tables)

    workers = min(available_cores(), users.count)
    size = -(-users.count // (_PARTS_PER_WORKER * workers))
    parts = [slice(first, first + size) for first in range(0, users.count, size)]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, parts))
    return out


def render_user(
    optics: Optics, user: Users, pose: Array32, states: Array32, *, still: bool = False
) -> Array32:
    """Irradiance for one user: for live use, a few samples at a time.

    Args:
        user: exactly one.
        pose: (n, 4) from `pose_rows`, one for each sample; (1, 4) where the headset sits still.
        still: make tables for the one pose.
        states: (n, STATE_COLUMNS).
    Returns:
        (n, sensors) like `render`; the same however many samples are asked for at a time.
    Raises:
        SimulationError: a part of the headset would touch the eye.
    """
    check_distance(optics, user, pose)
    eye = eye_shapes(user, optics.effects)
    if still:
        rendered: Array32 = optics.kernels.render(eye, pose, states[None], tables=True)[0]
        return rendered
    eyes = np.repeat(eye, len(pose), axis=0)
    return optics.kernels.render(eyes, pose, states[:, None], tables=False)[:, 0]


def check_distance(optics: Optics, users: Users, pose: Array32) -> None:
    """Raise unless every part stays clear of every cornea, for one user or for one per pose.

    Raises:
        SimulationError: a part of the headset would touch the eye.
    """
    if len(pose) == 0:
        return
    eyes = eye_shapes(users, optics.effects)
    apex = np.broadcast_to(eyes[:, 1] + eyes[:, 2], len(pose))
    table = optics.sensors.table
    for position in (table[0:3], table[6:9]):
        distance = np.sqrt(((position[None] + pose[:, :3, None]) ** 2).sum(axis=1)).min(axis=1)
        tightest = int((distance - apex).argmin())
        if distance[tightest] < apex[tightest] + _CLEARANCE_MM:
            raise SimulationError(
                f"cannot place the headset: a sensor is {distance[tightest]:.1f} mm from the rotation centre "
                f"of an eye that reaches to {apex[tightest]:.1f} mm; move the sensors out or shift less"
            )
