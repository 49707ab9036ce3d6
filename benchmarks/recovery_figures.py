"""What hours of wear come to, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from psog.benchmarks.recovery_ways import SETTLING, WAYS, Worn
from psog.sim.hours import GAZES, WEARS

GREW_DEG = 0.5
"""By how much an error must have grown for an alarm to be due."""
_FIRST, _LAST = slice(0, 5), slice(-5, None)
"""Minutes of the hour that are told apart."""


def errors(worn: Worn) -> dict[str, dict[str, float]]:
    """Of each way: median and 95th percentile of users' mean errors over their minutes, and the median user's
    in the first and in the last minutes."""
    found = {}
    for name, error_deg in worn.error_deg.items():
        mean = error_deg.mean(axis=1)
        figures = {
            "median_deg": np.median(mean),
            "p95_deg": np.quantile(mean, 0.95),
            "first_5_min_deg": np.median(error_deg[:, _FIRST].mean(axis=1)),
            "last_5_min_deg": np.median(error_deg[:, _LAST].mean(axis=1)),
        }
        found[name] = {key: round(float(value), 4) for key, value in figures.items()}
    return found


def alarms_per_h(worn: Worn) -> float:
    """Of the mean user."""
    return round(float(worn.alarms.mean()) * 60, 2)


def detection(hours: Sequence[Worn]) -> dict[str, float | None]:
    """How well drift since the first minutes tells that the error, if nothing is done, has grown since then.

    Errors of a minute are averaged with those before and after it.
    """
    drift, grew = [], []
    for worn in hours:
        error_deg = worn.error_deg["nothing"]
        smooth = (error_deg[:, :-2] + error_deg[:, 1:-1] + error_deg[:, 2:]) / 3
        growth = smooth - error_deg[:, :SETTLING].mean(axis=1, keepdims=True)
        told = np.isfinite(worn.drift[:, 1:-1])
        drift.append(worn.drift[:, 1:-1][told])
        grew.append(growth[told] > GREW_DEG)
    positive = np.concatenate(grew)
    share = round(float(positive.mean()), 4) if len(positive) else None
    return {"grew_deg": GREW_DEG, "share": share, "auroc": auroc(np.concatenate(drift), positive)}


def auroc(score: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """Share of pairs in which the positive one of (n,) has the larger score; None if there is no pair."""
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return None
    above = rankdata(score)[positive].sum() - ones * (ones + 1) / 2
    return round(float(above / (ones * zeros)), 4)


def delays(worn: Worn) -> dict[str, Any]:
    """How many users had an alarm after the jolt, and after how many minutes the median one of them."""
    jolt = WEARS["jolt"].jolt
    assert jolt is not None
    after = worn.alarms[:, jolt[0] :]
    late = 1 + after.argmax(axis=1)[after.any(axis=1)] if after.size else np.zeros(0)
    median = float(np.median(late)) if len(late) else None
    return {"users": len(worn.alarms), "found": len(late), "median_min": median}


def after_gazes(hours: Sequence[tuple[Worn, NDArray[np.intp]]]) -> dict[str, dict[str, float]]:
    """Of each way: the median error in minutes that follow one in which the wearer looked so.

    Args:
        hours: with (users, minutes) of each, what was looked at: an index into GAZES.
    """
    gaze = np.concatenate([kinds[:, :-1] for _, kinds in hours])
    found: dict[str, dict[str, float]] = {name: {} for name in GAZES}
    for way in WAYS:
        next_deg = np.concatenate([worn.error_deg[way][:, 1:] for worn, _ in hours])
        for index, name in enumerate(GAZES):
            if (gaze == index).any():
                found[name][way] = round(float(np.median(next_deg[gaze == index])), 4)
    return found
