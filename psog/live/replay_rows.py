"""The readings of a live recording as frames, and when each is due."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.device import messages
from psog.errors import RecordingError
from psog.manifest import Manifest
from psog.recording import Recording, iterate_recording

_PART_ROWS = 1024
"""Of a part that is read at once: a few milliseconds' work between two readings (a weak value)."""
_PERIOD_US = 1000
"""Between readings whose times do not tell; also from one session to the next, and to the next round."""


class Row(NamedTuple):
    """One reading: when it is due after the first one by the recorded clock, and its frames' payloads."""

    due_us: int
    t_us: int
    gaze: bytes
    sensors: bytes


def rows_of(folder: Path, manifest: Manifest, *, loop: bool = False) -> Iterator[Row]:
    """The readings of a live recording, at least one, with the times at which they are due.

    Raises:
        RecordingError: it has no rows or cannot be read.
    """
    if manifest.rows == 0:
        raise RecordingError(f"{folder} has no rows; there is nothing to replay")
    due_us = t_us = -_PERIOD_US
    for lap in itertools.count():
        later_us = None if lap else 0
        session = None
        for part in iterate_recording(folder, rows=_PART_ROWS):
            if later_us is None:
                later_us = t_us + _PERIOD_US - int(part.t_us[0])
            steps_us, session = _steps_us(part, session, t_us - later_us)
            dues_us = due_us + np.cumsum(steps_us)
            times_us = part.t_us + later_us
            gaze, sensors = _payloads(part, times_us, manifest)
            yield from map(Row, dues_us.tolist(), times_us.tolist(), gaze, sensors)
            due_us, t_us = int(dues_us[-1]), int(times_us[-1])
        if not loop:
            return


def _steps_us(part: Recording, session: int | None, before_us: int) -> tuple[NDArray[np.int64], int]:
    """From each reading to the next one's time, beginning with what came before; and the last session."""
    sessions = part.columns.get("session", np.zeros(len(part), np.int32))
    steps_us = np.diff(part.t_us, prepend=before_us)
    begins = np.diff(sessions, prepend=sessions[0] - 1 if session is None else session) != 0
    steps_us[begins | (steps_us <= 0)] = _PERIOD_US
    return steps_us, int(sessions[-1])


def _payloads(
    part: Recording, t_us: NDArray[np.int64], manifest: Manifest
) -> tuple[list[bytes], list[bytes]]:
    """Of GAZE and SENSORS, for each row."""
    names = ("gaze_h_deg", "gaze_v_deg", "openness", "expected_error_deg", "flags")
    missing = [name for name in names if name not in part.columns]
    if missing:
        raise RecordingError(f"the recording has no {', '.join(missing)}; it cannot be replayed")
    columns = [part.columns[name].tolist() for name in names]
    try:
        gaze = list(map(messages.GAZE.layout.pack, t_us.tolist(), *columns))
    except struct.error as error:
        raise RecordingError(f"the recording has times or flags that no headset has: {error}") from error
    if not manifest.sensors:
        return gaze, [b""] * len(part)
    scale = manifest.provenance.get("wire_scale")
    if not isinstance(scale, int) or not 1 <= scale <= 1 << 16:
        raise RecordingError("the recording does not tell how its readings were sent; record it again")
    wire = np.clip(np.rint(part.readings * scale), 0, 65535).astype("<u2")
    head = messages.SENSORS.layout.pack
    sensors = [head(t, manifest.sensors) + row.tobytes() for t, row in zip(t_us.tolist(), wire, strict=True)]
    return gaze, sensors
