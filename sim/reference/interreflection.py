"""A first-order term for interreflection, fitted to path-traced light that was scattered more than once.

Light that skin sends to a point is about what the skin around it receives itself: a point whose half-space is
filled with skin to a share F sends on 1 + ρF times what it gets from the emitter, ρ the skin's reflectance. F
varies most over the skin: nothing on the bulging lid, a tenth in the crease where the lid meets the face, a
few hundredths beyond. For the walls of the lids and for the eye between them one constant each is fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.sim import anatomy
from psog.sim.reference.beams import Beams
from psog.sim.reference.eye import Eye
from psog.sim.reference.rays import Array
from psog.sim.reference.readings import Library
from psog.sim.reference.scene import IRIS, PUPIL, SCLERA, SKIN, WALL

_CREASE, _FACE = (0.089, 11.5, 2.2), (0.036, 16.0, 7.0)
"""Height, place and width (mm) of two bumps (1 + x²)⁻² that make F of the nominal face with shut lids. Fitted
to the share of cosine-distributed rays that meet the scene again (rms 0.0045 of at most 0.11)."""
_STEP_MM = 0.8


@dataclass(frozen=True)
class Fit:
    """What is relative is relative to the mean reading, rms over states and sensors.

    Attributes:
        skin, wall, eye: constants k: light scattered once is multiplied by 1 + k·ρ, for skin by 1 + k·ρ·F.
        before, after: light that was scattered more often, and what the term leaves of it.
        plain_skin, plain_eye, plain_after: the same with one constant for all skin and no F.
    """

    skin: float
    wall: float
    eye: float
    before: float
    after: float
    plain_skin: float
    plain_eye: float
    plain_after: float


def skin_sees_skin(r_mm: Array, eye_radius_mm: float) -> Array:
    """F at distance r from the optical axis; it grows with the lid shell, whose crease it belongs to."""
    nominal = anatomy.EYE_RADIUS_MM + anatomy.LID_THICKNESS_MM
    r = r_mm * nominal / (eye_radius_mm + anatomy.LID_THICKNESS_MM)
    return np.asarray(
        sum(height / (1 + ((r - at) / width) ** 2) ** 2 for height, at, width in (_CREASE, _FACE))
    )


def fit_interreflection(library: Library, headsets: Sequence[Headset]) -> Fit:
    """Least squares over all states and sensors of the headsets, each weighed by its mean reading."""
    found = [_scaled(library, headset) for headset in headsets]
    skin, creased, wall, eye, more = (np.concatenate(column) for column in zip(*found, strict=True))
    (on_skin, on_wall, on_eye), after = _solve((creased, wall, eye), more)
    (plain_skin, plain_eye), plain_after = _solve((skin + wall, eye), more)
    return Fit(on_skin, on_wall, on_eye, _rms(more), after, plain_skin, plain_eye, plain_after)


def _scaled(library: Library, headset: Headset) -> tuple[Array, ...]:
    """Reflectance × light from skin, skin weighed by F, walls, eye; and all that was scattered more often."""
    readings, rho = library.readings[headset.name], library.states.worn_by.skin[:, None]
    direct = readings.direct * rho[..., None]
    eye = direct[..., (SCLERA, IRIS, PUPIL)].sum(-1)
    creased = direct[..., SKIN] * _mean_share(library, headset)
    values = (direct[..., SKIN], creased, direct[..., WALL], eye, readings.indirect.sum(-1))
    mean = readings.total.mean()
    return tuple((value / mean).ravel() for value in values)


def _mean_share(library: Library, headset: Headset) -> Array:
    """(n, sensors) F of the skin that each sensor sees lit, in the mean."""
    states = library.states
    rows, pose = states.rows[:, 0], states.pose
    return np.array(
        [
            _share_of(Eye.of(states.users, int(states.user[k]), rows[k]), Beams.of(headset, pose[k]))
            for k in range(len(states))
        ]
    )


def _share_of(eye: Eye, beams: Beams) -> Array:
    """(sensors,) by small squares of the frontal plane, without shadows."""
    xy, r = _squares()
    opened = (xy[:, 1] < eye.edge(xy[:, 0], eye.upper)) & (xy[:, 1] > eye.edge(xy[:, 0], -eye.lower))
    xy, r = xy[~opened], r[~opened]
    z, slope = eye.skin_height(r)
    at = np.concatenate([xy, z[:, None]], axis=1)
    upright = np.concatenate([-slope[:, None] * xy / r[:, None], np.ones((len(r), 1))], axis=1)
    value = 1 / np.sqrt(1 + slope**2) * np.ones((beams.table.shape[1], 1))
    for first, exponent in ((0, beams.detector_exponent), (6, beams.emitter_exponent)):
        to = beams.table[first : first + 3].T[:, None] - at
        distance = np.linalg.norm(to, axis=2)
        off_axis = -np.einsum("skc,cs->sk", to, beams.table[first + 3 : first + 6]) / distance
        cosine = np.einsum("skc,kc->sk", to, upright)
        value *= np.maximum(cosine, 0) / distance**3 * np.maximum(off_axis, 0) ** exponent
    return np.asarray(value @ skin_sees_skin(r, eye.radius) / value.sum(axis=1))


def _squares() -> tuple[Array, Array]:
    """Centres of squares on the skin's disc, and their distance from its middle."""
    axis = np.arange(-anatomy.SKIN_RADIUS_MM + _STEP_MM / 2, anatomy.SKIN_RADIUS_MM, _STEP_MM)
    xy = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    r = np.linalg.norm(xy, axis=1)
    inside: NDArray[np.bool_] = r < anatomy.SKIN_RADIUS_MM
    return xy[inside], r[inside]


def _solve(terms: Sequence[Array], target: Array) -> tuple[list[float], float]:
    """Constants, and the rms of what they leave."""
    matrix = np.stack(terms, axis=1)
    constants = np.linalg.lstsq(matrix, target, rcond=None)[0]
    return constants.tolist(), _rms(target - matrix @ constants)


def _rms(values: Array) -> float:
    return float(np.sqrt((values**2).mean()))
