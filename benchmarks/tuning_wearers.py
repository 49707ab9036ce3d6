"""Simulated calibrations: what sensors read while attentive and other wearers look, or do not look, at
targets.

A sequence is an earlier calibration that may be in use, the calibration, its validation, and what the headset
is worn for: the wearer looks at places that no one has asked for, with open eyes.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.tuning_looks import IN_USE, KINDS, OFFERED, InUse, Kind, Looks, Sequence, attentive
from psog.benchmarks.tuning_mistakes import MISTAKES
from psog.calibration.targets import FIELD_SHARE, Target, plan_targets
from psog.headset import Headset
from psog.sim.device import Device
from psog.sim.electronics import digitize, gains
from psog.sim.fits import donning
from psog.sim.population import Users, draw_users
from psog.sim.render import Optics, pose_rows, render
from psog.sim.state import eye_states
from psog.sim.streams import derived_seed, stream

DONNING_MM = 2.0
_LATER_PLACES, _LATER_READINGS = 32, 1
_BATCH = 32


def sequences(
    headset: Headset,
    points: int,
    count: int,
    seed: int,
    *,
    kinds: Many[Kind] = KINDS,
    in_use: Many[InUse] = IN_USE,
) -> Iterator[Sequence]:
    """Sequences 0 … count − 1; of the same kinds number k depends on (seed, k) alone, its kind goes round."""
    optics, gain = Optics(headset), gains(headset)
    for first in range(0, count, _BATCH):
        numbers = range(first, min(first + _BATCH, count))
        users = [draw_users(2, derived_seed(seed, "tuning"), first=2 * k) for k in numbers]
        drawn = [
            _drawn(headset, points, k, seed, users=own, who=(kinds, in_use))
            for k, own in zip(numbers, users, strict=True)
        ]
        for name in drawn[0].stages:
            light = _render(optics, users, [one.stages[name] for one in drawn])
            for one, irradiance in zip(drawn, light, strict=True):
                one.wire[name] = _read(headset, irradiance * gain, one, name, seed)
        yield from (_spoilt(one, stream(seed, "tuning spoilt", one.number)) for one in drawn)


def _drawn(
    headset: Headset,
    points: int,
    number: int,
    seed: int,
    *,
    users: Users,
    who: tuple[Many[Kind], Many[InUse]],
) -> Sequence:
    random = stream(seed, "tuning sequence", number)
    kinds, in_use = who
    kind = kinds[number % len(kinds)]
    whose = in_use[int(random.integers(len(in_use)))]
    plan = plan_targets(points, headset.field_deg, int(random.integers(1 << 31)))
    earlier, fit = donning(random, DONNING_MM), donning(random, DONNING_MM)
    if whose == "own":
        earlier = fit
    targets = _places(plan.calibration)
    later = random.uniform(-1, 1, (_LATER_PLACES, 2)) * FIELD_SHARE * np.array(headset.field_deg)
    offered = len(targets), OFFERED
    other = whose == "of another"
    stages = {
        "earlier": attentive(random, users, targets, offered, earlier, other=other),
        "calibration": attentive(random, users, targets, offered, fit, blinks=True),
        "validation": attentive(random, users, _places(plan.validation), (8, OFFERED), fit, blinks=True),
        "later": attentive(random, users, later, (_LATER_PLACES, _LATER_READINGS), fit, exact=True),
    }
    sequence = Sequence(number, kind, whose, bool(random.random() < 0.5), stages, {})
    return MISTAKES[kind](sequence, random) if kind in MISTAKES else sequence


def _places(targets: tuple[Target, ...]) -> NDArray[np.float64]:
    return np.array([(target.h_deg, target.v_deg) for target in targets])


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
