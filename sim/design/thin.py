"""Fewer sensors: leave out those whose loss costs least."""

from __future__ import annotations

import torch

from psog.errors import SimulationError
from psog.headset import Headset
from psog.sim.bound.survey import Scene
from psog.sim.design.layout import points_of
from psog.sim.design.objective import Aim, Objective
from psog.sim.quadrature import Quadrature

_USERS, _GAZES = 8, 3


def most_useful(headset: Headset, aim: Aim, count: int, quadrature: Quadrature | None = None) -> list[int]:
    """Indices of the `count` sensors that are left when, one after another, the least useful one goes.

    Raises:
        SimulationError: fewer than one sensor, or more than there are.
    """
    if not 1 <= count <= headset.sensor_count:
        raise SimulationError(
            f"cannot design {headset.name} with {count} sensors; expected 1 to {headset.sensor_count}"
        )
    objective, points = Objective(headset, aim, gazes=_GAZES, quadrature=quadrature), points_of(headset)
    kept = list(range(headset.sensor_count))
    if count == len(kept):
        return kept
    with torch.no_grad():
        scenes = objective.scenes(points, 0, _USERS)
        while len(kept) > count:
            without = {k: _mean(objective, scenes, [s for s in kept if s != k]) for k in kept}
            kept.remove(min(kept, key=without.__getitem__))
    return kept


def _mean(objective: Objective, scenes: list[Scene], kept: list[int]) -> float:
    """The objective with the sensors `kept` alone: crosstalk with the others stays."""
    return float(
        objective.mean([Scene(scene.calibration[:, kept], [scene.use[0][:, kept]]) for scene in scenes])
    )
