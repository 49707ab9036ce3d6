"""What the eye is doing, in the terms of the renderer; see `psog.sim.state` and `psog.sim.lids`."""

from __future__ import annotations

import torch
from torch import Tensor

from psog.sim.lids import WIDEST_MM
from psog.sim.torch.surfaces import Columns


def eye_states(
    user: Columns,
    *,
    roll_deg: Tensor,
    gaze_deg: Tensor,
    openness: Tensor,
    pupil_mm: Tensor,
    lid_offset_mm: Tensor,
) -> Tensor:
    """States of one user, differentiable in everything that is given.

    Args:
        user: () each.
        roll_deg: () roll of the headset against the head.
        gaze_deg: (n, 2) line of sight, Fick angles in headset axes.
        openness: (n,) 0 to 1.
        pupil_mm: (n,) diameter.
        lid_offset_mm: (n, 2) wandering of upper and lower margin.
    Returns:
        (n, 6) as from `psog.sim.state.eye_states`.
    """
    h, v = _gaze_in_head(torch.deg2rad(gaze_deg), torch.deg2rad(roll_deg))
    upper, lower = margins(user, torch.rad2deg(v), openness, lid_offset_mm)
    h = h + torch.deg2rad(user["kappa_h_deg"])
    v = v + torch.deg2rad(user["kappa_v_deg"])
    columns = (h.sin() * v.cos(), v.sin(), h.cos() * v.cos(), pupil_mm, upper, lower)
    return torch.stack(columns, -1)


def margins(user: Columns, gaze_v_deg: Tensor, openness: Tensor, offset_mm: Tensor) -> tuple[Tensor, Tensor]:
    """(n,) height of the upper and depth of the lower margin at the middle of the fissure, mm."""
    upper = user["lid_upper_mm"] + user["lid_upper_mm_per_deg"] * gaze_v_deg + offset_mm[..., 0]
    lower = user["lid_lower_mm"] - user["lid_lower_mm_per_deg"] * gaze_v_deg + offset_mm[..., 1]
    lower = lower.clamp(0.0, WIDEST_MM)
    upper = torch.maximum(-lower, upper.clamp_max(WIDEST_MM))
    return openness * upper - (1 - openness) * lower, lower


def _gaze_in_head(gaze: Tensor, roll: Tensor) -> tuple[Tensor, Tensor]:
    """Fick angles (radians) against the head of a gaze given against the rolled headset."""
    h, v = gaze.unbind(-1)
    x, y, z = h.sin() * v.cos(), v.sin(), h.cos() * v.cos()
    x, y = roll.cos() * x - roll.sin() * y, roll.sin() * x + roll.cos() * y
    return torch.atan2(x, z), y.asin()
