"""A user who wears the headset: gaze in, ADC counts out, a few samples at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.headset import Headset
from psog.sim import lids
from psog.sim.ambient import DARK, Ambient
from psog.sim.anatomy import PUPIL_RANGE_MM
from psog.sim.device import Device
from psog.sim.drift import Drift
from psog.sim.electronics import Electronics
from psog.sim.fits import Fit, check_distances, donning, slipped
from psog.sim.population import Users
from psog.sim.pupil import MOMENT_SD_MM, POSE_SD_MM, UNREST_TIME_S
from psog.sim.render import Optics, Scene, pose_rows
from psog.sim.state import eye_states
from psog.sim.streams import stream

LID_TIME_S = 0.5
"""How quickly a margin wanders; a weak value."""


class LiveEye:
    """One user with a headset on; keeps pupil, lids and noise going from call to call."""

    def __init__(
        self,
        headset: Headset,
        users: Users,
        user_index: int,
        seed: int,
        *,
        number: int | None = None,
        ambient: Ambient = DARK,
    ) -> None:
        """
        Args:
            users: of which the one at `user_index` wears the headset, at first in the nominal pose. Every
                user has a device of their own.
            number: of this user among all of the seed, where `users` are only some of them; `user_index`
                unless given.
            ambient: light that the headset does not make.
        Raises:
            SimulationError: no such user, the headset would touch the eye, or ambient light on a headset
                whose photocurrents are not known.
        """
        if not 0 <= user_index < users.count:
            raise SimulationError(f"no user {user_index}; expected 0 to {users.count - 1}")
        number = user_index if number is None else number
        device = Device(headset, seed, number)
        self._electronics = Electronics(headset, ambient=ambient, device=device)
        self._user = users.take(slice(user_index, user_index + 1))
        self._optics = Optics(device.headset)
        self._random = stream(seed, "wear", number)
        self._noise = stream(seed, "noise", number)
        unrest = stream(seed, "unrest", number), headset.rate_hz
        self._pupil = Drift(*unrest, sd=MOMENT_SD_MM, time_s=UNREST_TIME_S, axes=1)
        self._lids = Drift(
            stream(seed, "lids", number), headset.rate_hz, sd=lids.MOMENT_SD_MM, time_s=LID_TIME_S, axes=2
        )
        self.pupil_mm: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        """(n,) pupil diameter of the latest readings."""
        self.wear()

    @property
    def fit(self) -> Fit:
        """(4,) shift x, y, z (mm) and roll (degrees) of the headset against the head."""
        return self._fit.copy()

    def wear(self, shift_mm: tuple[float, float, float] = (0, 0, 0), roll_deg: float = 0.0) -> None:
        """Put the headset on anew: lids and pupil are held a little differently each time.

        Raises:
            SimulationError: the headset would touch the eye, or numbers that are not finite.
        """
        self.place(np.array([*shift_mm, roll_deg], dtype=np.float64))
        self._lid_offset_mm = self._random.standard_normal(2) * lids.POSE_SD_MM
        self._pupil_mean_mm = self._user.pupil_mm[0] + self._random.standard_normal() * POSE_SD_MM

    def place(self, fit: Fit) -> None:
        """Move the headset to a fit while it stays on.

        Raises:
            SimulationError: the headset would touch the eye, or numbers that are not finite.
        """
        self._scene = Scene(self._optics, self._user, pose_rows(fit[None, :3], fit[3:]))
        self._fit = fit

    def don(self, donning_mm: float) -> None:
        """Put the headset on anew in a random place, up to `donning_mm` beside the nominal one."""
        check_distances(donning_mm=donning_mm)
        fit = donning(self._random, donning_mm)
        self.wear((fit[0], fit[1], fit[2]), fit[3])

    def slip(self, distance_mm: float) -> None:
        """Let the headset slip by exactly `distance_mm` in a random direction, with some roll.

        Raises:
            SimulationError: a negative distance, or the headset would touch the eye.
        """
        check_distances(distance_mm=distance_mm)
        self.place(slipped(self._random, self._fit, distance_mm))

    def read(self, gaze_deg: NDArray[np.floating], openness: NDArray[np.floating]) -> NDArray[np.float32]:
        """Readings of the next n samples at the headset's rate.

        Args:
            gaze_deg: (n, 2) line of sight in headset axes.
            openness: (n,) 0 closed to 1.
        Returns:
            (n, sensors) whole ADC counts, noise included.
        Raises:
            ShapeError, SimulationError: arguments that do not match or cannot be.
        """
        count = len(openness)
        pupil = np.clip(self._pupil_mean_mm + self._pupil.advance(count)[:, 0], *PUPIL_RANGE_MM)
        self.pupil_mm = pupil.astype(np.float32)
        states = eye_states(
            self._user,
            roll_deg=self._fit[3:],
            gaze_deg=np.asarray(gaze_deg)[None],
            openness=np.asarray(openness)[None],
            pupil_mm=pupil[None],
            lid_offset_mm=(self._lid_offset_mm + self._lids.advance(count))[None],
        )
        return self._electronics.read(self._scene.render(states[0]), self._noise)
