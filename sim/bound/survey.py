"""The bound over users, gazes, slips and SNRs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ellipe
from torch import Tensor

from psog.errors import SimulationError
from psog.headset import Headset
from psog.sim.bound.fisher import after_calibration, block_diagonal, gaze_covariance
from psog.sim.bound.jacobian import jacobian, nominal_light
from psog.sim.bound.parameters import FIT, GAZE, MOMENT, USER, Priors, priors, slip_covariance
from psog.sim.effects import Effects
from psog.sim.electronics import signal_to_noise
from psog.sim.episodes import FIXATION_SD_DEG
from psog.sim.fits import check_distances, donning, slipped
from psog.sim.grids import MOST_POINTS, calibration_targets
from psog.sim.population import draw_users
from psog.sim.quadrature import Quadrature
from psog.sim.streams import derived_seed, stream
from psog.sim.torch.render import TorchOptics
from psog.sim.torch.surfaces import Columns, user_columns

Progress = Callable[[int, int], None]
CASES = ("known user", "new user", "calibrated user")
SAMPLES_PER_POINT = 7
"""As `psog.sim.episodes.make_test_episodes` has them."""
_SAMPLES_AT_ONCE = 100
"""Users times gazes whose derivatives are taken together: a third of the time, for a gigabyte."""


@dataclass(frozen=True)
class Question:
    """What the bound is asked for.

    Attributes:
        users: how many are drawn; each in a fit of its own.
        gazes: gazes along each side of a grid over the headset's field.
        slips_mm: by how much the headset has moved since it was put on (and calibrated).
        snrs: of one reading; None means the headset's own, be it set or a matter of its parts.
        points: calibration points, 0 to 25.
        effects: of the optics beyond the first order; all of them unless given.
        donning_mm: how far from its nominal place the headset is put on.
    """

    users: int = 20
    gazes: int = 5
    slips_mm: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0)
    snrs: tuple[float | None, ...] = (None,)
    points: int = 9
    donning_mm: float = 2.0
    seed: int = 0
    quadrature: Quadrature | None = None
    effects: Effects = field(default_factory=Effects)

    def __post_init__(self) -> None:
        check_distances(donning_mm=self.donning_mm, **{f"slip {s}": s for s in self.slips_mm})
        for name, value, least, most in (
            ("users", self.users, 1, 100_000),
            ("gazes", self.gazes, 2, 101),
            ("points", self.points, 0, MOST_POINTS),
            ("slips", len(self.slips_mm), 1, 100),
            ("SNRs", len(self.snrs), 1, 100),
        ):
            if not least <= value <= most:
                raise SimulationError(
                    f"cannot compute a bound: {name} is {value}, expected {least} to {most}"
                )
        for snr in self.snrs:
            if snr is not None and not 0 < snr < np.inf:
                raise SimulationError(f"cannot compute a bound: SNR is {snr}, expected a number above 0")


@dataclass(frozen=True)
class Bounds:
    """What a survey found.

    Attributes:
        variance: (cases, slips, SNRs, users, gazes, 2) °², horizontal and vertical.
        mean_deg: (cases, slips, SNRs, users, gazes) mean length of a normal error with that covariance.
        gaze_deg: (gazes, 2).
    """

    headset: str
    question: Question
    gaze_deg: NDArray[np.float64]
    variance: NDArray[np.float64]
    mean_deg: NDArray[np.float64]

    def rms_deg(self, case: str, slip: int, snr: int) -> tuple[float, float, float]:
        """Radial, horizontal and vertical: root mean square over users and gazes (°)."""
        h, v = self.variance[CASES.index(case), slip, snr].mean(axis=(0, 1))
        return float(np.sqrt(h + v)), float(np.sqrt(h)), float(np.sqrt(v))

    def median_user_deg(self, case: str, slip: int, snr: int) -> float:
        """Mean error over gazes of the median user: what `psog evaluate` prints of a network."""
        return float(np.median(self.mean_deg[CASES.index(case), slip, snr].mean(axis=1)))

    def map_deg(self, case: str, slip: int, snr: int) -> NDArray[np.float64]:
        """(gazes,) radial, root mean square over users (°)."""
        mapped: NDArray[np.float64] = np.sqrt(
            self.variance[CASES.index(case), slip, snr].sum(axis=-1).mean(axis=0)
        )
        return mapped


class Scene(NamedTuple):
    """One user's derivatives, of irradiance: (points, s, P) at the calibration targets as the headset was
    put on, and (gazes, s, P) after each slip."""

    calibration: Tensor
    use: list[Tensor]


def survey(headset: Headset, question: Question, progress: Progress | None = None) -> Bounds:
    """The bound for every user, gaze, slip, SNR and case.

    Raises:
        SimulationError: a part of the headset would touch an eye.
    """
    return survey_points(headset, question, (question.points,), progress)[0]


def survey_points(
    headset: Headset, question: Question, points: Sequence[int], progress: Progress | None = None
) -> list[Bounds]:
    """`survey` for several numbers of calibration points, in the time of one.

    Raises:
        SimulationError: as `survey`, or an impossible number of points.
    """
    asked = [replace(question, points=count) for count in points]
    q = max(asked, key=lambda one: one.points)
    optics = TorchOptics(headset, q.quadrature, q.effects)
    known = priors(headset.field_deg, q.donning_mm, q.seed, optics.effects)
    slips = [slip_covariance(slip, q.seed) for slip in q.slips_mm]
    gaze_deg = gaze_grid(headset.field_deg, q.gazes)
    scales = [readings_per_noise(headset, optics, snr)[:, None] for snr in q.snrs]
    users = user_columns(draw_users(q.users, derived_seed(q.seed, "bound")))
    shape = (len(asked), len(CASES), len(q.slips_mm), len(scales), q.users, len(gaze_deg))
    variance, mean_deg = np.empty((*shape, 2)), np.empty(shape)
    size = max(1, _SAMPLES_AT_ONCE // len(gaze_deg))
    for first in range(0, q.users, size):
        batch = {name: column[first : first + size] for name, column in users.items()}
        scenes = user_scenes(optics, headset.field_deg, batch, q, names=known.user_names, first=first)
        for k, scene in enumerate(scenes, start=first):
            for i, one in enumerate(asked):
                calibrated = scene._replace(calibration=scene.calibration[: one.points])
                for j, scale in enumerate(scales):
                    found = covariances(calibrated, scale, known, slips)
                    variance[i, :, :, j, k] = found.diagonal(dim1=-2, dim2=-1).numpy()
                    mean_deg[i, :, :, j, k] = mean_length(found.numpy())
        if progress is not None:
            progress(first + len(scenes), q.users)
    return [
        Bounds(headset.name, one, gaze_deg.numpy(), variance[i], mean_deg[i]) for i, one in enumerate(asked)
    ]


def mean_length(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...) mean length of a normal vector with covariance (..., 2, 2): √(2λ/π) · E(1 - μ/λ), λ >= μ the
    eigenvalues and E the complete elliptic integral of the second kind."""
    small, large = np.moveaxis(np.linalg.eigvalsh(covariance), -1, 0)
    lengths: NDArray[np.float64] = np.sqrt(2 * large / np.pi) * ellipe(1 - small / large)
    return lengths


def readings_per_noise(headset: Headset, optics: TorchOptics, snr: float | None = None) -> Tensor:
    """(sensors,) standard deviations of noise per unit of irradiance (mm²), at `snr` or at the headset's own.

    Every reading has the noise of a nominal one, as in training.
    """
    ratio = signal_to_noise(headset) if snr is None else np.full(headset.sensor_count, snr)
    return torch.as_tensor(ratio) / nominal_light(optics)


def gaze_grid(field_deg: tuple[float, float], side: int) -> Tensor:
    """(side², 2) row by row from the lower left, from border to border of the field."""
    steps = torch.linspace(-1, 1, side, dtype=torch.float64)
    y, x = torch.meshgrid(steps * field_deg[1], steps * field_deg[0], indexing="ij")
    return torch.stack([x.reshape(-1), y.reshape(-1)], -1)


def user_scenes(
    optics: TorchOptics,
    field_deg: tuple[float, float],
    users: Columns,
    question: Question,
    *,
    names: tuple[str, ...],
    first: int,
) -> list[Scene]:
    """Derivatives of user `first` and following, all at once; (m,) attributes each.

    User k's fit and slips depend on (seed, k) and the question alone.
    """
    count, seed = len(users["eye_radius_mm"]), question.seed
    starts = [donning(stream(seed, "bound/fit", first + k), question.donning_mm) for k in range(count)]

    def after(slip_mm: float) -> list[NDArray[np.float64]]:
        # The same direction for every distance, so that distances are compared and not directions.
        return [
            slipped(stream(seed, "bound/slip", first + k), start, slip_mm) for k, start in enumerate(starts)
        ]

    def at(fits: list[NDArray[np.float64]], gaze_deg: Tensor) -> Tensor:
        def one(user: Columns, fit: Tensor) -> Tensor:
            return jacobian(optics, user, fit, gaze_deg, names)

        return torch.vmap(one)(users, torch.as_tensor(np.array(fits)))

    calibration = at(starts, torch.as_tensor(calibration_targets(field_deg, question.points)))
    use = [at(after(slip_mm), gaze_grid(field_deg, question.gazes)) for slip_mm in question.slips_mm]
    return [Scene(calibration[k], [each[k] for each in use]) for k in range(count)]


def covariances(scene: Scene, scale: Tensor, known: Priors, slips: list[Tensor]) -> Tensor:
    """(cases, slips, gazes, 2, 2) bounds on the covariance of gaze (°²).

    Args:
        scale: (s, 1) standard deviations of noise per unit of irradiance.
        slips: (4, 4) each, covariance of the fit's change.
    """
    calibrated = calibrated_prior(scene.calibration * scale, known)
    fresh = block_diagonal(known.user, known.donning)
    user = len(known.user_names)
    certain = fresh.clone()
    certain[:user, :user] = 0
    found = []
    for lasting in (certain, fresh, calibrated):
        for derivatives, slip in zip(scene.use, slips, strict=True):
            found.append(gaze_bound(derivatives * scale, lasting, slip, known))
    return torch.stack(found).reshape(len(CASES), len(slips), -1, 2, 2)


def calibrated_prior(derivatives: Tensor, known: Priors) -> Tensor:
    """(U + 4, U + 4) covariance of user and fit after a calibration with derivatives (points, s, P)."""
    user, fit, moment, gaze = (derivatives[..., part] for part in (USER, FIT, MOMENT, GAZE))
    fixation = torch.eye(2, dtype=gaze.dtype) * FIXATION_SD_DEG**2
    posterior = after_calibration(
        torch.cat([user, fit, moment], -1),
        torch.cat([gaze, moment], -1),
        block_diagonal(known.user, known.donning, known.hold),
        block_diagonal(fixation, known.moment),
        SAMPLES_PER_POINT,
    )
    lasts = len(known.user_names) + 4
    return posterior[:lasts, :lasts]


def gaze_bound(derivatives: Tensor, lasting: Tensor, slip: Tensor, known: Priors) -> Tensor:
    """(n, 2, 2) from derivatives (n, s, P), with the covariance of user and fit before the slip."""
    user, fit, moment, gaze = (derivatives[..., part] for part in (USER, FIT, MOMENT, GAZE))
    moved = lasting.clone()
    moved[-4:, -4:] += slip
    everything = block_diagonal(moved, known.hold + known.moment)
    return gaze_covariance(gaze, torch.cat([user, fit, moment], -1), everything, known.gaze)
