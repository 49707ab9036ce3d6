"""From surfaces of readings to millimetres, learnt from simulated users whose headset sits elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import ModelError
from psog.net.calibrated import Form
from psog.net.integer import IntegerNet
from psog.net.recovery_learning import average_surface, seen_slips, surfaces_of_windows
from psog.net.shift import AXES, ShiftMap

Array = NDArray[np.float64]

RIDGE = 0.001
"""Of the map, from coefficients with a variance of one; 0.00001 to 0.003 served equally on other users."""
WINDOWS = 2
"""Stretches with gaze of their own drawn for each pose."""


def learn_shift(
    net: IntegerNet,
    form: Form,
    wire: NDArray[np.uint16],
    gaze_deg: NDArray[np.floating],
    shift_mm: NDArray[np.floating],
    *,
    seed: int,
) -> ShiftMap:
    """Learn to tell where the headset sits.

    Args:
        wire: (users, poses, samples, sensors) readings of open eyes; pose 0 is a calibration.
        gaze_deg: (users, poses, samples, 2), targets in pose 0.
        shift_mm: (users, poses - 1, 3) of the other poses from it.
        seed: of the stretches' gazes.
    Raises:
        ModelError: poses and shifts do not belong together, or fewer than two users.
    """
    users, poses = wire.shape[:2]
    if shift_mm.shape != (users, poses - 1, AXES) or users < 2:
        raise ModelError(
            f"cannot learn shifts: {users} users with {poses} poses and shifts {shift_mm.shape}; expected at "
            f"least 2 users and shifts ({users}, {poses - 1}, {AXES})"
        )
    slips = seen_slips(net, form, wire, np.asarray(gaze_deg, np.float64))
    surface = average_surface(slips)
    random = np.random.default_rng((seed, 2))
    windows = [surfaces_of_windows(slips, surface, range(1, poses), random) for _ in range(WINDOWS)]
    known = np.concatenate(windows, axis=1)  # (users, WINDOWS · poses, coefficients)
    wanted = np.tile(shift_mm, (1, WINDOWS, 1))
    weight, bias = _map(known, wanted)
    return ShiftMap(surface, weight, bias, *_errors(known, wanted))


def _map(known: Array, wanted: Array) -> tuple[Array, Array]:
    """(3, coefficients) and (3,) of least error over (users, poses, …)."""
    rows, shifts = known.reshape(-1, known.shape[-1]), wanted.reshape(-1, AXES)
    scale = rows.std(axis=0) + 1e-9
    rows = np.concatenate([rows / scale, np.ones((len(rows), 1))], axis=1)
    held = RIDGE * np.append(np.ones(len(scale)), 0.0)  # not the bias
    found = np.linalg.solve(rows.T @ rows / len(rows) + np.diag(held), rows.T @ shifts / len(rows))
    return (found[:-1] / scale[:, None]).T, found[-1]


def _errors(known: Array, wanted: Array) -> tuple[Array, Array]:
    """`still_mm` and `share` of a ShiftMap, on users that their map has not seen: halves judge each other."""
    sizes, squares = [], []
    for part in (slice(0, None, 2), slice(1, None, 2)):
        others = np.ones(len(known), bool)
        others[part] = False
        weight, bias = _map(known[others], wanted[others])
        mm = known[part] @ weight.T + bias
        sizes.append(np.linalg.norm(mm, axis=-1).ravel() ** 2)
        squares.append(np.square(mm - wanted[part]).reshape(-1, AXES))
    size, square = np.concatenate(sizes), np.concatenate(squares)
    # Squares of a normal error scatter as their mean does, so a small one weighs more (two rounds suffice).
    rows, weights = np.stack([np.ones_like(size), size], axis=1), np.ones((len(size), AXES))
    for _ in range(2):
        parts = np.array(
            [
                np.linalg.lstsq(rows * by[:, None], of * by, rcond=None)[0]
                for by, of in zip(weights.T, square.T, strict=True)
            ]
        )
        parts = np.maximum(parts, 1e-6)
        weights = 1 / (rows @ parts.T)
    return np.sqrt(parts[:, 0]), np.sqrt(parts[:, 1])
