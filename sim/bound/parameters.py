"""What is unknown when a reading arrives, and how well it is known beforehand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from psog.sim import lids, pupil
from psog.sim.effects import Effects
from psog.sim.fits import donning, slipped
from psog.sim.population import draw_users
from psog.sim.streams import derived_seed, stream
from psog.sim.torch.surfaces import attributes

GAZE, MOMENT, FIT = slice(0, 2), slice(2, 5), slice(5, 9)
"""Where the parameters stand in a vector: gaze (°); pupil diameter, upper and lower lid beside what the
user's attributes say (mm); shift x, y, z (mm) and roll (°) of the headset. The user's attributes follow."""
USER = slice(9, None)
_POPULATION, _FITS = 2000, 4000
"""Draws from which covariances are estimated: 3 % and 2 % of a variance."""


class Priors(NamedTuple):
    """Covariances of what is unknown, before anything is measured; float64."""

    user_names: tuple[str, ...]
    """Attributes of `psog.sim.population.Users` that differ between users and that readings depend on."""
    user: Tensor
    """(U, U) of these attributes over the population."""
    hold: Tensor
    """(3, 3) pupil and lids from one donning to the next."""
    moment: Tensor
    """(3, 3) the same from moment to moment."""
    donning: Tensor
    """(4, 4) of how the headset was put on."""
    gaze: Tensor
    """(2, 2) of a gaze that is uniform over the field."""


def priors(field_deg: tuple[float, float], donning_mm: float, seed: int, effects: Effects) -> Priors:
    """Estimated from the simulator's own draws, so that a change there is a change here. Of right eyes:
    which eye it is, is known, and a left one is its mirror image."""
    users = draw_users(_POPULATION, derived_seed(seed, "bound/population"))
    names = attributes(effects)
    return Priors(
        names,
        _tensor(np.cov(np.stack([getattr(users, name) for name in names]))),
        _diagonal(pupil.POSE_SD_MM, lids.POSE_SD_MM, lids.POSE_SD_MM),
        _diagonal(pupil.MOMENT_SD_MM, lids.MOMENT_SD_MM, lids.MOMENT_SD_MM),
        donning_covariance(donning_mm, seed),
        _diagonal(*(half / np.sqrt(3) for half in field_deg)),
    )


def donning_covariance(donning_mm: float, seed: int) -> Tensor:
    """(4, 4) second moments of shift (mm) and roll (°) over many donnings."""
    random = stream(seed, "bound/donning")
    return _second_moments(np.array([donning(random, donning_mm) for _ in range(_FITS)]))


def slip_covariance(slip_mm: float, seed: int) -> Tensor:
    """(4, 4) second moments of shift (mm) and roll (°) over slips of exactly `slip_mm`."""
    random = stream(seed, "bound/slip")
    return _second_moments(np.array([slipped(random, np.zeros(4), slip_mm) for _ in range(_FITS)]))


def _second_moments(fits: np.ndarray) -> Tensor:
    """The directions are even by construction, so what is left of odd moments is noise of the draw."""
    return _tensor(np.diag((fits**2).mean(axis=0)))


def _diagonal(*deviations: float) -> Tensor:
    return _tensor(np.diag(np.square(deviations)))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)
