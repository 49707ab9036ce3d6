"""Moments rendered again: the same user and gaze, with everything else a little different."""

from __future__ import annotations

import numpy as np

from psog.errors import SimulationError
from psog.headset import Headset
from psog.positives import Positives
from psog.sim.electronics import digitize
from psog.sim.episodes import Draw, Progress, draw_moments, rendered_episodes
from psog.sim.fits import check_distances, donning, slipped
from psog.sim.render import Quadrature
from psog.sim.streams import derived_seed, stream

VIEWS = 4
MOMENTS = 64
"""Of one user: rendering a pose pays from some on."""
SHIFT_MM = 0.5
"""A view's headset sits up to so far from where the user put it; a weak value. Whether a larger shift can be
told from a gaze depends on the layout (docs/bound.md)."""
LARGEST_SHIFT_MM = 1.0
"""More is a slip that no two views of one fixation have."""
GAIN_SD = 0.02
"""Of all sensors together, from view to view: LEDs and supply by temperature; a weak value. Sensors never
change their gain one by one: that looks like another gaze."""


def make_views(
    headset: Headset,
    *,
    users: int,
    moments: int = MOMENTS,
    views: int = VIEWS,
    shift_mm: float = SHIFT_MM,
    donning_mm: float = 2.0,
    seed: int,
    quadrature: Quadrature | None = None,
    progress: Progress | None = None,
) -> Positives:
    """Moments of simulated users, each in several views.

    A moment is a gaze, uniform over the headset's field, of an open eye. A view has its own slip of up to
    `shift_mm`, light (and so pupil), lids, gain and noise; the gaze in the headset's axes is the same to the
    digit. User k depends on (seed, k) and the parameters, not on how many users there are.

    Raises:
        SimulationError: a parameter that cannot be, a single view, or a shift of LARGEST_SHIFT_MM or more.
    """
    if users < 1 or moments < 1 or views < 2:
        raise SimulationError(
            f"cannot make views: {users} users, {moments} moments, {views} views; expected at least 1, 1, 2"
        )
    check_distances(shift_mm=shift_mm, donning_mm=donning_mm)
    if shift_mm >= LARGEST_SHIFT_MM:
        raise SimulationError(
            f"cannot make views: shift_mm is {shift_mm:g}, expected below {LARGEST_SHIFT_MM:g}; larger "
            "slips are for episodes"
        )

    def draw(random: np.random.Generator, pupil_mm: float) -> Draw:
        start = donning(random, donning_mm)
        fits = np.array([slipped(random, start, random.uniform(0, shift_mm)) for _ in range(views)])
        gaze = np.broadcast_to(random.uniform(-1, 1, (moments, 2)) * headset.field_deg, (views, moments, 2))
        return Draw(fits, gaze, gaze, *draw_moments(random, (views, moments), pupil_mm, 0.0))

    users_seed = derived_seed(seed, "views")
    made = rendered_episodes(
        headset, draw, count=users, users_seed=users_seed, seed=seed, quadrature=quadrature, progress=progress
    )
    readings = np.empty((users, moments, views, headset.sensor_count), np.float32)
    for user in range(users):
        random = stream(users_seed, "gain and noise", user)
        gain = 1 + GAIN_SD * random.standard_normal((views, 1, 1), dtype=np.float32)
        readings[user] = digitize(made.readings[user] * gain, headset, random).transpose(1, 0, 2)
    return Positives(
        headset.name,
        readings.reshape(users * moments, views, -1),
        np.repeat(np.arange(users), moments),
    )
