"""A first-order term for interreflection, fitted to path-traced light that was scattered more than once.

Skin lights the eye and itself: what the fast simulator computes for either is scaled by 1 + constant × the
skin's reflectance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from psog.sim.reference.rays import Array
from psog.sim.reference.readings import Library, Readings
from psog.sim.reference.scene import IRIS, PUPIL, SCLERA, SKIN, WALL


@dataclass(frozen=True)
class Fit:
    """What is relative is relative to the mean reading, rms over states and sensors.

    Attributes:
        skin, eye: constants of the term for light from the skin (lid margins too) and from the eye.
        before, after: light that was scattered more often, and what the term leaves of it.
    """

    skin: float
    eye: float
    before: float
    after: float


def fit_interreflection(library: Library, headsets: Iterable[str] | None = None) -> Fit:
    """Least squares over all states of the named headsets, each weighed by its mean reading."""
    names = list(headsets or library.readings)
    reflectance = library.states.worn_by.skin[:, None]
    found = [_scaled(library.readings[name], reflectance) for name in names]
    skin, eye, skin_more, eye_more = (np.concatenate(column) for column in zip(*found, strict=True))
    a, b = _slope(skin, skin_more), _slope(eye, eye_more)
    both = skin_more + eye_more
    return Fit(a, b, _rms(both), _rms(both - a * skin - b * eye))


def _scaled(readings: Readings, reflectance: Array) -> tuple[Array, Array, Array, Array]:
    """Regressors and targets of skin and eye, over the mean reading."""
    mean = readings.total.mean()
    skin = readings.direct[..., SKIN] + readings.direct[..., WALL]
    eye = readings.direct[..., (SCLERA, IRIS, PUPIL)].sum(-1)
    values = (reflectance * skin, reflectance * eye, readings.indirect[..., 0], readings.indirect[..., 1])
    skin, eye, skin_more, eye_more = ((value / mean).ravel() for value in values)
    return skin, eye, skin_more, eye_more


def _slope(x: Array, y: Array) -> float:
    return float((x * y).sum() / (x**2).sum())


def _rms(values: Array) -> float:
    return float(np.sqrt((values**2).mean()))
