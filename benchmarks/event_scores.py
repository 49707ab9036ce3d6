"""How well found events agree with true ones, by readings and by events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.live.events import Event
from psog.recording import BLINK, FIXATION, OSCILLATION, PURSUING, SACCADE
from psog.virtual.wearer import Truth

Span = tuple[int, int]
"""Numbers of the first reading and of the first one after it."""
LABELS = {"saccade": (SACCADE,), "fixation": (FIXATION, OSCILLATION, PURSUING), "blink": (BLINK,)}
LARGE_DEG = 1.0


def score(found: Sequence[Event], truth: Truth) -> dict[str, dict[str, Any]]:
    """By kind of event, counts that add up over wearers: readings and events, true, found and both.

    A found event is a true one's when they overlap; each is matched once, the one that overlaps most first
    (as in Zemblys et al. 2019, gazeNet). Saccades of LARGE_DEG and more are also counted apart.
    """
    scores = {}
    for kind, labels in LABELS.items():
        is_true = np.isin(truth.event, labels)
        true = _spans(is_true)
        ours = [_span(event, truth.t_us) for event in found if event.kind == kind]
        is_found = np.zeros(len(is_true), bool)
        for begin, end in ours:
            is_found[begin:end] = True
        matches = matched(true, ours)
        scores[kind] = {
            "readings": (int(is_true.sum()), int(is_found.sum()), int((is_true & is_found).sum())),
            "events": (len(true), len(ours), len(matches)),
            "start_ms": [ours[k][0] - true[j][0] for j, k in matches],
            "end_ms": [ours[k][1] - true[j][1] for j, k in matches],
        }
        if kind == "saccade":
            large = [j for j, span in enumerate(true) if _amplitude_deg(span, truth) >= LARGE_DEG]
            hit = {j for j, _ in matches}
            scores[kind]["large"] = (len(large), sum(j in hit for j in large))
    return scores


def f1(true: int, found: int, both: int) -> float:
    """Harmonic mean of recall and precision."""
    return 2 * both / (true + found) if true + found else float("nan")


def matched(true: Sequence[Span], found: Sequence[Span]) -> list[tuple[int, int]]:
    """Pairs of numbers of true and found spans that overlap, each in one pair at most."""
    overlaps = []
    k = 0
    for j, (begin, end) in enumerate(true):
        while k < len(found) and found[k][1] <= begin:
            k += 1
        for other in range(k, len(found)):
            if found[other][0] >= end:
                break
            overlaps.append((min(end, found[other][1]) - max(begin, found[other][0]), j, other))
    pairs: list[tuple[int, int]] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, j, other in sorted(overlaps, key=lambda overlap: (-overlap[0], overlap[1:])):
        if j not in taken[0] and other not in taken[1]:
            taken[0].add(j)
            taken[1].add(other)
            pairs.append((j, other))
    return sorted(pairs)


def _spans(mask: NDArray[np.bool_]) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _span(event: Event, t_us: NDArray[np.int64]) -> Span:
    begin, end = np.searchsorted(t_us, [event.start_us, event.end_us])
    return int(begin), int(end) + 1


def _amplitude_deg(span: Span, truth: Truth) -> float:
    begin, end = span
    way = truth.gaze_deg[min(end, len(truth.gaze_deg) - 1)] - truth.gaze_deg[begin]
    return float(np.hypot(*way))
