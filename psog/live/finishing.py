"""Makes a recording of what a live one has left on the disk, at its end or after a power cut."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from psog.device.messages import GazeFlag
from psog.errors import RecordingError
from psog.live.batch import Batch
from psog.live.event_column import EventColumn
from psog.live.journal import READINGS, Kept, flush, place_of, read_journal
from psog.manifest import FOLDER, JOURNAL, MANIFEST, Shard, shard_name, write_manifest
from psog.recording import Recording, write_shard
from psog.unfinished import own

_SHARD_ROWS = 1_000_000


class Finished(NamedTuple):
    """What became of a live recording.

    Attributes:
        rows: readings in it.
        seconds: by the headset's clock, without the times that it was away.
        away_s: how long it was away, each time.
        losses: frames received, lost and damaged, by name (psog.device.losses); empty where not known.
    """

    rows: int
    seconds: float
    sensors: int
    away_s: list[float]
    losses: dict[str, int]


def recover(out: Path, *, force: bool = False) -> Finished:
    """Finish the recording `out` that something cut short.

    Raises:
        RecordingError: there is none, it is still being made, `out` is there, or it cannot be written.
    """
    place = place_of(out)
    if not (place / JOURNAL).is_file():
        if (out / MANIFEST).is_file() and (out / JOURNAL).is_file():
            raise RecordingError(f"{out} is complete; nothing is to be recovered")
        raise RecordingError(f"there is nothing to recover: no {place}")
    with (place / JOURNAL).open("rb") as journal:
        own(journal, place)
        return finish(out, force=force)


def finish(out: Path, events: EventColumn | None = None, *, force: bool = False) -> Finished:
    """Write the shards and the manifest, and put the folder in its place; by whoever owns the journal.

    Args:
        events: of all its readings; None for a recording that was cut short, whose events are found now.
    Raises:
        RecordingError: nothing whole is there, `out` is there, or it cannot be written; then what was
            recorded is still there.
    """
    place = place_of(out)
    kept = read_journal(place)
    if not kept.rows:
        raise RecordingError(f"{place} holds not one whole reading; remove it")
    try:
        _throw_away(place)  # what an attempt has left that was cut short
        events, cut_short = events or _events(kept), events is None
        span = _Span()
        shards = list(_shards(place, span.watched(_recordings(kept, events))))
        about = dict(kept.about)
        if kept.sensors:
            about["wire_scale"] = kept.wire_scale
        gone = [{"row": kept.rows, "away_s": None, "why": kept.gone}] if kept.gone else []
        about |= {"losses": kept.losses or None, "gaps": kept.away + gone, "cut_short": cut_short}
        write_manifest(place, kept.headset, kept.sensors, shards, about, estimated=True)
        for path in (place / MANIFEST, place):
            flush(path)
    except OSError as error:
        _throw_away(place)
        why = os.strerror(error.errno) if error.errno else error
        raise RecordingError(
            f"cannot finish recording {out}: {why}; what was recorded is kept in {place}: make room, then "
            f"psog record --recover {out}"
        ) from error
    FOLDER.put(place, out.resolve(), force=force)
    flush(place.parent)  # only now is it safe to part with what it was made from
    for made_from in (READINGS, JOURNAL):
        out.joinpath(made_from).unlink(missing_ok=True)
    away_s = [note["away_s"] for note in kept.away]
    return Finished(kept.rows, round(span.seconds, 6), kept.sensors, away_s, kept.losses)


def _throw_away(place: Path) -> None:
    """Shards and manifest; what they are made from stays."""
    for path in (*place.glob("part-*"), place / MANIFEST):
        path.unlink(missing_ok=True)


class _Span:
    """How long the headset was there, by its own clock."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._last: tuple[int, int] | None = None

    def watched(self, parts: Iterable[Recording]) -> Iterator[Recording]:
        for part in parts:
            session, t_us = int(part.columns["session"][0]), part.t_us
            first_us = self._last[1] if self._last and self._last[0] == session else int(t_us[0])
            self.seconds += (int(t_us[-1]) - first_us) * 1e-6
            self._last = session, int(t_us[-1])
            yield part


def _shards(place: Path, parts: Iterator[Recording]) -> Iterator[Shard]:
    for number in itertools.count():
        first = next(parts, None)
        if first is None:
            return
        yield write_shard(_up_to(_SHARD_ROWS, first, parts), place / shard_name(number))


def _up_to(rows: int, first: Recording, parts: Iterator[Recording]) -> Iterator[Recording]:
    """Parts until there are these many rows."""
    part: Recording | None = first
    while part is not None:
        yield part
        rows -= len(part)
        part = next(parts, None) if rows > 0 else None


def _events(kept: Kept) -> EventColumn:
    events = EventColumn()
    for batch, session in kept.batches():
        events.add(batch, session)
    events.end()
    return events


def _recordings(kept: Kept, events: EventColumn) -> Iterator[Recording]:
    scale = np.float32(kept.wire_scale)
    for batch, session in kept.batches():
        rows = len(batch.t_us)
        readings = np.empty((rows, 0), np.float32) if batch.readings is None else batch.readings / scale
        columns = {**_columns(batch, session), "event": events.of(batch.t_us, session)}
        yield Recording(kept.headset, batch.t_us, readings.astype(np.float32), columns, {}, True)


def _columns(batch: Batch, session: int) -> dict[str, Any]:
    return {
        "gaze_h_deg": batch.gaze_deg[:, 0],
        "gaze_v_deg": batch.gaze_deg[:, 1],
        "openness": batch.openness,
        "expected_error_deg": batch.expected_error_deg,
        "flags": batch.flags,
        "valid": (batch.flags & GazeFlag.VALID) != 0,
        "host_time_s": batch.host_time_s,
        "session": np.full(len(batch.t_us), session, np.int32),
    }
