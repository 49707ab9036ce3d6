"""A user who wears the headset: gaze in, ADC counts out, a few samples at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError, SimulationError
from psog.headset import Headset
from psog.sim import lids
from psog.sim.ambient import DARK, Ambient
from psog.sim.device import Device
from psog.sim.drift import Drift
from psog.sim.electronics import Electronics
from psog.sim.fits import Fit, check_distances, donning, slipped
from psog.sim.population import Users
from psog.sim.pupil import DISPLAY_CD_M2, Pupil, draw_stretches
from psog.sim.render import Optics, check_distance, pose_rows, render_user
from psog.sim.slippage import MOTIONS, Motion, Slippage
from psog.sim.state import eye_states
from psog.sim.streams import stream

LID_TIME_S = 0.5
"""How quickly a margin wanders; a weak value."""


class LiveEye:
    """One user with a headset on; keeps fit, pupil, lids and noise going from call to call.

    Attributes:
        luminance_cd_m2: of the display; the pupil answers to a new one. `wear` chooses one.
        pupil_mm: (n,) float32 diameter of the latest readings.
        fits: (n, 4) float32 shift x, y, z (mm) and roll (degrees) of the latest readings.
    """

    def __init__(
        self,
        headset: Headset,
        users: Users,
        user_index: int,
        seed: int,
        *,
        number: int | None = None,
        ambient: Ambient = DARK,
        motion: Motion = MOTIONS["fixed"],
    ) -> None:
        """
        Args:
            users: of which the one at `user_index` wears the headset, at first in the nominal pose. Every
                user has a device of their own.
            number: of this user among all of the seed, where `users` are only some of them; `user_index`
                unless given.
            ambient: light that the headset does not make.
            motion: how much the headset moves while it is worn.
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
        self._pupil = Pupil(seed, number, headset.rate_hz, self._user.pupil_mm[0])
        self._lids = Drift(
            stream(seed, "lids", number), headset.rate_hz, sd=lids.MOMENT_SD_MM, time_s=LID_TIME_S, axes=2
        )
        self._moves = motion != MOTIONS["fixed"]
        self._slippages = _donnings(motion, seed, number, headset.rate_hz)
        self.luminance_cd_m2 = DISPLAY_CD_M2
        self.pupil_mm: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self.fits: NDArray[np.float32] = np.zeros((0, 4), dtype=np.float32)
        self.wear()

    @property
    def fit(self) -> Fit:
        """(4,) shift x, y, z (mm) and roll (degrees) of the headset against the head, now."""
        return self._placed + self._slipped

    def wear(self, shift_mm: tuple[float, float, float] = (0, 0, 0), roll_deg: float = 0.0) -> None:
        """Put the headset on anew: lids and pupil are held a little differently each time.

        Raises:
            SimulationError: the headset would touch the eye, or numbers that are not finite.
        """
        self._check(np.array([*shift_mm, roll_deg], dtype=np.float64))
        self._placed, self._slipped = np.array([*shift_mm, roll_deg], dtype=np.float64), np.zeros(4)
        self._slippage = next(self._slippages)
        self._lid_offset_mm = self._random.standard_normal(2) * lids.POSE_SD_MM
        (luminance,), (arousal,) = draw_stretches(self._random, 1)
        self.luminance_cd_m2 = float(luminance)
        self._pupil.settle(self._user.pupil_mm[0] + arousal, luminance)

    def place(self, fit: Fit) -> None:
        """Move the headset to a fit while it stays on; from there it slips on as it did.

        Raises:
            SimulationError: the headset would touch the eye, or numbers that are not finite.
        """
        self._check(fit)
        self._placed = np.asarray(fit, dtype=np.float64) - self._slipped

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
        self.place(slipped(self._random, self.fit, distance_mm))

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
        gaze_deg, openness = np.asarray(gaze_deg), np.asarray(openness)
        if gaze_deg.shape != (*openness.shape, 2) or openness.ndim != 1:
            raise ShapeError(
                f"cannot read: gaze and openness have shapes {gaze_deg.shape} and {openness.shape}, "
                "expected (n, 2) and (n,)"
            )
        slip = self._slippage.advance(len(openness))
        fits = self._placed + slip.fits
        pupil_mm = self._pupil.advance(len(openness), self.luminance_cd_m2)
        lid_offset_mm = self._lid_offset_mm + self._lids.advance(len(openness)) + slip.lid_offset_mm
        moments = self._user.take(np.zeros(len(openness), dtype=np.intp))
        states = eye_states(
            moments,
            roll_deg=fits[:, 3],
            gaze_deg=gaze_deg[:, None],
            openness=openness[:, None],
            pupil_mm=pupil_mm[:, None],
            lid_offset_mm=lid_offset_mm[:, None],
        )
        poses = fits if self._moves else self.fit[None]
        pose = pose_rows(poses[:, :3], poses[:, 3])
        light = render_user(self._optics, self._user, pose, states[:, 0], still=not self._moves)
        if len(fits) > 0:
            self._slipped = slip.fits[-1]
        self.pupil_mm, self.fits = pupil_mm.astype(np.float32), fits.astype(np.float32)
        return self._electronics.read(light, self._noise)

    def _check(self, fit: Fit) -> None:
        """Raise SimulationError if the headset cannot sit there."""
        check_distance(self._optics, self._user, pose_rows(fit[None, :3], fit[3:]))


def _donnings(motion: Motion, seed: int, number: int, rate_hz: float) -> Iterator[Slippage]:
    """What the headset does after it was put on, each time anew."""
    for k in count():
        yield Slippage(motion, seed, number, rate_hz, donning=k)
