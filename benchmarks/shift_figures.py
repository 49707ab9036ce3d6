"""What wearers whose headset moved come to, in numbers and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.recovery_figures import GREW_DEG, auroc
from psog.benchmarks.shift_wearers import SINCE, TIMES_S, Protocol, Worn
from psog.benchmarks.tables import Table
from psog.net.shift import MOVED_MM, Shift

Array = NDArray[np.float64]

_DONNED = "donned"
_CHANCE = 0.95


def figures(worn: Sequence[Worn], protocol: Protocol) -> dict[str, Any]:
    """Of one headset."""
    stretches = [one for each in worn for one in each.stretches]
    true_mm = np.array([one.shift_mm for one in stretches])
    donned = np.array([one.donned for one in stretches])
    grew = np.array([one.grew_deg for one in stretches]) > GREW_DEG
    size_mm = np.linalg.norm(true_mm, axis=1)
    mm = {name: np.array([one.mm[k] for one in stretches]) for k, name in enumerate(SINCE)}
    sd_mm = {name: np.array([one.sd_mm[k] for one in stretches]) for k, name in enumerate(SINCE)}
    groups = {f"{size:g}": np.isclose(size_mm, size) & ~donned for size in (0.0, *protocol.sizes_mm)}
    groups[_DONNED] = donned
    scores = {f"since the {name}": np.linalg.norm(mm[name][:, -1], axis=-1) for name in SINCE}
    scores["drift"] = np.array([one.drift for one in stretches])
    scores["one dot"] = np.array([one.off_deg for one in stretches])
    return {
        "estimates": {
            name: {
                group: _estimate(mm[name][chosen], sd_mm[name][chosen], true_mm[chosen])
                for group, chosen in groups.items()
            }
            for name in SINCE
        },
        "correlation": {
            name: {
                "worn": _correlation(mm[name][~donned, -1], true_mm[~donned]),
                _DONNED: _correlation(mm[name][donned, -1], true_mm[donned]),
            }
            for name in SINCE
        },
        "grew": {group: _share(grew[chosen]) for group, chosen in groups.items()},
        "auroc": {
            name: {
                "moved": auroc(score[~donned], size_mm[~donned] >= MOVED_MM - 1e-9),
                "grew": auroc(score[~donned], grew[~donned]),
                "grew, donned": auroc(score[donned], grew[donned]),
            }
            for name, score in scores.items()
        },
        "quiet_h": round(len(worn) * protocol.quiet_s / 3600, 3),
        "false_alarms": {
            name: int(sum(each.false_alarms[k] for each in worn)) for k, name in enumerate(SINCE)
        },
        "quiet_p99_mm": {
            name: _quantile(np.concatenate([each.told_mm[k] for each in worn]), 0.99)
            for k, name in enumerate(SINCE)
        },
    }


def _estimate(mm: Array, sd_mm: Array, true_mm: Array) -> dict[str, Any]:
    """Of (n, times, 3) estimates of (n, 3) shifts."""
    off_mm = np.linalg.norm(mm - true_mm[:, None], axis=-1)
    told_mm = np.linalg.norm(mm, axis=-1)
    within_mm = np.array([Shift(*pair).within_mm for pair in zip(mm[:, -1], sd_mm[:, -1], strict=True)])
    held = np.abs(told_mm[:, -1] - np.linalg.norm(true_mm, axis=1)) <= within_mm
    seen = np.isfinite(told_mm)
    return {
        "count": len(mm),
        "true_mm": _quantile(np.linalg.norm(true_mm, axis=1), 0.5),
        "told_mm": _quantile(told_mm[:, -1], 0.5),
        "error_mm": {f"{at_s:g}": _quantile(off_mm[:, k], 0.5) for k, at_s in enumerate(TIMES_S)},
        "error_p95_mm": {f"{at_s:g}": _quantile(off_mm[:, k], 0.95) for k, at_s in enumerate(TIMES_S)},
        "moved": {f"{at_s:g}": _share(told_mm[seen[:, k], k] >= MOVED_MM) for k, at_s in enumerate(TIMES_S)},
        "within_mm": _quantile(within_mm, 0.5),
        "held": _share(held),
    }


def _correlation(mm: Array, true_mm: Array) -> list[float | None]:
    seen = np.isfinite(mm).all(axis=1)
    if seen.sum() < 3:
        return [None] * mm.shape[1]
    return [
        round(float(np.corrcoef(a, b)[0, 1]), 3) for a, b in zip(mm[seen].T, true_mm[seen].T, strict=True)
    ]


def _quantile(values: Array, share: float) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.quantile(known, share)), 3) if len(known) else None


def _share(told: NDArray[np.bool_]) -> float | None:
    return round(float(told.mean()), 3) if len(told) else None


def tables(document: dict[str, Any]) -> list[Table]:
    """Of what the benchmark says."""
    return [made for name, found in document["headsets"].items() for made in _tables(name, found, document)]


def _tables(name: str, found: dict[str, Any], document: dict[str, Any]) -> list[Table]:
    last = f"{TIMES_S[-1]:g}"
    since = found["estimates"]["calibration"], found["estimates"]["view"]
    estimates = Table(
        f"{name}: what is told {last} s after a shift, mm ({document['wearers']} unseen wearers, seed "
        f"{document['seed']})",
        ("true", "told", "error, median / p95", "± told", "holds", "told since the view began", "error"),
        [
            (
                group,
                _text(one["told_mm"]),
                f"{_text(one['error_mm'][last])} / {_text(one['error_p95_mm'][last])}",
                _text(one["within_mm"]),
                _percent(one["held"]),
                _text(other["told_mm"]),
                f"{_text(other['error_mm'][last])} / {_text(other['error_p95_mm'][last])}",
            )
            for (group, one), other in zip(since[0].items(), since[1].values(), strict=True)
        ],
        "Each size along each axis; donned: put on again within 2 mm. Holds: how often the true size lies "
        f"within what is told ({_CHANCE:.0%} would be right). Correlation with the truth right, up, away: "
        f"{_axes(found['correlation']['calibration']['worn'])} after slips, "
        f"{_axes(found['correlation']['calibration'][_DONNED])} after donnings.",
    )
    alarms, quiet = found["false_alarms"], found["quiet_p99_mm"]
    times = Table(
        f"{name}: seconds after the shift: median error in mm, and share of wearers told that it has moved",
        ("true, mm", *(f"{at_s:g} s" for at_s in TIMES_S)),
        [
            (
                group,
                *(f"{_text(one['error_mm'][at])}, {_percent(one['moved'][at])}" for at in one["error_mm"]),
            )
            for group, one in since[0].items()
        ],
        f"In {found['quiet_h']:g} h of wear without a shift, with pupils, squints and blinks: "
        f"{alarms['calibration']} false alarms, {alarms['view']} where only the view's beginning was known; "
        f"99 % of what was told lay below {_text(quiet['calibration'])} and {_text(quiet['view'])} mm.",
    )
    grew = found["grew"]
    telling = Table(
        f"{name}: how well it is told that something should be done, AUROC",
        ("by", f"slips of at least {MOVED_MM:g} mm", f"error grew by {GREW_DEG:g}°", "the same, donnings"),
        [
            (by, *(_text(value) for value in (one["moved"], one["grew"], one["grew, donned"])))
            for by, one in found["auroc"].items()
        ],
        f"The error grew by more than {GREW_DEG:g}° in "
        + ", ".join(f"{_percent(share)} ({group})" for group, share in grew.items())
        + ".",
    )
    return [estimates, times, telling]


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _axes(values: Sequence[float | None]) -> str:
    return ", ".join(_text(value) for value in values)
