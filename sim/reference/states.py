"""What the two simulators are compared on: users, fits and states of the eye, with what the reference lacks
left out of the users."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.sim.population import Users, draw_users
from psog.sim.render import pose_rows
from psog.sim.state import eye_states
from psog.sim.streams import stream

Array = NDArray[np.float64]

GAZE_DEG, SHIFT_MM, ROLL_DEG = 20.0, (2.0, 2.0, 1.0), 3.0
"""States lie within ± these."""
PUPIL_MM, LID_SD_MM = (2.0, 8.0), 0.2
HALF_CLOSED, LEAST_OPENNESS = 0.3, 0.2
"""Share of states with the lids on their way, and how far they close."""
_NEUTRAL = {"side": 1.0}
"""Of the columns of Users that the reference scene knows nothing of; the others are 0."""


@dataclass(frozen=True)
class States:
    """n states of the eye, each in a fit of its own.

    Attributes:
        users: whom they belong to.
        user: (n,) index into `users`.
        gaze_deg, shift_mm: (n, 2) and (n, 3); roll_deg, openness, pupil_mm: (n,); lid_offset_mm: (n, 2).
    """

    users: Users
    user: NDArray[np.int64]
    gaze_deg: Array
    shift_mm: Array
    roll_deg: Array
    openness: Array
    pupil_mm: Array
    lid_offset_mm: Array

    def __len__(self) -> int:
        return len(self.user)

    @property
    def worn_by(self) -> Users:
        """(n) the user of each state."""
        return self.users.take(self.user)

    @property
    def pose(self) -> NDArray[np.float32]:
        """(n, 4) for `psog.sim.render.render`."""
        return pose_rows(self.shift_mm, self.roll_deg)

    @property
    def rows(self) -> NDArray[np.float32]:
        """(n, 1, columns) for `psog.sim.render.render`."""
        return eye_states(
            self.worn_by,
            roll_deg=self.roll_deg,
            gaze_deg=self.gaze_deg[:, None],
            openness=self.openness[:, None],
            pupil_mm=self.pupil_mm[:, None],
            lid_offset_mm=self.lid_offset_mm[:, None],
        )


def random_states(count: int, users: int, seed: int) -> States:
    """State k belongs to user k modulo `users` and depends on (seed, k) alone.

    Raises:
        SimulationError: no states, no users, or a negative seed.
    """
    if count < 1:
        raise SimulationError(f"cannot draw {count} states; expected at least 1")
    drawn = draw_users(users, seed)
    columns = {item.name: getattr(drawn, item.name) for item in fields(drawn) if item.name in TOLD}
    rows = [_draw(stream(seed, "reference", k)) for k in range(count)]
    gaze, shift, roll, openness, pupil, lids = (np.array(column) for column in zip(*rows, strict=True))
    return States(plain_users(columns), np.arange(count) % users, gaze, shift, roll, openness, pupil, lids)


TOLD = (
    "eye_radius_mm",
    "cornea_radius_mm",
    "iris_radius_mm",
    "kappa_h_deg",
    "kappa_v_deg",
    "sclera",
    "iris",
    "pupil",
    "skin",
    "lid_upper_mm",
    "lid_lower_mm",
    "lid_upper_mm_per_deg",
    "lid_lower_mm_per_deg",
    "fissure_half_mm",
    "pupil_mm",
)
"""The columns of Users that the reference scene is made from."""


def plain_users(columns: dict[str, Array]) -> Users:
    """Users with these columns and without whatever else the simulator can give them."""
    count = len(columns[TOLD[0]])
    return Users(
        **{
            item.name: columns[item.name]
            if item.name in TOLD
            else np.full(count, _NEUTRAL.get(item.name, 0.0))
            for item in fields(Users)
        }
    )


def _draw(random: np.random.Generator) -> tuple[Array, Array, float, float, float, Array]:
    half_closed = random.random() < HALF_CLOSED
    closing = float(random.uniform(LEAST_OPENNESS, 1))
    return (
        random.uniform(-GAZE_DEG, GAZE_DEG, 2),
        random.uniform(-1, 1, 3) * SHIFT_MM,
        float(random.uniform(-ROLL_DEG, ROLL_DEG)),
        closing if half_closed else 1.0,
        float(random.uniform(*PUPIL_MM)),
        random.standard_normal(2) * LID_SD_MM,
    )
