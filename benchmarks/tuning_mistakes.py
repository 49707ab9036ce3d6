"""What wearers do wrong while they calibrate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.tuning_looks import Kind, Looks, Sequence, blinking
from psog.sim.fits import slipped

_SLIP_MM = (1.0, 4.0)
"""Task means of 0.26 to 4.05 mm are known of glasses (Niehorster et al. 2020)."""

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
    return replace(looks, openness=np.stack([blinking(random, n, 3) for _ in looks.said_deg]))


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


MISTAKES: dict[Kind, Mistake] = {
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
