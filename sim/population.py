"""The users: eyes, lids and skin drawn from what is known about people."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.sim import anatomy
from psog.sim.streams import stream

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Users:
    """One row per user; every attribute has shape (users,). All are right eyes.

    Attributes:
        eye_radius_mm, cornea_radius_mm, iris_radius_mm: of eyeball, cornea and limbus.
        kappa_h_deg, kappa_v_deg: optical axis minus line of sight.
        sclera, iris, pupil, skin: reflectance.
        lid_upper_mm, lid_lower_mm: margins above and below the rotation centre in primary gaze.
        lid_upper_mm_per_deg, lid_lower_mm_per_deg: how far they follow the gaze.
        fissure_half_mm: half the distance of the canthi.
        pupil_mm: mean pupil diameter.
    """

    eye_radius_mm: Column
    cornea_radius_mm: Column
    iris_radius_mm: Column
    kappa_h_deg: Column
    kappa_v_deg: Column
    sclera: Column
    iris: Column
    pupil: Column
    skin: Column
    lid_upper_mm: Column
    lid_lower_mm: Column
    lid_upper_mm_per_deg: Column
    lid_lower_mm_per_deg: Column
    fissure_half_mm: Column
    pupil_mm: Column

    @property
    def count(self) -> int:
        return len(self.eye_radius_mm)

    def take(self, index: NDArray[np.integer] | slice) -> Users:
        """The users at `index`, as many rows as it names."""
        return Users(*(getattr(self, item.name)[index] for item in fields(self)))


def nominal_user() -> Users:
    """One user with average values: the eye the electronics are set up for."""
    half = (
        anatomy.SCLERA_REFLECTANCE,
        anatomy.IRIS_REFLECTANCE,
        anatomy.PUPIL_REFLECTANCE,
        anatomy.SKIN_REFLECTANCE,
    )
    values = (
        anatomy.EYE_RADIUS_MM,
        anatomy.CORNEA_RADIUS_MM,
        anatomy.IRIS_RADIUS_MM,
        *anatomy.KAPPA_DEG_NOMINAL,
        *(sum(bounds) / 2 for bounds in half),
        anatomy.LID_UPPER_MM,
        anatomy.LID_LOWER_MM,
        anatomy.LID_UPPER_MM_PER_DEG,
        anatomy.LID_LOWER_MM_PER_DEG,
        anatomy.FISSURE_HALF_WIDTH_MM,
        anatomy.PUPIL_MM,
    )
    return Users(*(np.array([value], dtype=np.float64) for value in values))


def draw_users(count: int, seed: int, *, first: int = 0) -> Users:
    """Draw users `first` and following; user k depends on (seed, k) only, not on how many are drawn.

    Spreads (standard deviations) as in docs/simulator.md; normal draws are cut at 2.5 SD.

    Raises:
        SimulationError: fewer than one user, or a negative seed.
    """
    if count < 1:
        raise SimulationError(f"cannot draw {count} users; expected at least 1")
    rows = np.array([_draw(stream(seed, "user", k)) for k in range(first, first + count)])
    return Users(*rows.T.copy())


def _draw(random: np.random.Generator) -> list[float]:
    """One user's row, in the order of the fields of Users."""
    normal = np.clip(random.standard_normal(11), -2.5, 2.5)
    uniform = random.random(4)

    def around(mean: float, deviation: float, k: int) -> float:
        return float(mean + deviation * normal[k])

    def between(bounds: tuple[float, float], k: int) -> float:
        return float(bounds[0] + (bounds[1] - bounds[0]) * uniform[k])

    kappa_h, kappa_v = anatomy.KAPPA_DEG_NOMINAL
    return [
        around(anatomy.EYE_RADIUS_MM, 0.4, 0),
        around(anatomy.CORNEA_RADIUS_MM, 0.25, 1),
        around(anatomy.IRIS_RADIUS_MM, 0.22, 2),
        around(kappa_h, 1.33, 3),
        around(kappa_v, 1.0, 4),
        between(anatomy.SCLERA_REFLECTANCE, 0),
        between(anatomy.IRIS_REFLECTANCE, 1),
        between(anatomy.PUPIL_REFLECTANCE, 2),
        between(anatomy.SKIN_REFLECTANCE, 3),
        around(anatomy.LID_UPPER_MM, 0.95, 5),
        around(anatomy.LID_LOWER_MM, 0.73, 6),
        around(anatomy.LID_UPPER_MM_PER_DEG, 0.02, 7),
        around(anatomy.LID_LOWER_MM_PER_DEG, 0.01, 8),
        around(anatomy.FISSURE_HALF_WIDTH_MM, 0.5, 9),
        around(anatomy.PUPIL_MM, 0.8, 10),
    ]
