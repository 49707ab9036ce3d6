"""Step by step down the gradient of the bound, within what may be built."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from psog.errors import SimulationError
from psog.headset import Headset
from psog.sim.design.layout import points_of, with_points
from psog.sim.design.limits import Limits, Room, faults, into_room, room_of
from psog.sim.design.objective import Aim, Objective
from psog.sim.quadrature import Quadrature

Progress = Callable[[int, int, float], None]
"""Called with (steps done, steps in all, running mean of the bound in degrees)."""

_GAZES = 4
_MEMORY, _SQUARES, _TINY = 0.8, 0.95, 1e-8
"""Adam's, shorter than usual for there are few steps (Kingma & Ba 2015)."""
_LAST_STEP = 0.05
"""Of the first: the steps shrink along half a cosine."""
_RUNNING = 0.9


@dataclass(frozen=True)
class Improvement:
    """A layout and the one it came from.

    Attributes:
        bound_deg: per step, of that step's users (geometric mean over users and gazes).
        light: (sensors,) what the nominal eye gives, over that of the start.
    """

    before: Headset
    after: Headset
    bound_deg: tuple[float, ...]
    light: tuple[float, ...]


def improve(
    headset: Headset,
    aim: Aim,
    limits: Limits,
    *,
    steps: int,
    users: int = 4,
    step_mm: float = 0.5,
    quadrature: Quadrature | None = None,
    progress: Progress | None = None,
) -> Improvement:
    """Move parts and aims for a lower bound. Every step sees new users: none is designed for alone.

    Args:
        users: per step.
        step_mm: how far a coordinate goes in a step at first.
    Raises:
        SimulationError: no steps or users, a headset whose parts break a limit that has nothing to do with
            how they are placed.
    """
    for name, count in (("steps", steps), ("users", users)):
        if count < 1:
            raise SimulationError(f"cannot design: {name} is {count}, expected at least 1")
    room = room_of(headset, limits)
    objective = Objective(headset, aim, gazes=_GAZES, quadrature=quadrature)
    points = points_of(headset)
    mover = _Mover(points, step_mm, steps)
    bounds: list[float] = []
    mean = 0.0
    for step in range(steps):
        value, gradient = objective.gradient(points, step * users, users)
        points = _buildable(headset, mover.moved(points, gradient, step), points, room)
        bounds.append(math.exp(value))
        mean = bounds[0] if step == 0 else _RUNNING * mean + (1 - _RUNNING) * bounds[-1]
        if progress is not None:
            progress(step + 1, steps, mean)
    after = with_points(headset, points)
    light = tuple(float(share) for share in objective.light(points_of(after)))
    return Improvement(headset, after, tuple(bounds), light)


def _buildable(headset: Headset, wanted: Tensor, last: Tensor, room: Room) -> Tensor:
    """The wanted points put into the room, or the last ones if that does not succeed."""
    points = into_room(wanted, room)
    try:
        return last if faults(with_points(headset, points), room) else points
    except ValueError:
        return last


class _Mover:
    """Adam, in the plane: z belongs to the housing."""

    def __init__(self, points: Tensor, step_mm: float, steps: int) -> None:
        self._step_mm, self._steps = step_mm, steps
        self._mean, self._square = torch.zeros_like(points), torch.zeros_like(points)

    def moved(self, points: Tensor, gradient: Tensor, step: int) -> Tensor:
        self._mean = _MEMORY * self._mean + (1 - _MEMORY) * gradient
        self._square = _SQUARES * self._square + (1 - _SQUARES) * gradient**2
        mean = self._mean / (1 - _MEMORY ** (step + 1))
        square = self._square / (1 - _SQUARES ** (step + 1))
        falling = (1 + math.cos(math.pi * step / self._steps)) / 2
        length = self._step_mm * (_LAST_STEP + (1 - _LAST_STEP) * falling)
        way: Tensor = length * mean / (square.sqrt() + _TINY)
        way[:, 2] = 0
        return points - way
