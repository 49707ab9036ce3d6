"""What is known about people: how each attribute of a user spreads, and how common it is."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.sim import anatomy

CUT_SD = 2.5
"""Normal draws go no further from the mean: no eye is impossible."""


@dataclass(frozen=True)
class Normal:
    """A normal distribution, cut at CUT_SD and, if given, at `low` and `high`.

    Raises:
        SimulationError: a negative spread, or numbers that are not finite.
    """

    mean: float
    sd: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mean) and 0 <= self.sd < np.inf):
            raise SimulationError(
                f"no distribution has mean {self.mean} and SD {self.sd}; expected finite, SD of at least 0"
            )

    @staticmethod
    def draw(random: np.random.Generator, count: int) -> NDArray[np.float64]:
        """(count,) standard normal draws, cut."""
        return np.clip(random.standard_normal(count), -CUT_SD, CUT_SD)

    def at(self, draw: float) -> float:
        """The value at so many standard deviations from the mean."""
        value = self.mean + self.sd * draw
        value = value if self.low is None else max(value, self.low)
        return value if self.high is None else min(value, self.high)


@dataclass(frozen=True)
class Range:
    """Uniform from `low` to `high`.

    Raises:
        SimulationError: ends that are not finite, or in the wrong order.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not -np.inf < self.low <= self.high < np.inf:
            raise SimulationError(f"no range goes from {self.low} to {self.high}; expected low, then high")

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @staticmethod
    def draw(random: np.random.Generator, count: int) -> NDArray[np.float64]:
        """(count,) uniform draws from 0 to 1."""
        return random.random(count)

    def at(self, draw: float) -> float:
        """The value at this share of the range."""
        return self.low + (self.high - self.low) * draw


@dataclass(frozen=True)
class Population:
    """How the attributes of `psog.sim.population.Users` are distributed. The defaults are adults in general;
    their sources stand in `psog.sim.anatomy` and docs/people.md.

    Signed attributes are those of a right eye. `lens_dioptre` and `crease_mm` are of those who have one.

    Attributes:
        left_share: of users whose left eye looks into the module that is described. That is the one before
            the right eye; the one before the left eye is its mirror image, and reads a left eye as this one
            reads the right eye that is *its* mirror image. So there is none unless asked for.
        spectacles_share: of users who wear spectacles under the headset.
        crease_share: of users with a supratarsal crease.
    Raises:
        SimulationError: a share outside 0 to 1.
    """

    eye_radius_mm: Normal = Normal(anatomy.EYE_RADIUS_MM, 0.4)
    cornea_radius_mm: Normal = Normal(anatomy.CORNEA_RADIUS_MM, 0.25)
    iris_radius_mm: Normal = Normal(anatomy.IRIS_RADIUS_MM, 0.22)
    kappa_h_deg: Normal = Normal(anatomy.KAPPA_DEG_NOMINAL[0], 1.33)
    kappa_v_deg: Normal = Normal(anatomy.KAPPA_DEG_NOMINAL[1], 1.0)
    sclera: Range = Range(*anatomy.SCLERA_REFLECTANCE)
    iris: Range = Range(*anatomy.IRIS_REFLECTANCE)
    pupil: Range = Range(*anatomy.PUPIL_REFLECTANCE)
    skin: Range = Range(*anatomy.SKIN_REFLECTANCE)
    lid_upper_mm: Normal = Normal(anatomy.LID_UPPER_MM, 0.95)
    lid_lower_mm: Normal = Normal(anatomy.LID_LOWER_MM, 0.73)
    lid_upper_mm_per_deg: Normal = Normal(anatomy.LID_UPPER_MM_PER_DEG, 0.02)
    lid_lower_mm_per_deg: Normal = Normal(anatomy.LID_LOWER_MM_PER_DEG, 0.01)
    fissure_half_mm: Normal = Normal(anatomy.FISSURE_HALF_WIDTH_MM, 0.5)
    pupil_mm: Normal = Normal(anatomy.PUPIL_MM, 0.8)
    lens_dioptre: Normal = Normal(-2.0, 2.5, low=-8.0, high=8.0)
    lash_density: Normal = Normal(anatomy.LASH_DENSITY, 0.12, low=0.0, high=0.6)
    lash_length_mm: Range = Range(*anatomy.LASH_LENGTH_MM)
    face_tilt_h: Normal = Normal(anatomy.FACE_TILT[0], 0.04)
    face_tilt_v: Normal = Normal(anatomy.FACE_TILT[1], 0.04)
    relief_mm: Range = Range(*anatomy.RELIEF_MM)
    crease_mm: Normal = Normal(anatomy.CREASE_MM, 1.2)
    left_share: float = 0.0
    spectacles_share: float = 0.25
    crease_share: float = 0.85

    def __post_init__(self) -> None:
        for name in ("left_share", "spectacles_share", "crease_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise SimulationError(
                    f"no population has {name} {getattr(self, name)}; expected a share of 0 to 1"
                )

    def spreads(self) -> dict[str, Normal | Range]:
        """The distribution of each attribute, by name."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Normal | Range)}


PEOPLE = Population()
BOTH_EYES = Population(left_share=0.5)
"""The same people; half of them look into a right eye's module with their left eye, as they do where one
module serves both sides unmirrored."""
LEFT_EYES = Population(left_share=1.0)
"""The same people; all of them look into a right eye's module with their left eye."""
EYES = {"right": PEOPLE, "left": LEFT_EYES, "both": BOTH_EYES}


def people_with(eyes: str) -> Population:
    """The people who look into the module with these eyes: a name in EYES.

    Raises:
        SimulationError: no such eyes.
    """
    if eyes not in EYES:
        raise SimulationError(f"no eyes named {eyes!r}; expected one of {', '.join(EYES)}")
    return EYES[eyes]
