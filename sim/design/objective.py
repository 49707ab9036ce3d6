"""What a better layout has less of: the logarithm of the bound, averaged over users, fits and gazes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from psog.headset import Headset
from psog.sim.bound.fisher import block_diagonal
from psog.sim.bound.jacobian import nominal_light
from psog.sim.bound.parameters import Priors, priors, slip_covariance
from psog.sim.bound.survey import (
    CASES,
    Question,
    Scene,
    calibrated_prior,
    gaze_bound,
    user_scene,
)
from psog.sim.design.layout import points_of, sensors_from
from psog.sim.electronics import signal_to_noise
from psog.sim.population import Users, draw_users
from psog.sim.quadrature import Quadrature
from psog.sim.streams import derived_seed
from psog.sim.torch.render import TorchOptics
from psog.sim.torch.surfaces import user_columns

Case = Literal["known user", "new user", "calibrated user"]


@dataclass(frozen=True)
class Aim:
    """For whom a layout is improved.

    Attributes:
        case: of the bound.
        slip_mm: since the headset was put on (and calibrated).
        snr: of one reading; None means the headset's own.
        points: of a calibration.
    """

    case: Case = "calibrated user"
    slip_mm: float = 1.0
    snr: float | None = None
    points: int = 9
    donning_mm: float = 2.0
    seed: int = 0

    def question(self, users: int, gazes: int, seed_of: str = "design") -> Question:
        """What the bound is asked for."""
        return Question(
            users=users,
            gazes=gazes,
            slips_mm=(self.slip_mm,),
            snrs=(self.snr,),
            points=self.points if self.case == CASES[-1] else 0,
            donning_mm=self.donning_mm,
            seed=derived_seed(self.seed, seed_of),
        )


class Objective:
    """Mean log radial bound (log degrees) of layouts that start from one headset.

    The noise of a sensor is what it was at the start, in units of light, or more where the sensor now gets
    more light (its SNR stays). So no layout gains by seeing less.
    """

    def __init__(
        self, headset: Headset, aim: Aim, *, gazes: int, quadrature: Quadrature | None = None
    ) -> None:
        self._headset = headset
        self._aim = aim
        self._question = aim.question(1, gazes)
        self._optics = TorchOptics(headset, quadrature)
        seed = self._question.seed
        self._known: Priors = priors(headset.field_deg, aim.donning_mm, seed)
        self._slip = slip_covariance(aim.slip_mm, seed)
        snr = signal_to_noise(headset) if aim.snr is None else np.full(headset.sensor_count, aim.snr)
        self._snr = torch.as_tensor(snr, dtype=torch.float64)
        self._start = self._light(points_of(headset)).detach()

    def _light(self, points: Tensor) -> Tensor:
        """(sensors,) what the nominal eye gives straight ahead."""
        self._optics.sensors = sensors_from(points, self._headset)
        return nominal_light(self._optics)

    def light(self, points: Tensor) -> Tensor:
        """(sensors,) light over that of the start."""
        with torch.no_grad():
            return self._light(points) / self._start

    def scene(self, points: Tensor, user: Users, k: int) -> Scene:
        """User k's derivatives in units of noise, for the sensors at (4, 3, sensors) `points`."""
        scale = (self._snr / torch.maximum(self._light(points), self._start))[:, None]
        columns = {name: column[0] for name, column in user_columns(user).items()}
        self._optics.sensors = sensors_from(points, self._headset)
        names = self._known.user_names
        scene = user_scene(self._optics, self._headset.field_deg, columns, self._question, names=names, k=k)
        return Scene(scene.calibration * scale, [scene.use[0] * scale])

    def value(self, scene: Scene) -> Tensor:
        """Mean over gazes of the logarithm of the radial bound."""
        known = self._known
        if self._aim.case == "calibrated user":
            lasting = calibrated_prior(scene.calibration, known)
        else:
            factor = 0.0 if self._aim.case == "known user" else 1.0
            lasting = block_diagonal(factor * known.user, known.donning)
        covariance = gaze_bound(scene.use[0], lasting, self._slip, known)
        return covariance.diagonal(dim1=-2, dim2=-1).sum(-1).log().mean() / 2

    def users(self, first: int, count: int) -> list[tuple[Users, int]]:
        """Users `first` and following, each with its number; the same for every layout."""
        drawn = draw_users(count, self._question.seed, first=first)
        return [(drawn.take(slice(k, k + 1)), first + k) for k in range(count)]

    def gradient(self, points: Tensor, first: int, count: int) -> tuple[float, Tensor]:
        """Value and its derivative by the points (4, 3, sensors), over `count` users.

        One user at a time, for the memory of one.
        """
        points = points.detach().clone().requires_grad_()
        total = 0.0
        for user, k in self.users(first, count):
            value = self.value(self.scene(points, user, k)) / count
            value.backward()  # type: ignore[no-untyped-call]
            total += float(value.detach())
        assert points.grad is not None
        return total, points.grad
