"""The lids: margins that follow the gaze and close in a blink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.sim.population import Users

Array = NDArray[np.floating]

POSE_SD_MM = 0.15
"""How differently one user holds the lids from one donning to the next; a weak value."""
MOMENT_SD_MM = 0.10
"""How a margin wanders from moment to moment; a weak value."""
WIDEST_MM = 10.5
"""No margin is drawn back further than this; the tables end at 11 mm."""


def margins(users: Users, gaze_v_deg: Array, openness: Array, offset_mm: Array) -> tuple[Array, Array]:
    """Height of the upper and depth of the lower margin at the middle of the fissure.

    The margins are parabolas through the canthi; the upper one comes down to the lower in a blink.

    Args:
        users: one row per leading index of the other arguments, (m,) users for (m, n) samples.
        gaze_v_deg: (m, n) elevation against the head.
        openness: (m, n); 1 is as open as the gaze asks for, 0 closed.
        offset_mm: (m, n, 2) wandering of the upper and lower margin.
    Returns:
        (m, n) upper, (m, n) lower: mm above and below the rotation centre.
    """
    upper = users.lid_upper_mm[:, None] + users.lid_upper_mm_per_deg[:, None] * gaze_v_deg + offset_mm[..., 0]
    lower = users.lid_lower_mm[:, None] - users.lid_lower_mm_per_deg[:, None] * gaze_v_deg + offset_mm[..., 1]
    lower = np.clip(lower, 0.0, WIDEST_MM)
    upper = np.clip(upper, -lower, WIDEST_MM)
    return openness * upper - (1 - openness) * lower, lower
