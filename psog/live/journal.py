"""A live recording on the disk while it is made: two files that are only ever appended to.

`NAME.unfinished` has `readings.arrows`, an Arrow IPC stream, and `journal.jsonl`, whose lines say which bytes
of it are whole. A line is written after its bytes are on the disk, so a power cut costs what was not written
yet and nothing else (docs/SPEC.md, live recordings).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from psog.errors import RecordingError
from psog.headset import MAX_SENSORS, WIRE_BITS
from psog.live.batch import Batch
from psog.live.journal_rows import from_arrow, schema_of, to_arrow
from psog.manifest import FOLDER, JOURNAL, LIVE_FORMAT, UNFINISHED, is_live
from psog.unfinished import own

READINGS = "readings.arrows"
_VERSION = 1
_LONGEST_LINE = 1 << 16


class Journal:
    """The files of a live recording that is being made. Made by `begin`; owned by one program.

    Every method may raise OSError: then nothing is to be written any more, and what was written is whole.
    """

    def __init__(self, place: Path, journal: BinaryIO, readings: BinaryIO, sensors: int) -> None:
        self.place = place
        self._journal = journal
        self._readings = readings
        self._schema = schema_of(sensors)
        self._end = self._append(bytes(self._schema.serialize()))

    def add(self, batch: Batch, about: Mapping[str, Any]) -> None:
        """Put readings on the disk, and a line about them with what else is to be known by now."""
        at, data = self._end, bytes(to_arrow(batch, self._schema).serialize())
        self._end += self._append(data)
        self.note({"at": at, "bytes": len(data), "crc32": zlib.crc32(data), "rows": len(batch.t_us), **about})

    def note(self, line: Mapping[str, Any]) -> None:
        """Put a line on the disk."""
        _write_all(self._journal, json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        """Let go of the files, and of the right to write them."""
        self._readings.close()
        self._journal.close()

    def _append(self, data: bytes) -> int:
        _write_all(self._readings, data)
        return len(data)


def place_of(out: Path) -> Path:
    """Where the recording that is to be `out` is made."""
    out = out.resolve()
    return out.with_name(out.name + UNFINISHED)


def begin(out: Path, header: Mapping[str, Any], sensors: int, *, force: bool = False) -> Journal:
    """Begin a recording; `header` has JSON values that say what it is of.

    Args:
        force: a recording in the place of `out` will be replaced; what is unfinished of it is thrown away.
    Raises:
        RecordingError: `out` or something unfinished is there, or it cannot be written.
    """
    FOLDER.check_free(out, force=force)
    place = place_of(out)
    try:
        if place.exists():
            _make_way(out, place, force=force)
        place.mkdir(parents=True)
        try:
            return _begin(place, {"format": LIVE_FORMAT, "version": _VERSION, "sensors": sensors, **header})
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
    except OSError as error:
        raise RecordingError(f"cannot record to {out}: {error.strerror}; choose another folder") from error


def _begin(place: Path, header: Mapping[str, Any]) -> Journal:
    with contextlib.ExitStack() as undo:
        journal = undo.enter_context((place / JOURNAL).open("xb", buffering=0))
        own(journal, place)
        readings = undo.enter_context((place / READINGS).open("xb", buffering=0))
        begun = Journal(place, journal, readings, header["sensors"])
        begun.note(header)
        for folder in (place, place.parent):
            flush(folder)
        undo.pop_all()
    return begun


def _make_way(out: Path, place: Path, *, force: bool) -> None:
    if not (place / JOURNAL).is_file() or not is_live(place / JOURNAL):
        raise RecordingError(f"{place} is in the way and is no live recording; choose another folder")
    with (place / JOURNAL).open("rb") as journal:
        own(journal, place)
        if force:
            shutil.rmtree(place)
            return
        raise RecordingError(
            f"{place} holds a recording that was cut short; finish it with psog record --recover {out}, "
            "choose another folder, or pass --force to throw it away"
        )


class Chunk(NamedTuple):
    """Readings that are whole: where they lie, how many, and how often the headset had been away by then."""

    at: int
    bytes: int
    rows: int
    session: int


@dataclass
class Kept:
    """What there is of an unfinished recording.

    Attributes:
        headset, sensors, wire_scale, about: of the journal's first line; `about` is the provenance.
        chunks: in the order of time.
        away: the notes of when the headset was away, with the row that came next.
        gone: why it had gone in the end; empty where it had not.
        losses: the last that were noted, by name; empty where none were.
    """

    place: Path
    headset: str
    sensors: int
    wire_scale: int
    about: Mapping[str, Any]
    chunks: list[Chunk] = field(default_factory=list)
    away: list[dict[str, Any]] = field(default_factory=list)
    gone: str = ""
    losses: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """In all chunks."""
        return sum(chunk.rows for chunk in self.chunks)

    def batches(self) -> Iterator[tuple[Batch, int]]:
        """The readings of each chunk, and its session."""
        import pyarrow as pa

        schema = schema_of(self.sensors)
        with (self.place / READINGS).open("rb") as file:
            for chunk in self.chunks:
                file.seek(chunk.at)
                try:
                    found = pa.ipc.read_record_batch(pa.py_buffer(file.read(chunk.bytes)), schema)
                    found.validate(full=True)
                except (pa.ArrowException, OSError) as error:
                    raise RecordingError(f"cannot read {file.name}: {error}") from error
                if found.num_rows != chunk.rows:
                    raise RecordingError(f"{file.name} has not the rows its journal says")
                yield from_arrow(found, self.sensors), chunk.session


def read_journal(place: Path) -> Kept:
    """What is whole of the recording that was being made in `place`: up to the first damage, if any.

    Raises:
        RecordingError: no live recording is there, or it is of another version.
    """
    try:
        with (place / JOURNAL).open("rb") as journal, (place / READINGS).open("rb") as readings:
            kept = _kept(place, _parsed(journal.readline(_LONGEST_LINE)))
            while line := _parsed(journal.readline(_LONGEST_LINE)):
                if not _take(line, readings, kept):
                    break
            return kept
    except OSError as error:
        raise RecordingError(f"{place} holds no live recording: {error.strerror}") from error


def _kept(place: Path, header: Mapping[str, Any]) -> Kept:
    """Nothing yet, of what the journal's first line says."""
    if header.get("format") != LIVE_FORMAT or header.get("version") != _VERSION:
        raise RecordingError(f"{place} holds no live recording, or one of another version of psog")
    headset, sensors, scale, about = map(header.get, ("headset", "sensors", "wire_scale", "provenance"))
    if not isinstance(headset, str) or not isinstance(about, dict):
        raise RecordingError(f"{place / JOURNAL} does not say which headset it is of; it cannot be recovered")
    if type(sensors) is not int or not 0 <= sensors <= MAX_SENSORS:
        raise RecordingError(f"{place / JOURNAL}: {sensors!r} sensors, expected 0 to {MAX_SENSORS}")
    if type(scale) is not int or not 1 <= scale <= 1 << WIRE_BITS:
        raise RecordingError(f"{place / JOURNAL}: wire_scale {scale!r}, expected 1 to {1 << WIRE_BITS}")
    return Kept(place, headset, sensors, scale, about)


def _take(line: Mapping[str, Any], readings: BinaryIO, kept: Kept) -> bool:
    """Add what a line says; false where it is not so."""
    away_s, losses = line.get("away_s"), line.get("losses")
    if isinstance(away_s, int | float) and math.isfinite(away_s):
        kept.away.append({"row": kept.rows, "away_s": away_s, "why": str(line.get("why", ""))})
        kept.gone = ""
        return True
    if "gone" in line:
        kept.gone = str(line["gone"])
        return True
    numbers = [line.get(name) for name in ("at", "bytes", "rows", "crc32")]
    if not all(type(number) is int and number >= 0 for number in numbers):
        return False
    at, length, rows, crc32 = (int(number or 0) for number in numbers)
    if at + length > os.fstat(readings.fileno()).st_size:
        return False
    readings.seek(at)
    if zlib.crc32(readings.read(length)) != crc32:
        return False
    kept.chunks.append(Chunk(at, length, rows, len(kept.away)))
    kept.losses = losses if isinstance(losses, dict) else kept.losses
    return True


def _parsed(line: bytes) -> dict[str, Any]:
    """A journal's line, if it is a whole one; else nothing."""
    try:
        found = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_all(file: BinaryIO, data: bytes) -> None:
    """On the disk, and not only in the computer's memory, when this returns."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def flush(path: Path) -> None:
    """Have a file's content, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
