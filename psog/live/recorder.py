"""Records what a headset streams: in memory for a moment, then on the disk, at the end as a recording."""

from __future__ import annotations

import platform
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from psog import __version__
from psog.device.answers import DeviceInfo
from psog.device.losses import Losses
from psog.device.reconnecting import Back, Gone
from psog.errors import RecordingError
from psog.headset import Headset
from psog.live.batch import Batch
from psog.live.event_column import EventColumn
from psog.live.finishing import Finished, finish
from psog.live.journal import begin

EVERY_S = 0.25
"""How often readings go to the disk: a power cut costs these, what comes while they are being written, and
nothing else; together less than a second."""
_MOST_WAITING = 120_000
"""Readings in memory when the disk does not take them: two minutes at 1 kHz (a weak value)."""


class Recorder:
    """A recording that is being made. A context manager; leaving it finishes the recording.

    A thread of its own writes, so `add` returns at once. Whatever ends the program, what is on the disk by
    then is finished by `psog record --recover`. For one thread at a time.

    Args:
        out: folder to write, which appears when the recording is finished.
        info: who the headset is.
        sensors: the headset whose raw readings, which identify people, are to be kept; None keeps none.
        user: a name for the wearer, to be kept in the recording; no name unless given.
        force: a recording that is there is replaced at the end.
    Raises:
        RecordingError: on entering, `out` is there or cannot be written; on leaving, no reading came, or it
            cannot be finished.
    """

    finished: Finished
    """What became of it, after leaving."""
    losses: Losses | None = None
    """To be kept with the readings; set it as they become known."""

    def __init__(
        self,
        out: Path,
        info: DeviceInfo,
        *,
        sensors: Headset | None = None,
        user: str | None = None,
        force: bool = False,
    ) -> None:
        self._out = out
        self._info = info
        self._sensors = sensors
        self._user = user
        self._force = force
        self._waiting: deque[Batch | Gone | Back] = deque()
        self._ending = threading.Event()
        self._failure: RecordingError | None = None
        self._events = EventColumn()
        self._session = self._written = 0
        self._why = ""
        self.rows = 0

    def __enter__(self) -> Recorder:
        count = self._sensors.sensor_count if self._sensors else 0
        header = {
            "headset": self._info.headset,
            "wire_scale": self._sensors.wire_scale if self._sensors else 1,
            "provenance": provenance(self._info, self._user),
        }
        self._journal = begin(self._out, header, count, force=self._force)
        self._writer = threading.Thread(target=self._write, name=f"psog record {self._out}", daemon=True)
        self._writer.start()
        return self

    def add(self, item: Batch | Gone | Back) -> None:
        """Take what psog.live.batch.batches gives.

        Raises:
            RecordingError: the disk is full, or does not keep up; nothing more can be recorded.
        """
        if self._failure is not None:
            raise self._failure
        if isinstance(item, Batch):
            if not len(item.t_us):
                return
            wanted = self._sensors.sensor_count if self._sensors else None
            given = None if item.readings is None else item.readings.shape[1]
            if wanted is not None and given != wanted:
                raise RecordingError(f"readings of {given} sensors to record, expected {wanted}")
            if self.rows - self._written > _MOST_WAITING:
                raise RecordingError(
                    f"the disk of {self._out} has not taken {_MOST_WAITING} readings; {self._way_back()}"
                )
            self.rows += len(item.t_us)
        self._waiting.append(item)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._writer.join()
        try:
            if self._failure is not None:
                raise self._failure
            if self.rows:
                self._events.end()
                self.finished = finish(self._out, self._events, force=self._force)
                return
            shutil.rmtree(self._journal.place, ignore_errors=True)
            if error is None:
                raise RecordingError(f"no reading came, so {self._out} was not written")
        finally:
            self._journal.close()

    def _write(self) -> None:
        try:
            ended = False
            while not ended:
                ended = self._ending.wait(EVERY_S)
                for item in _together(self._waiting):
                    self._put(item)
        except OSError as error:
            self._failure = RecordingError(
                f"cannot go on recording to {self._out}: {error.strerror}; {self._way_back()}"
            )

    def _put(self, item: Batch | Gone | Back) -> None:
        if isinstance(item, Batch):
            losses = self.losses
            batch = item if self._sensors else item._replace(readings=None)
            self._journal.add(batch, {"losses": losses._asdict()} if losses else {})
            self._written += len(batch.t_us)
            self._events.add(batch, self._session)
        elif isinstance(item, Gone):
            self._why = item.why
            self._journal.note({"gone": item.why})
        else:
            self._journal.note({"away_s": round(item.away_s, 6), "why": self._why})
            self._session += 1

    def _way_back(self) -> str:
        return (
            f"what came before is kept in {self._journal.place}: make room, then "
            f"psog record --recover {self._out}"
        )


def provenance(info: DeviceInfo, user: str | None) -> dict[str, Any]:
    """What a live recording says of its origin, as far as it is known at the beginning."""
    host_s, unix_s = time.monotonic(), time.time()
    return {
        "made_by": f"psog {__version__}",
        "source": "headset",
        "device": info._asdict(),
        "begun": datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds"),
        "unix_minus_host_s": round(unix_s - host_s, 6),
        "computer": {"system": platform.platform(), "python": platform.python_version()},
        **({} if user is None else {"user": user}),
    }


def _together(waiting: deque[Batch | Gone | Back]) -> Iterator[Batch | Gone | Back]:
    """What waits, taken away; batches that follow each other as one."""
    batches: list[Batch] = []
    for _ in range(len(waiting)):
        item = waiting.popleft()
        if isinstance(item, Batch):
            batches.append(item)
            continue
        if batches:
            yield _joined(batches)
            batches = []
        yield item
    if batches:
        yield _joined(batches)


def _joined(batches: list[Batch]) -> Batch:
    columns: Iterator[Any] = zip(*batches, strict=True)
    return Batch._make(None if column[0] is None else np.concatenate(column) for column in columns)
