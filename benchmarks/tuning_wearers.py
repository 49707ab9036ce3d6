"""Simulated calibrations: what sensors read while attentive and other wearers look, or do not look, at
targets.

A sequence is an earlier calibration that may be in use, the calibration, its validation, and what the headset
is worn for: the wearer looks at places that no one has asked for, with open eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from psog.calibration.targets import FIELD_SHARE, Target, plan_targets
from psog.headset import Headset
from psog.sim import lids, pupil
from psog.sim.anatomy import PUPIL_RANGE_MM
from psog.sim.blinks import draw_blink
from psog.sim.device import Device
from psog.sim.electronics import digitize, gains
from psog.sim.fits import Fit, donning, slipped
from psog.sim.population import Users, draw_users
from psog.sim.render import Optics, pose_rows, render
from psog.sim.state import eye_states
from psog.sim.streams import derived_seed, stream

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
DONNING_MM = 2.0
FIXATION_SD_DEG = 0.3
"""How far from a target people look, per axis, and how far the eye wanders there: as in training."""
WANDER_SD_DEG = 0.05
BLINK_SHARE = 0.1
"""Of targets, in the 0.9 s of which an attentive wearer blinks: 8 to 21 blinks a minute make 0.1 to 0.2 of
them, but many are held back until the target has gone; a weak value."""
_LATER_PLACES, _LATER_READINGS = 32, 1
_SLIP_MM = (1.0, 4.0)
"""Task means of 0.26 to 4.05 mm are known of glasses (Niehorster et al. 2020)."""
_BATCH = 32


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


def sequences(headset: Headset, points: int, count: int, seed: int) -> Iterator[Sequence]:
    """Sequences 0 … count − 1; number k depends on (seed, k) alone, its kind goes round."""
    optics, gain = Optics(headset), gains(headset)
    for first in range(0, count, _BATCH):
        numbers = range(first, min(first + _BATCH, count))
        users = [draw_users(2, derived_seed(seed, "tuning"), first=2 * k) for k in numbers]
        drawn = [_drawn(headset, points, k, seed, own) for k, own in zip(numbers, users, strict=True)]
        for name in drawn[0].stages:
            light = _render(optics, users, [one.stages[name] for one in drawn])
            for one, irradiance in zip(drawn, light, strict=True):
                one.wire[name] = _read(headset, irradiance * gain, one, name, seed)
        yield from (_spoilt(one, stream(seed, "tuning spoilt", one.number)) for one in drawn)


def _drawn(headset: Headset, points: int, number: int, seed: int, users: Users) -> Sequence:
    random = stream(seed, "tuning sequence", number)
    kind = KINDS[number % len(KINDS)]
    in_use = IN_USE[int(random.integers(len(IN_USE)))]
    plan = plan_targets(points, headset.field_deg, int(random.integers(1 << 31)))
    earlier, fit = donning(random, DONNING_MM), donning(random, DONNING_MM)
    if in_use == "own":
        earlier = fit
    targets = _places(plan.calibration)
    later = random.uniform(-1, 1, (_LATER_PLACES, 2)) * FIELD_SHARE * np.array(headset.field_deg)
    offered = len(targets), OFFERED
    other = in_use == "of another"
    stages = {
        "earlier": _attentive(random, users, targets, offered, earlier, other=other),
        "calibration": _attentive(random, users, targets, offered, fit, blinks=True),
        "validation": _attentive(random, users, _places(plan.validation), (8, OFFERED), fit, blinks=True),
        "later": _attentive(random, users, later, (_LATER_PLACES, _LATER_READINGS), fit, exact=True),
    }
    sequence = Sequence(number, kind, in_use, bool(random.random() < 0.5), stages, {})
    return _MISTAKES[kind](sequence, random) if kind in _MISTAKES else sequence


def _places(targets: tuple[Target, ...]) -> NDArray[np.float64]:
    return np.array([(target.h_deg, target.v_deg) for target in targets])


def _attentive(
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
            openness[look] = _blinking(random, n, 1)
    return Looks(
        said_deg=said_deg,
        other=np.full(looks, other),
        fits=np.tile(fit, (looks, 1)),
        gaze_deg=said_deg[:, None] + beside + wander,
        openness=openness,
        pupil_mm=np.tile(np.clip(diameter, *PUPIL_RANGE_MM), (1, n)),
        lid_offset_mm=np.tile(offset, (1, n, 1)),
    )


def _blinking(random: np.random.Generator, n: int, blinks: int) -> NDArray[np.float64]:
    """(n,) openness with so many blinks."""
    t_s = np.arange(n) * STEP_US / 1e6
    openness = np.ones(n)
    for _ in range(blinks):
        blink = draw_blink(random)
        since = t_s - random.uniform(-0.1, t_s[-1])
        during = (since >= 0) & (since <= blink.duration_s)
        openness = np.where(during, np.minimum(openness, blink.openness(since)), openness)
    return np.clip(openness, 0, 1)


# ---- Mistakes ---------------------------------------------------------------------------------------

Mistake = Callable[[Sequence, np.random.Generator], Sequence]


def _changed(change: Callable[[Looks, np.random.Generator], Looks]) -> Mistake:
    """The same in the calibration and, when it goes on, in the validation."""

    def mistake(sequence: Sequence, random: np.random.Generator) -> Sequence:
        names = ("calibration", "validation") if sequence.goes_on else ("calibration",)
        changed = {name: change(sequence.stages[name], random) for name in names}
        return replace(sequence, stages=sequence.stages | changed)

    return mistake


def _closed(looks: Looks, random: np.random.Generator) -> Looks:
    return replace(looks, openness=random.uniform(0, 0.3, (len(looks.said_deg), 1)) * looks.openness)


def _keeps_blinking(looks: Looks, random: np.random.Generator) -> Looks:
    n = looks.openness.shape[1]
    return replace(looks, openness=np.stack([_blinking(random, n, 3) for _ in looks.said_deg]))


def _drowsy(looks: Looks, random: np.random.Generator) -> Looks:
    return replace(looks, openness=random.uniform(0.4, 0.9, (len(looks.said_deg), 1)) * looks.openness)


def _missing(share: float | None) -> Callable[[Looks, np.random.Generator], Looks]:
    """Looks somewhere else at a share of the targets; at one, for None."""

    def change(looks: Looks, random: np.random.Generator) -> Looks:
        count = len(looks.said_deg)
        missed = random.permutation(count) < (1 if share is None else round(share * count))
        reach = np.abs(looks.said_deg).max(axis=0)
        elsewhere = random.uniform(-1, 1, (count, 1, 2)) * reach - looks.said_deg[:, None]
        return replace(looks, gaze_deg=looks.gaze_deg + np.where(missed[:, None, None], elsewhere, 0))

    return change


def _late(looks: Looks, random: np.random.Generator) -> Looks:
    return replace(looks, gaze_deg=np.roll(looks.gaze_deg, 1, axis=0))


def _swapped(looks: Looks, random: np.random.Generator) -> Looks:
    order = np.arange(len(looks.said_deg))
    first, second = random.choice(len(order), 2, replace=False)
    order[[first, second]] = order[[second, first]]
    return replace(looks, gaze_deg=looks.gaze_deg[order])


def _mirrored(looks: Looks, random: np.random.Generator) -> Looks:
    return replace(looks, gaze_deg=looks.gaze_deg * np.array([-1.0, 1.0]))


def _other_eye(sequence: Sequence, random: np.random.Generator) -> Sequence:
    """Somebody else calibrates, and the wearer wears it: at the latest the validation is the wearer's."""
    looks = sequence.stages["calibration"]
    strangers = replace(looks, other=np.full(len(looks.said_deg), True))
    return replace(sequence, stages=sequence.stages | {"calibration": strangers})


def _slipping(ends: Callable[[int], NDArray[np.float64]]) -> Mistake:
    """The headset slips during the calibration: (looks,) 0 … 1 of the way at each look."""

    def mistake(sequence: Sequence, random: np.random.Generator) -> Sequence:
        stages = dict(sequence.stages)
        start = stages["calibration"].fits[0]
        moved = slipped(random, start, random.uniform(*_SLIP_MM))
        way = ends(len(stages["calibration"].fits))[:, None]
        stages["calibration"] = replace(stages["calibration"], fits=start + way * (moved - start))
        for name in ("validation", "later"):
            stages[name] = replace(stages[name], fits=np.tile(moved, (len(stages[name].fits), 1)))
        return replace(sequence, stages=stages)

    return mistake


_MISTAKES: dict[Kind, Mistake] = {
    "eyes closed": _changed(_closed),
    "keeps blinking": _changed(_keeps_blinking),
    "drowsy": _changed(_drowsy),
    "looks anywhere": _changed(_missing(1.0)),
    "looks at the last target": _changed(_late),
    "misses half": _changed(_missing(0.5)),
    "misses one": _changed(_missing(None)),
    "two swapped": _changed(_swapped),
    "mirrored": _changed(_mirrored),
    "other eye": _other_eye,
    "slips half way": _slipping(lambda looks: (np.arange(looks) >= looks // 2).astype(np.float64)),
    "slips all the time": _slipping(lambda looks: np.linspace(0, 1, looks)),
}


# ---- Readings ---------------------------------------------------------------------------------------


def _render(optics: Optics, users: list[Users], stages: list[Looks]) -> list[NDArray[np.float32]]:
    """(looks, n, sensors) irradiance of each."""
    each = [own.take(looks.other.astype(np.intp)) for own, looks in zip(users, stages, strict=True)]
    parts = []
    for own, looks in zip(each, stages, strict=True):
        states = eye_states(
            own,
            roll_deg=looks.fits[:, 3],
            gaze_deg=looks.gaze_deg,
            openness=looks.openness,
            pupil_mm=looks.pupil_mm,
            lid_offset_mm=looks.lid_offset_mm,
        )
        parts.append(render(optics, own, pose_rows(looks.fits[:, :3], looks.fits[:, 3]), states))
    return parts


def _read(
    headset: Headset, counts: NDArray[np.float32], sequence: Sequence, stage: str, seed: int
) -> NDArray[np.uint16]:
    """What the device's converter gives; in bright light some sensors have more light than they can tell."""
    device = Device(headset, derived_seed(seed, "tuning"), sequence.number)
    counts = counts * device.gain + device.offset_counts
    random = stream(seed, f"tuning noise {stage}", sequence.number)
    if sequence.kind == "bright light" and _spoils(sequence, stage):
        light = stream(seed, "tuning light", sequence.number)
        toward = light.random(headset.sensor_count) < light.uniform(0.1, 0.9)
        counts = counts + toward * light.uniform(0.5, 1.0) * headset.adc.full_scale
    return headset.to_wire(digitize(counts, headset, random))


def _spoils(sequence: Sequence, stage: str) -> bool:
    return stage == "calibration" or (stage == "validation" and sequence.goes_on)


def _spoilt(sequence: Sequence, random: np.random.Generator) -> Sequence:
    """With what is wrong with readings whatever the eye does."""
    wire = dict(sequence.wire)
    sensors = wire["later"].shape[-1]
    dead = random.random(sensors) < random.uniform(0.1, 0.9)
    for name in ("calibration", "validation"):
        if not _spoils(sequence, name):
            continue
        shape = wire[name].shape
        if sequence.kind == "sensors dead":
            wire[name] = np.where(dead, 0, wire[name]).astype(np.uint16)
        elif sequence.kind == "constant":
            wire[name] = np.broadcast_to(wire["calibration"][0, 0], shape).copy()
        elif sequence.kind == "noise":
            wire[name] = random.integers(0, 1 << 16, shape, dtype=np.uint16)
    return replace(sequence, wire=wire)
