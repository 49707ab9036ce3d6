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
    user_scenes,
)
from psog.sim.design.layout import points_of, sensors_from
from psog.sim.effects import FIRST_ORDER, Effects
from psog.sim.electronics import signal_to_noise
from psog.sim.population import draw_users
from psog.sim.quadrature import Quadrature
from psog.sim.streams import derived_seed
from psog.sim.torch.render import TorchOptics
from psog.sim.torch.surfaces import user_columns

_AT_ONCE = 2
"""Users whose graph is held: 0.3 GB each to first order, 1.3 GB with every effect."""
Case = Literal["known user", "new user", "calibrated user"]


@dataclass(frozen=True)
class Aim:
    """For whom a layout is improved.

    Attributes:
        case: of the bound.
        slip_mm: since the headset was put on (and calibrated).
        snr: of one reading; None means the headset's own.
        points: of a calibration.
        effects: of the optics beyond the first order; none unless given, for they take five times as long.
    """

    case: Case = "calibrated user"
    slip_mm: float = 1.0
    snr: float | None = None
    points: int = 9
    donning_mm: float = 2.0
    seed: int = 0
    effects: Effects = FIRST_ORDER

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
            effects=self.effects,
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
        self._optics = TorchOptics(headset, quadrature, aim.effects)
        seed = self._question.seed
        self._known: Priors = priors(headset.field_deg, aim.donning_mm, seed, self._optics.effects)
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

    def scenes(self, points: Tensor, first: int, count: int) -> list[Scene]:
        """Derivatives of user `first` and following in units of noise, for the sensors at (4, 3, sensors)
        `points`; the same users for every layout."""
        scale = (self._snr / torch.maximum(self._light(points), self._start))[:, None]
        self._optics.sensors = sensors_from(points, self._headset)
        found = user_scenes(
            self._optics,
            self._headset.field_deg,
            user_columns(draw_users(count, self._question.seed, first=first)),
            self._question,
            names=self._known.user_names,
            first=first,
        )
        return [Scene(scene.calibration * scale, [scene.use[0] * scale]) for scene in found]

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

    def mean(self, scenes: list[Scene]) -> Tensor:
        """Of `value` over users."""
        return torch.stack([self.value(scene) for scene in scenes]).mean()

    def gradient(self, points: Tensor, first: int, count: int) -> tuple[float, Tensor]:
        """Mean over `count` users and its derivative by the points (4, 3, sensors)."""
        total, slope = 0.0, torch.zeros_like(points)
        for k in range(first, first + count, _AT_ONCE):
            some = min(_AT_ONCE, first + count - k)
            moving = points.detach().clone().requires_grad_()
            part = self.mean(self.scenes(moving, k, some)) * (some / count)
            slope += torch.autograd.grad(part, moving)[0]
            total += float(part.detach())
        return total, slope
