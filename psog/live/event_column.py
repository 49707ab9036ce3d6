"""The column `event` of a live recording: what the eye did at each reading, found while it is made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from psog.errors import PsogError
from psog.live.batch import Batch
from psog.live.events import Event, EventDetector
from psog.recording import BLINK, FIXATION, SACCADE

_CODES = {"fixation": FIXATION, "saccade": SACCADE, "blink": BLINK}


class EventColumn:
    """The events of a recording: those of the detector of live gaze.

    Readings come in by `add`, in any pieces; after `end` their events can be asked for.
    """

    def __init__(self) -> None:
        self._events: dict[int, list[Event]] = {}
        self._detector: EventDetector | None = None
        self._session = 0

    def add(self, batch: Batch, session: int) -> None:
        """The readings that come next."""
        if self._detector is None:
            self._detector = _detector(batch.t_us)
        if self._detector is None:
            return
        if session != self._session:
            self._end_session()
        self._session = session
        self._events.setdefault(session, []).extend(self._detector.add(batch))

    def end(self) -> None:
        """There are no more."""
        self._end_session()
        self._tables = {session: _table(events) for session, events in self._events.items()}

    def _end_session(self) -> None:
        if self._detector is not None:
            self._events.setdefault(self._session, []).extend(self._detector.end())

    def of(self, t_us: NDArray[np.int64], session: int) -> NDArray[np.uint8]:
        """(n,) codes as in psog.recording of readings at these times; 0 where nothing was found."""
        starts_us, ends_us, codes = self._tables.get(session, _table([]))
        row = np.searchsorted(starts_us, t_us, side="right") - 1
        return np.where(t_us <= ends_us[row], codes[row], 0).astype(np.uint8)


def _detector(t_us: NDArray[np.int64]) -> EventDetector | None:
    """For readings as far apart as these mostly are; None where that is nothing to find events in."""
    if len(t_us) < 2:
        return None
    step_us = float(np.median(np.diff(t_us)))
    try:
        return EventDetector(1e6 / step_us if step_us > 0 else 0.0)
    except PsogError:
        return None


def _table(events: list[Event]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Starts, ends and codes in the order of time; events do not overlap. The last row is before all."""
    ordered = sorted(events, key=lambda event: event.start_us)
    never = np.iinfo(np.int64).min
    starts_us = np.array([event.start_us for event in ordered], np.int64)
    ends_us = np.array([*(event.end_us for event in ordered), never], np.int64)
    codes = np.array([*(_CODES[event.kind] for event in ordered), 0], np.uint8)
    return starts_us, ends_us, codes
