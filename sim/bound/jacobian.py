"""Derivatives of the readings by everything that is unknown: exact, in forward mode."""

from __future__ import annotations

import torch
from torch import Tensor

from psog.sim.bound.parameters import FIT, GAZE, MOMENT, USER
from psog.sim.population import nominal_user
from psog.sim.torch.render import TorchOptics, render_one, tables_of
from psog.sim.torch.state import eye_states
from psog.sim.torch.surfaces import Columns, user_columns
from psog.sim.torch.tables import Tables

_IN_TABLES = (
    "eye_radius_mm",
    "fissure_half_mm",
    "sclera",
    "skin",
    "lid_upper_mm",
    "face_tilt_h",
    "face_tilt_v",
    "relief_mm",
    "relief_phase",
    "crease_mm",
    "lens_dioptre",
)
"""User attributes that change the tables; so does the fit. For the others the tables are constants. The
crease is told from the upper lid."""


def readings(
    optics: TorchOptics,
    user: Columns,
    fit: Tensor,
    gaze_deg: Tensor,
    deviation: Tensor,
    *,
    names: tuple[str, ...] = (),
    tables: Tables | None = None,
) -> Tensor:
    """Irradiance for one user with open eyes, displaced from a working point by `deviation`.

    Args:
        user: () each.
        fit: (4,) shift (mm) and roll (°).
        gaze_deg: (n, 2).
        deviation: (9 + len(names),) as in `psog.sim.bound.parameters`, the same for all samples.
        names: of the user's attributes that `deviation` displaces.
        tables: where they are known already.
    Returns:
        (n, sensors) 1/mm².
    """
    user = {**user, **{name: user[name] + deviation[USER][i] for i, name in enumerate(names)}}
    fit = fit + deviation[FIT]
    moment = deviation[MOMENT]
    open_wide = torch.ones(len(gaze_deg), dtype=gaze_deg.dtype, device=gaze_deg.device)
    states = eye_states(
        user,
        roll_deg=fit[3],
        gaze_deg=gaze_deg + deviation[GAZE],
        openness=open_wide,
        pupil_mm=(user["pupil_mm"] + moment[0]) * open_wide,
        lid_offset_mm=moment[1:] * open_wide[:, None],
    )
    pose = torch.cat([fit[:3], torch.deg2rad(fit[3:])])
    return render_one(optics, user, pose, states, tables)


def nominal_light(optics: TorchOptics) -> Tensor:
    """(sensors,) what the nominal eye gives straight ahead in the nominal pose, 1/mm²; differentiable."""
    user = {name: column[0] for name, column in user_columns(nominal_user()).items()}
    zero = torch.zeros(USER.start, dtype=torch.float64)
    return readings(optics, user, zero[FIT], zero[None, GAZE], zero)[0]


def jacobian(
    optics: TorchOptics, user: Columns, fit: Tensor, gaze_deg: Tensor, names: tuple[str, ...]
) -> Tensor:
    """Derivatives of `readings` at zero deviation; differentiable in turn by the sensors' places.

    Returns:
        (n, sensors, 9 + len(names)) 1/mm² per unit of each parameter.
    """
    count = USER.start + len(names)
    everything = torch.eye(count, dtype=fit.dtype, device=fit.device)
    in_tables = [*range(FIT.start, FIT.stop)]
    in_tables += [USER.start + i for i, name in enumerate(names) if name in _IN_TABLES]
    others = [k for k in range(count) if k not in in_tables]
    pose = torch.cat([fit[:3], torch.deg2rad(fit[3:])])
    tables = tables_of(optics, user, pose)

    def along(columns: list[int], tables: Tables | None) -> Tensor:
        def moved(amounts: Tensor) -> Tensor:
            return readings(
                optics, user, fit, gaze_deg, amounts @ everything[columns], names=names, tables=tables
            )

        zero = torch.zeros(len(columns), dtype=fit.dtype, device=fit.device)
        found: Tensor = torch.func.jacfwd(moved)(zero)
        return found

    both = torch.cat([along(in_tables, None), along(others, tables)], -1)
    order = torch.tensor([*in_tables, *others], device=fit.device).argsort()
    return both[..., order]
