"""What wearers of simulated calibrations do: looks at targets, and the stages of a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from psog.sim import lids, pupil
from psog.sim.anatomy import PUPIL_RANGE_MM
from psog.sim.blinks import draw_blink
from psog.sim.fits import Fit
from psog.sim.population import Users

Kind = Literal[
    "attentive", "eyes closed", "keeps blinking", "drowsy", "looks anywhere", "looks at the last target",
    "misses half", "misses one", "two swapped", "mirrored", "bright light", "sensors dead", "constant",
    "noise", "other eye", "slips half way", "slips all the time",
]  # fmt: skip
"""How a wearer calibrates."""
KINDS: tuple[Kind, ...] = get_args(Kind)
InUse = Literal["none", "own", "own, put on anew", "of another"]
"""Whose calibration the headset has: nobody's, this wearer's from before in the same fit or another, or
another wearer's."""
IN_USE: tuple[InUse, ...] = get_args(InUse)

STEP_US = 12_500
"""From reading to reading: so few stand for the 300 of a target, enough to see that the eye is at rest."""
WANTED = 24
"""Readings of a target: 0.3 s, as psog-calibrate takes."""
OFFERED = 72
"""Readings that a target is shown for, 0.9 s: eight until the eye counts as at rest, also after a blink. Then
psog-calibrate would give up; it waits for longer."""
FIXATION_SD_DEG = 0.3
"""How far from a target people look, per axis, and how far the eye wanders there: as in training."""
WANDER_SD_DEG = 0.05
BLINK_SHARE = 0.1
"""Of targets, in the 0.9 s of which an attentive wearer blinks: 8 to 21 blinks a minute make 0.1 to 0.2 of
them, but many are held back until the target has gone; a weak value."""


@dataclass(frozen=True)
class Looks:
    """One stage of a sequence: so many looks of n readings each.

    Attributes:
        said_deg: (looks, 2) where the wearer is asked to look.
        other: (looks,) whether that is the other wearer's eye.
        fits: (looks, 4) of the headset.
        gaze_deg: (looks, n, 2) where the eye looks; openness, pupil_mm: (looks, n).
        lid_offset_mm: (looks, n, 2).
    """

    said_deg: NDArray[np.float64]
    other: NDArray[np.bool_]
    fits: NDArray[np.float64]
    gaze_deg: NDArray[np.float64]
    openness: NDArray[np.float64]
    pupil_mm: NDArray[np.float64]
    lid_offset_mm: NDArray[np.float64]


@dataclass(frozen=True)
class Sequence:
    """Stages of one sequence; with wire readings (looks, n, sensors) of each once they are rendered."""

    number: int
    kind: Kind
    in_use: InUse
    goes_on: bool
    """Whether the wearer does the same at validation."""
    stages: dict[str, Looks]
    wire: dict[str, NDArray[np.uint16]]


def attentive(
    random: np.random.Generator,
    users: Users,
    said_deg: NDArray[np.float64],
    shape: tuple[int, int],
    fit: Fit,
    *,
    other: bool = False,
    blinks: bool = False,
    exact: bool = False,
) -> Looks:
    """A wearer who looks where they are asked to."""
    looks, n = shape
    beside = np.zeros((looks, 1, 2)) if exact else random.standard_normal((looks, 1, 2)) * FIXATION_SD_DEG
    wander = np.zeros((looks, n, 2)) if exact else random.standard_normal((looks, n, 2)) * WANDER_SD_DEG
    mean_mm = users.pupil_mm[int(other)]
    (luminance,), (arousal,) = pupil.draw_stretches(random, 1)
    diameter = pupil.own_diameter_mm(mean_mm + arousal, luminance)
    diameter = diameter + random.standard_normal((looks, 1)) * pupil.MOMENT_SD_MM
    offset = random.standard_normal(2) * lids.POSE_SD_MM
    offset = offset + random.standard_normal((looks, 1, 2)) * lids.MOMENT_SD_MM
    openness = np.ones(shape)
    for look in range(looks if blinks else 0):
        if random.random() < BLINK_SHARE:
            openness[look] = blinking(random, n, 1)
    return Looks(
        said_deg=said_deg,
        other=np.full(looks, other),
        fits=np.tile(fit, (looks, 1)),
        gaze_deg=said_deg[:, None] + beside + wander,
        openness=openness,
        pupil_mm=np.tile(np.clip(diameter, *PUPIL_RANGE_MM), (1, n)),
        lid_offset_mm=np.tile(offset, (1, n, 1)),
    )


def blinking(random: np.random.Generator, n: int, blinks: int) -> NDArray[np.float64]:
    """(n,) openness with so many blinks."""
    t_s = np.arange(n) * STEP_US / 1e6
    openness = np.ones(n)
    for _ in range(blinks):
        blink = draw_blink(random)
        since = t_s - random.uniform(-0.1, t_s[-1])
        during = (since >= 0) & (since <= blink.duration_s)
        openness = np.where(during, np.minimum(openness, blink.openness(since)), openness)
    return np.clip(openness, 0, 1)
