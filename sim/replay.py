"""A recorded gaze trace as an eye movement that can be simulated."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.errors import RecordingError, SimulationError
from psog.recording import BLINK
from psog.sim.blinks import CLOSED_SHARE, CLOSING_SHARE, MEDIAN_S
from psog.sim.movement import EyeSamples
from psog.third_party import GazeTrace, read_eyelink_trace

WIDEST_DEG = 45.0
"""Gaze beyond this is a tracker's mistake: the eye hardly turns further."""


@dataclass(frozen=True)
class TraceFile:
    """A recorded gaze trace on the disk, and what it must hold. Made by `trace_file`."""

    path: str
    name: str
    samples: int
    sha256: str

    def read(self) -> GazeTrace:
        """The trace.

        Raises:
            RecordingError: the file has gone or is another one.
        """
        if _digest(Path(self.path)) != self.sha256:
            raise RecordingError(
                f"gaze trace {self.path} has changed; put back the one it was, or start anew"
            )
        return read_eyelink_trace(Path(self.path))


def trace_file(path: Path) -> TraceFile:
    """Look at a trace that is to be replayed.

    Raises:
        RecordingError, SimulationError: unreadable, or it cannot be replayed.
    """
    trace = read_eyelink_trace(path)
    eye_samples(trace)
    return TraceFile(str(path.resolve()), trace.name, len(trace.t_us), _digest(path))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise RecordingError(f"cannot read gaze trace {path}: {error}; check the path") from error


class ReplayedMovement:
    """A trace's samples, a few at a time."""

    def __init__(self, samples: EyeSamples) -> None:
        self._samples = samples
        self._taken = 0

    def advance(self, count: int) -> EyeSamples:
        """The next `count` samples, or as many as are left."""
        part = slice(self._taken, self._taken + count)
        self._taken += count
        samples = self._samples
        return EyeSamples(samples.gaze_deg[part], samples.openness[part], samples.event[part])


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
