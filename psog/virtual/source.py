"""Where the readings of a virtual headset come from: a source, asked for what is due."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from psog.errors import RecordingError
from psog.headset import Headset
from psog.recording import Recording, read_recording
from psog.third_party import read_psog_nn


class Readings(NamedTuple):
    """Readings in time order.

    Attributes:
        t_us: (n,) int64 device time.
        wire: (n, sensors) uint16, left-aligned to 16 bits.
    """

    t_us: NDArray[np.int64]
    wire: NDArray[np.uint16]


class Target(NamedTuple):
    """Where the headset's display shows a calibration target."""

    h_deg: float
    v_deg: float


class Source(Protocol):
    """Gives the readings of a headset as device time passes. Used by one thread."""

    def take(self, elapsed_us: int) -> Readings | None:
        """The readings due `elapsed_us` after the start and not taken yet; None when there are no more."""

    def show(self, target: Target | None) -> None:
        """The display shows a target, or nothing."""


def load_recording(path: Path) -> Recording:
    """A recording folder, or a tab-separated file of the psog_nn repository.

    Raises:
        RecordingError: neither, or damaged.
    """
    return read_recording(path) if path.is_dir() else read_psog_nn(path)


class RecordedReadings:
    """The readings of a recording, at their own times. Targets change nothing.

    Args:
        recording: of the headset.
        loop: begin again at the end; time goes on.
    Raises:
        RecordingError: the recording is of another headset, empty, or its time does not increase.
    """

    def __init__(self, recording: Recording, headset: Headset, *, loop: bool = False) -> None:
        recording.check_headset(headset)
        if len(recording) == 0:
            raise RecordingError("the recording has no rows; there is nothing to replay")
        if (np.diff(recording.t_us) <= 0).any():
            row = int(np.argmax(np.diff(recording.t_us) <= 0)) + 1
            raise RecordingError(f"the recording's time does not increase at row {row}; record it again")
        self._t_us = recording.t_us - recording.t_us[0]
        self._start_us = int(recording.t_us[0])
        self._wire = headset.to_wire(recording.readings)
        self._period_us = int(self._t_us[-1]) + round(1e6 / headset.rate_hz)
        self._loop = loop
        self._round = 0
        self._next = 0

    def take(self, elapsed_us: int, most: int | None = None) -> Readings | None:
        """What is due and not taken yet, `most` rows of it; None after the last one."""
        if self._next == len(self._t_us):
            if not self._loop:
                return None
            self._round += 1
            self._next = 0
        offset_us = self._round * self._period_us
        end = int(np.searchsorted(self._t_us, elapsed_us - offset_us, side="left"))
        if most is not None:
            end = min(end, self._next + most)
        chosen = slice(self._next, max(end, self._next))
        self._next = chosen.stop
        return Readings(self._t_us[chosen] + offset_us + self._start_us, self._wire[chosen])

    def show(self, target: Target | None) -> None:
        """A recording looks where it looked."""
