"""What the eye is doing at one instant, in the terms of the renderer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError, SimulationError
from psog.sim import anatomy
from psog.sim.lids import margins
from psog.sim.population import Users

Array = NDArray[np.floating]

STATE_COLUMNS = 6
"""Optical axis (x, y, z; unit vector, head axes), pupil diameter, upper and lower lid margin (mm)."""


def eye_states(
    users: Users,
    *,
    roll_deg: Array,
    gaze_deg: Array,
    openness: Array,
    pupil_mm: Array,
    lid_offset_mm: Array,
) -> NDArray[np.float32]:
    """States for the renderer.

    Gaze is given in headset axes, because that is what a headset reports and where its targets are;
    kappa and lids belong to the head, against which the headset may be rolled.

    Args:
        users: m users.
        roll_deg: (m,) roll of the headset against the head.
        gaze_deg: (m, n, 2) line of sight, Fick angles in headset axes.
        openness: (m, n) 0 to 1.
        pupil_mm: (m, n) diameter.
        lid_offset_mm: (m, n, 2) wandering of upper and lower margin.
    Returns:
        (m, n, STATE_COLUMNS).
    Raises:
        ShapeError: the arguments do not match.
        SimulationError: gaze beyond 60°, openness outside 0..1, a pupil that is not positive, NaN.
    """
    shape = (users.count, *openness.shape[1:])
    found = (roll_deg.shape, gaze_deg.shape, openness.shape, pupil_mm.shape, lid_offset_mm.shape)
    if found != ((users.count,), (*shape, 2), shape, shape, (*shape, 2)):
        raise ShapeError(
            f"eye states: roll, gaze, openness, pupil, lids have shapes {found}, users {shape[0]}"
        )
    _check(np.abs(gaze_deg) <= anatomy.LIMIT_DEG, f"gaze must lie within ±{anatomy.LIMIT_DEG:.0f}°")
    _check((openness >= 0) & (openness <= 1), "openness must lie within 0 and 1")
    _check((pupil_mm > 0) & (pupil_mm < 10), "pupil diameter must lie between 0 and 10 mm")
    _check(np.isfinite(lid_offset_mm), "lid offsets must be finite")
    h, v = _gaze_in_head(np.deg2rad(gaze_deg), np.deg2rad(roll_deg))
    upper, lower = margins(users, np.rad2deg(v), openness, lid_offset_mm)
    h = h + np.deg2rad(users.kappa_h_deg)[:, None]
    v = v + np.deg2rad(users.kappa_v_deg)[:, None]
    columns = (np.sin(h) * np.cos(v), np.sin(v), np.cos(h) * np.cos(v), pupil_mm, upper, lower)
    return np.stack(columns, axis=-1).astype(np.float32)


def _gaze_in_head(gaze: Array, roll: Array) -> tuple[Array, Array]:
    """Fick angles (radians) against the head of a gaze given against the rolled headset."""
    h, v = gaze[..., 0], gaze[..., 1]
    x, y, z = np.sin(h) * np.cos(v), np.sin(v), np.cos(h) * np.cos(v)
    c, s = np.cos(roll)[:, None], np.sin(roll)[:, None]
    x, y = c * x - s * y, s * x + c * y
    return np.arctan2(x, z), np.arcsin(np.clip(y, -1, 1))


def _check(good: NDArray[np.bool_], expected: str) -> None:
    if not good.all():
        raise SimulationError(f"cannot simulate the eye: {int((~good).sum())} values are wrong; {expected}")
