"""One eye in one state, in double precision: what the reference scene is built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from psog.sim import anatomy
from psog.sim.population import Users

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Eye:
    """Lengths in mm, head axes; reflectances of the surfaces themselves, not of their images.

    Attributes:
        axis: (3,) optical axis, unit vector.
        iris_depth: of the iris where it is, along the optical axis from the rotation centre.
        upper, lower: lid margins above and below the rotation centre at the middle of the fissure.
    """

    radius: float
    cornea_radius: float
    cornea_centre: float
    limbus_radius: float
    limbus_depth: float
    iris_depth: float
    pupil_radius: float
    fissure_half: float
    axis: Array
    upper: float
    lower: float
    sclera: float
    iris: float
    pupil: float
    skin: float

    @classmethod
    def of(cls, users: Users, user: int, state: NDArray[np.floating]) -> Self:
        """
        Args:
            user: index into `users`.
            state: a row of `psog.sim.state.eye_states`.
        """
        one = users.take(slice(user, user + 1))
        centre = anatomy.cornea_centre_mm(one.eye_radius_mm, one.cornea_radius_mm, one.iris_radius_mm)[0]
        radius, limbus, cornea = (
            float(column[0]) for column in (one.eye_radius_mm, one.iris_radius_mm, one.cornea_radius_mm)
        )
        axis = np.asarray(state[:3], dtype=np.float64)
        return cls(
            radius=radius,
            cornea_radius=cornea,
            cornea_centre=float(centre),
            limbus_radius=limbus,
            limbus_depth=float(np.sqrt(radius**2 - limbus**2)),
            iris_depth=float(centre) + cornea - anatomy.PUPIL_DEPTH_MM,
            pupil_radius=float(state[3]) / 2,
            fissure_half=float(one.fissure_half_mm[0]),
            axis=axis / np.linalg.norm(axis),
            upper=float(state[4]),
            lower=float(state[5]),
            sclera=float(one.sclera[0]),
            iris=float(one.iris[0]),
            pupil=float(one.pupil[0]),
            skin=float(one.skin[0]),
        )

    @property
    def is_shut(self) -> bool:
        return self.upper + self.lower < _SHUT_MM

    def ball_height(self, r: Array) -> tuple[Array, Array]:
        """Height and slope dz/dr of the eyeball at distance r from the z axis."""
        return _ball_height(self.radius, r)

    def skin_height(self, r: Array) -> tuple[Array, Array]:
        """Height and slope dz/dr of lids and face."""
        shell, slope = _ball_height(self.radius + anatomy.LID_THICKNESS_MM, r)
        above = shell - anatomy.FACE_HEIGHT_MM
        smooth = np.sqrt(above**2 + anatomy.FACE_BLEND_MM**2)
        return (shell + anatomy.FACE_HEIGHT_MM + smooth) / 2, (1 + above / smooth) / 2 * slope

    def front_height(self, x: Array, y: Array) -> Array:
        """Height of eyeball and cornea together: what a lid rests on."""
        ball = self.ball_height(np.hypot(x, y))[0]
        centre = self.cornea_centre * self.axis
        under = self.cornea_radius**2 - (x - centre[0]) ** 2 - (y - centre[1]) ** 2
        cap = centre[2] + np.sqrt(np.maximum(under, 0))
        depth = x * self.axis[0] + y * self.axis[1] + cap * self.axis[2]
        return np.where((under > 0) & (depth >= self.limbus_depth), np.maximum(ball, cap), ball)

    def edge(self, x: Array, margin_mm: float) -> Array:
        """y of a lid's edge: a parabola through the canthi, and the midline beyond them."""
        return margin_mm * np.maximum(1 - (x / self.fissure_half) ** 2, 0)


_SHUT_MM = 1e-3


def _ball_height(radius: float, r: Array) -> tuple[Array, Array]:
    edge = anatomy.FORNIX * radius
    cone_slope = -anatomy.FORNIX / np.sqrt(1 - anatomy.FORNIX**2)
    cone = radius**2 / np.sqrt(radius**2 - edge**2) + cone_slope * r
    inside = r < edge
    sphere = np.sqrt(radius**2 - np.minimum(r, edge) ** 2)
    return np.where(inside, sphere, cone), np.where(inside, -r / sphere, cone_slope)
