"""A headset's emitters and detectors where they are in a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.headset import Headset

EMITTER_RADIUS_MM = 1.0
"""Of the emitting disc: that of a small package."""


@dataclass(frozen=True)
class Beams:
    """A headset's sensors in head axes.

    Attributes:
        table: (12, sensors) detector position (mm) and aim (unit vector), emitter position and aim.
        detector_exponent, emitter_exponent: of the lobes cosⁿ.
        emitter_radius_mm: of the discs that the emitters are.
    """

    table: NDArray[np.float64]
    detector_exponent: float
    emitter_exponent: float
    emitter_radius_mm: float = EMITTER_RADIUS_MM

    @classmethod
    def of(cls, headset: Headset, pose: NDArray[np.floating]) -> Self:
        """
        Args:
            pose: (4,) a row of `psog.sim.render.pose_rows`.
        Raises:
            SimulationError: lobes that are tables.
        """
        exponents = [lobe.exponent for lobe in (headset.detector_lobe, headset.emitter_lobe)]
        if None in exponents:
            raise SimulationError(f"cannot path-trace {headset.name}: its lobes are tables, not exponents")
        shift, (c, s) = pose[:3], (np.cos(pose[3]), np.sin(pose[3]))
        roll = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        rows = []
        for part in ("detector", "emitter"):
            at = np.array([getattr(sensor, f"{part}_mm") for sensor in headset.sensors])
            aim = np.array([getattr(sensor, f"{part}_aim_mm") for sensor in headset.sensors]) - at
            aim /= np.linalg.norm(aim, axis=1, keepdims=True)
            rows += [roll @ (at + shift).T, roll @ aim.T]
        return cls(np.concatenate(rows), float(exponents[0] or 0), float(exponents[1] or 0))
