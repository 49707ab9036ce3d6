"""Where the parts of a headset are and what they aim at: as tensors to move, and back as a headset."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from psog.headset import Headset
from psog.sim.torch.optics import Sensors, sensors_at

POINTS = ("detector_mm", "detector_aim_mm", "emitter_mm", "emitter_aim_mm")
PARTS = (0, 2)
"""Which of them are places of parts; each is followed by what that part aims at."""
_DECIMALS = 2
"""Of a millimetre, in headset files."""


def points_of(headset: Headset) -> Tensor:
    """(4, 3, sensors) mm, in the order of POINTS."""
    rows = [[getattr(sensor, name) for sensor in headset.sensors] for name in POINTS]
    return torch.tensor(rows, dtype=torch.float64).mT.contiguous()


def sensors_from(points: Tensor, headset: Headset) -> Sensors:
    """The sensors at (4, 3, sensors) points, with the lobes and the crosstalk of the headset."""
    detector, detector_aim, emitter, emitter_aim = points
    return sensors_at(detector, detector_aim, emitter, emitter_aim, headset)


def with_points(headset: Headset, points: Tensor) -> Headset:
    """The headset with its parts at (4, 3, sensors) points, to a hundredth of a millimetre.

    Raises:
        ValueError: what no headset can be (pydantic's ValidationError).
    """
    sensors = []
    for k, sensor in enumerate(headset.sensors):
        at = {name: _rounded(points[i, :, k]) for i, name in enumerate(POINTS)}
        sensors.append(sensor.model_copy(update=at))
    return checked(headset, sensors=tuple(sensors))


def checked(headset: Headset, **changes: object) -> Headset:
    """The headset with changes, put through all checks of a headset file."""
    fields = {name: getattr(headset, name) for name in type(headset).model_fields} | changes
    fields["schema"] = fields.pop("schema_version")
    return Headset.model_validate(fields)


def without_sensors(headset: Headset, kept: list[int]) -> Headset:
    """The headset with the sensors `kept` alone; a cell of the grid that showed another shows the nearest."""
    places = np.array([sensor.detector_mm for sensor in headset.sensors])
    distance = np.linalg.norm(places[:, None] - places[kept], axis=2)
    nearest = distance.argmin(axis=1)
    layout = tuple(tuple(int(nearest[cell]) for cell in row) for row in headset.layout)
    return checked(headset, sensors=tuple(headset.sensors[k] for k in kept), layout=layout)


def _rounded(point: Tensor) -> tuple[float, ...]:
    return tuple(round(float(value), _DECIMALS) for value in point)
