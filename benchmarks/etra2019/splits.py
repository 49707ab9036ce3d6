"""Which rows of a user are trained on, checked on and tested on: the paper's way, and one without a leak."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.etra2019.data import RATE_HZ, Subject
from psog.errors import RecordingError

TRAIN, CHECK, TEST = 0.24, 0.06, 0.70
"""Shares of a user's rows (the paper's)."""
CHECK_OF_PRETRAINING = 0.2
"""Share of the other users' rows that tells when pretraining stops (the authors' code)."""
BLOCK_S = 2.0
"""One or two targets of the saccade task."""
JUMP_DEG, JUMP_ROWS = 1.0, 3
"""Gaze that moves so far in so many rows (25 ms, at least 40°/s) is on its way to another place."""
GAP_ROWS = 6
"""Rows (50 ms, longer than most saccades last) next to another part are not trained on or checked on."""

FEWEST_BLOCKS = 5
"""One to train on, one to check, and a few to test on."""

RowNumbers = NDArray[np.intp]


class Split(NamedTuple):
    """Row numbers of a subject."""

    train: RowNumbers
    check: RowNumbers
    test: RowNumbers


def random_split(subject: Subject, random: np.random.Generator) -> Split:
    """Any rows, as in the paper. Most rows of a test then have a neighbour 8 ms away that was trained on."""
    order = random.permutation(len(subject))
    train, check = round(TRAIN * len(order)), round(CHECK * len(order))
    return Split(*(np.sort(part) for part in np.split(order, [train, train + check])))


def block_split(subject: Subject, random: np.random.Generator) -> Split:
    """Whole blocks of time, cut where the eye jumps: no stay on a target is both trained on and tested on.

    Raises:
        RecordingError: too few blocks to divide.
    """
    block = time_blocks(subject)
    names = random.permutation(np.unique(block))
    if len(names) < FEWEST_BLOCKS:
        raise RecordingError(
            f"subject {subject.name} looks elsewhere in {len(names)} blocks of {BLOCK_S:g} s, at least "
            f"{FEWEST_BLOCKS} expected to train, check and test on; leave the subject out"
        )
    train, check = (max(round(share * len(names)), 1) for share in (TRAIN, CHECK))
    part = np.full(len(subject), 2)
    part[np.isin(block, names[: train + check])] = 1
    part[np.isin(block, names[:train])] = 0
    border = np.flatnonzero(np.diff(part) != 0) + 1
    near = (border[:, None] + np.arange(-GAP_ROWS, GAP_ROWS)).ravel()
    inside = np.ones(len(subject), dtype=bool)
    inside[near[(near >= 0) & (near < len(subject))]] = False
    rows = np.arange(len(subject))
    return Split(rows[(part == 0) & inside], rows[(part == 1) & inside], rows[part == 2])


def time_blocks(subject: Subject) -> NDArray[np.int64]:
    """(n,) number of the block of BLOCK_S in which the eye arrived where it is at each row."""
    moved = np.zeros(len(subject), dtype=bool)
    step = subject.gaze_deg[JUMP_ROWS:] - subject.gaze_deg[:-JUMP_ROWS]
    moved[JUMP_ROWS:] = np.linalg.norm(step, axis=1) > JUMP_DEG
    begins = moved & ~np.roll(moved, 1)
    arrived = np.maximum.accumulate(np.where(begins, np.arange(len(subject)), 0))
    since = subject.frame[arrived] - subject.frame[0]
    return np.asarray(since // round(BLOCK_S * RATE_HZ))


SPLITS: dict[str, Callable[[Subject, np.random.Generator], Split]] = {
    "random": random_split,
    "blocks": block_split,
}
"""By name."""
