"""The users: eyes, lids and skin drawn from what is known about people."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.sim.people import PEOPLE, Normal, Population, Range
from psog.sim.streams import stream

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Users:
    """One row per user; every attribute has shape (users,).

    A left eye is a right eye seen in a mirror: what points to a side changes its sign with `side`.

    Attributes:
        eye_radius_mm, cornea_radius_mm, iris_radius_mm: of eyeball, cornea and limbus.
        kappa_h_deg, kappa_v_deg: optical axis minus line of sight.
        sclera, iris, pupil, skin: reflectance.
        lid_upper_mm, lid_lower_mm: margins above and below the rotation centre in primary gaze.
        lid_upper_mm_per_deg, lid_lower_mm_per_deg: how far they follow the gaze.
        fissure_half_mm: half the distance of the canthi.
        pupil_mm: mean pupil diameter.
        side: +1 for a right eye, -1 for a left eye.
        lens_dioptre: power of a spectacle lens under the headset; 0 where there is none.
        lash_density: share of light that a crossing of the upper lid's lashes takes away.
        lash_length_mm: of the upper lid.
        face_tilt_h, face_tilt_v: slopes dz/dx and dz/dy of the face plane.
        relief_mm: amplitude of wrinkles and folds of the skin.
        relief_phase: 0 to 1, names which relief.
        crease_mm: height of the supratarsal crease above the upper margin; 0 where there is none.
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
    side: Column
    lens_dioptre: Column
    lash_density: Column
    lash_length_mm: Column
    face_tilt_h: Column
    face_tilt_v: Column
    relief_mm: Column
    relief_phase: Column
    crease_mm: Column

    @property
    def count(self) -> int:
        return len(self.eye_radius_mm)

    def take(self, index: NDArray[np.integer] | slice) -> Users:
        """The users at `index`, as many rows as it names."""
        return Users(*(getattr(self, item.name)[index] for item in fields(self)))


def nominal_user(population: Population = PEOPLE) -> Users:
    """A right eye with a population's means, smooth skin and no lens: what electronics are set up for."""
    values = {name: spread.mean for name, spread in population.spreads().items()}
    values |= {"side": 1.0, "lens_dioptre": 0.0, "relief_mm": 0.0, "relief_phase": 0.0}
    return Users(**{item.name: np.array([values[item.name]]) for item in fields(Users)})


def draw_users(count: int, seed: int, *, first: int = 0, population: Population = PEOPLE) -> Users:
    """Draw users `first` and following; user k depends on (seed, k) and the population only, not on how
    many are drawn.

    Raises:
        SimulationError: fewer than one user, or a negative seed.
    """
    if count < 1:
        raise SimulationError(f"cannot draw {count} users; expected at least 1")
    spreads = population.spreads()
    eye = {name: spreads.pop(name) for name in _EYE_AND_LIDS}
    # Two streams for each user: what joins the second changes nothing in the first.
    rows = [
        _drawn(stream(seed, "user", k), eye)
        | _side_and_face(stream(seed, "user/face", k), population, spreads)
        for k in range(first, first + count)
    ]
    users = Users(**{item.name: np.array([row[item.name] for row in rows]) for item in fields(Users)})
    return replace(
        users, kappa_h_deg=users.side * users.kappa_h_deg, face_tilt_h=users.side * users.face_tilt_h
    )


_EYE_AND_LIDS = tuple(item.name for item in fields(Users))[:15]
"""From eye_radius_mm to pupil_mm."""


def _drawn(random: np.random.Generator, spreads: dict[str, Normal | Range]) -> dict[str, float]:
    """A value of each: first all the normal draws, then the uniform ones."""
    values: dict[str, float] = {}
    for kind in (Normal, Range):
        chosen = {name: spread for name, spread in spreads.items() if isinstance(spread, kind)}
        draws = kind.draw(random, len(chosen)).tolist()
        values |= {name: spread.at(x) for (name, spread), x in zip(chosen.items(), draws, strict=True)}
    return values


def _side_and_face(
    random: np.random.Generator, population: Population, spreads: dict[str, Normal | Range]
) -> dict[str, float]:
    """What is not of the eye and its lids, still unmirrored."""
    left, spectacles, crease, phase = random.random(4).tolist()
    values = _drawn(random, spreads) | {
        "side": -1.0 if left < population.left_share else 1.0,
        "relief_phase": phase,
    }
    if spectacles >= population.spectacles_share:
        values["lens_dioptre"] = 0.0
    if crease >= population.crease_share:
        values["crease_mm"] = 0.0
    return values
