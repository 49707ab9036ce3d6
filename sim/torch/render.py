"""Irradiance at each sensor for users, poses and eye states, in torch; see `psog.sim.render`."""

from __future__ import annotations

import torch
from torch import Tensor

from psog.errors import ShapeError
from psog.headset import Headset
from psog.sim.effects import Effects, effects_on
from psog.sim.quadrature import Quadrature
from psog.sim.state import STATE_COLUMNS
from psog.sim.torch.nodes import Nodes, nodes
from psog.sim.torch.optics import Sensors, place_sensors, sensors_of
from psog.sim.torch.sample import render_samples
from psog.sim.torch.surfaces import Columns, eye_shape
from psog.sim.torch.tables import Tables, prepare


class TorchOptics:
    """A headset's sensors and the quadrature as tensors of one dtype on one device.

    Attributes:
        effects: beyond the first order; all of them unless given, as in `psog.sim.render.Optics`;
            spectacles only where the headset has room for them.
        sensors: may be replaced by others, for example by ones whose places require a gradient.
    """

    def __init__(
        self,
        headset: Headset,
        quadrature: Quadrature | None = None,
        effects: Effects | None = None,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        self.effects = effects_on(headset, effects or Effects())
        self.sensors: Sensors = sensors_of(headset, dtype, device)
        self.nodes: Nodes = nodes(quadrature or Quadrature(), dtype, device)


def render(optics: TorchOptics, users: Columns, pose: Tensor, states: Tensor) -> Tensor:
    """Irradiance for many users and poses at once; differentiable in every argument and in the sensors.

    Args:
        users: (m,) each, from `user_columns`.
        pose: (m, 4) shift (mm) and roll (radians), one per user.
        states: (m, n, 6) from `eye_states`.
    Returns:
        (m, n, sensors) W/mm² per W/sr of the sensor's emitter, as from `psog.sim.render.render`.
    Raises:
        ShapeError: the arguments do not match.
    """
    count = len(users["eye_radius_mm"])
    if pose.shape != (count, 4) or states.ndim != 3 or states.shape[::2] != (count, STATE_COLUMNS):
        raise ShapeError(
            f"rendering {count} users: poses have shape {tuple(pose.shape)}, states {tuple(states.shape)}; "
            f"expected ({count}, 4) and ({count}, n, {STATE_COLUMNS})"
        )

    def one(user: Columns, pose: Tensor, states: Tensor) -> Tensor:
        return render_one(optics, user, pose, states)

    return torch.vmap(one)(users, pose, states)


def render_one(
    optics: TorchOptics, user: Columns, pose: Tensor, states: Tensor, tables: Tables | None = None
) -> Tensor:
    """(n, sensors) of one user in one pose: () each, (4,), (n, 6); with `tables` where they are known."""
    eye = eye_shape(user, optics.effects)
    placed = place_sensors(optics.sensors, eye, pose, optics.effects)
    tables = prepare(placed, optics.nodes, eye) if tables is None else tables
    return render_samples(placed, optics.nodes, eye, optics.effects, tables=tables, states=states)


def tables_of(optics: TorchOptics, user: Columns, pose: Tensor) -> Tables:
    """What `render_one` makes first: it does not depend on states."""
    eye = eye_shape(user, optics.effects)
    return prepare(place_sensors(optics.sensors, eye, pose, optics.effects), optics.nodes, eye)
