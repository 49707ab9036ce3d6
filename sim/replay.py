"""A recorded gaze trace as an eye movement that can be simulated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.sim.blinks import CLOSED_SHARE, CLOSING_SHARE, MEDIAN_S
from psog.sim.movement import BLINK, EyeSamples
from psog.third_party import GazeTrace

WIDEST_DEG = 45.0
"""Gaze beyond this is a tracker's mistake: the eye hardly turns further."""


def eye_samples(trace: GazeTrace) -> EyeSamples:
    """The trace as gaze, lids and events, one sample for each of its own.

    Where the tracker lost the eye, or a blink is labelled, the lid is shut; it closes before and opens
    after at a blink's pace. Gaze in such gaps runs straight from one side to the other.

    Raises:
        SimulationError: no usable sample, or times that do not increase.
    """
    if len(trace.t_us) < 2 or (np.diff(trace.t_us) <= 0).any():
        raise SimulationError(
            f"cannot replay trace {trace.name}: its times must increase; expected 2 samples or more"
        )
    seen = trace.valid & (trace.event != BLINK) & (np.abs(trace.gaze_deg) <= WIDEST_DEG).all(axis=1)
    if not seen.any():
        raise SimulationError(f"cannot replay trace {trace.name}: no sample in it is valid")
    gaze = np.stack(
        [np.interp(trace.t_us, trace.t_us[seen], trace.gaze_deg[seen, axis]) for axis in (0, 1)], axis=1
    )
    return EyeSamples(
        gaze.astype(np.float32),
        _openness(trace.t_us, seen).astype(np.float32),
        np.where(seen, trace.event, BLINK).astype(np.uint8),
    )


def _openness(t_us: NDArray[np.int64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 open, 0 in the gaps, ramps of a blink's length beside them."""
    closing_us = CLOSING_SHARE * MEDIAN_S * 1e6
    opening_us = (1 - CLOSING_SHARE - CLOSED_SHARE) * MEDIAN_S * 1e6
    gaps = t_us[~seen]
    if len(gaps) == 0:
        return np.ones(len(t_us))
    following = np.searchsorted(gaps, t_us)
    until_next = np.append(gaps, np.inf)[following] - t_us
    since_last = t_us - np.insert(gaps.astype(np.float64), 0, -np.inf)[following]
    ramp = np.minimum(until_next / closing_us, since_last / opening_us)
    return np.where(seen, np.clip(ramp, 0, 1), 0.0)
