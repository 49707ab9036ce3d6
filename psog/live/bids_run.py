"""One run of a BIDS eye-tracking recording: its table, its events, and the sidecars of both."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.live import bids_sidecars
from psog.live.text_tables import lines
from psog.manifest import Manifest
from psog.recording import BLINK, FIXATION, GAZE, OSCILLATION, PURSUING, SACCADE, Recording

COLUMNS = {
    "timestamp": "t_us",
    "x_coordinate": GAZE[0],
    "y_coordinate": GAZE[1],
    "pupil_size": "pupil_mm",
    "openness": "openness",
    "expected_error": "expected_error_deg",
    "valid": "valid",
}
"""What BIDS (the first four) or psog (the others) calls a recording's columns; no raw readings, and no times
of the day."""
EVENTS = {
    FIXATION: "fixation",
    SACCADE: "saccade",
    OSCILLATION: "oscillation",
    PURSUING: "pursuit",
    BLINK: "blink",
}
_STEPS = 10_000
"""Times between readings of which the usual one is taken: ten seconds tell it."""


class BidsRun:
    """Files whose names begin with `path`, in the making. A context manager.

    Args:
        first: the first part of the run; all have its columns.
    """

    def __init__(self, path: Path, first: Recording) -> None:
        self._path = path
        self._columns = [name for name, ours in COLUMNS.items() if ours == "t_us" or ours in first.columns]
        self._has_events = "event" in first.columns
        self._events: list[tuple[int, int, int]] = []  # code, from, to; µs
        self._steps_us: list[int] = []
        self._last_us: int | None = None

    def __enter__(self) -> BidsRun:
        # Without a time of its own in the file, the same recording gives the same bytes.
        raw = self._suffixed("physio.tsv.gz").open("xb")
        self._file = io.TextIOWrapper(gzip.GzipFile("", "wb", fileobj=raw, mtime=0), "utf-8", newline="\n")
        self._raw = raw
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._raw.close()

    def add(self, part: Recording) -> None:
        """The readings that come next."""
        known = {**part.columns, "t_us": part.t_us}
        self._file.writelines(lines([known[COLUMNS[name]] for name in self._columns], "\t", "n/a"))
        if len(self._steps_us) < _STEPS:
            before = part.t_us[:0] if self._last_us is None else [self._last_us]
            self._steps_us += np.diff(part.t_us, prepend=before).tolist()
        if self._has_events:
            self._add_events(part.t_us, part.columns["event"])
        self._last_us = int(part.t_us[-1])

    def _add_events(self, t_us: NDArray[np.int64], event: NDArray[np.integer[Any]]) -> None:
        begins = np.flatnonzero(np.diff(event, prepend=-1))
        ends = [*(begins[1:] - 1).tolist(), len(event) - 1]
        for begin, end in zip(begins.tolist(), ends, strict=True):
            code, from_us, to_us = int(event[begin]), int(t_us[begin]), int(t_us[end])
            if begin == 0 and self._last_us is not None and self._events and self._events[-1][0] == code:
                _, from_us, _ = self._events.pop()  # it began in the part before
            self._events.append((code, from_us, to_us))

    def describe(self, manifest: Manifest, task: str, eye: str) -> None:
        """Write the sidecars and the events; after the last part."""
        step_us = float(np.median(self._steps_us)) if self._steps_us else 0.0
        rate_hz = 1e6 / step_us if step_us else 0.0
        sidecar = bids_sidecars.readings(manifest, eye, rate_hz, self._columns)
        self._write_json("physio.json", {"TaskName": task, **sidecar})
        if not self._has_events:
            return
        table = "".join(
            f"{from_us}\t{(to_us - from_us + step_us) * 1e-6:.6f}\t{EVENTS[code]}\n"
            for code, from_us, to_us in self._events
            if code in EVENTS
        )
        self._suffixed("physioevents.tsv.gz").write_bytes(gzip.compress(table.encode(), mtime=0))
        self._write_json("physioevents.json", {"TaskName": task, **bids_sidecars.events(manifest)})

    def _write_json(self, suffix: str, content: dict[str, Any]) -> None:
        self._suffixed(suffix).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")

    def _suffixed(self, suffix: str) -> Path:
        return self._path.with_name(f"{self._path.name}_{suffix}")
