"""A recording in the making: finished shards collect beside its place until all are there.

The folder `NAME.unfinished` has a journal: a first line that says what is being made, and one line per
finished shard, written after its file is in place. Whoever stops at any moment (kill -9, a power cut) loses
the shards that were being made, no others.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from psog.errors import RecordingError
from psog.manifest import FOLDER, JOURNAL, UNFINISHED, Shard, shard_name, write_manifest

FORMAT = "psog-unfinished-recording"


class UnfinishedRecording:
    """The shards of a recording that are finished. Made by `unfinished_recording`; owned by one program.

    Attributes:
        place: the folder in which the shards collect.
        finished: the shards that are there, by number.
        rows: in all of them.
    """

    def __init__(self, out: Path, place: Path, journal: BinaryIO) -> None:
        self.place = place
        self.finished: dict[int, Shard] = {}
        self.rows = 0
        self._out = out
        self._journal = journal

    def add(self, number: int, shard: Shard) -> None:
        """Shard `number` has been made: its file is checked and it counts as finished.

        Raises:
            RecordingError: the file is not here, or not what was made; or the journal cannot be written.
        """
        if not _intact(self.place, shard):
            raise RecordingError(
                f"shard {number} was made, but {self.place / shard.name} does not show it; all workers must "
                "write into the same folder, on a disk they share"
            )
        line = {"shard": number, "rows": shard.rows, "sha256": shard.sha256}
        self._write(line)
        self._count(number, shard)

    def complete(self, headset: str, sensors: int, provenance: Mapping[str, Any], *, force: bool) -> None:
        """All shards are finished: write the manifest and put the folder in its place.

        Raises:
            RecordingError: something else is in that place, or it cannot be written.
        """
        shards = [self.finished[number] for number in sorted(self.finished)]
        with _told(self.place):
            for leftover in self.place.glob(".part-*"):
                leftover.unlink(missing_ok=True)
            write_manifest(self.place, headset, sensors, shards, provenance)
        FOLDER.put(self.place, self._out, force=force)
        self._out.joinpath(JOURNAL).unlink(missing_ok=True)

    def load(self, made_from: Mapping[str, Any]) -> bool:
        """Read the journal, or begin it; False if it is of something else than `made_from`."""
        whole = self._journal.read()
        lines = whole[: whole.rfind(b"\n") + 1].splitlines()
        self._journal.truncate(whole.rfind(b"\n") + 1)  # what a stop left half written
        head = json.loads(_head(made_from))
        if not lines:
            self._write(head)
            return True
        if _parsed(lines[0]) != head:
            return False
        for line in lines[1:]:
            found = _finished(line)
            if found is not None and _intact(self.place, found[1]):
                self._count(*found)
        return True

    def _count(self, number: int, shard: Shard) -> None:
        self.rows += shard.rows - (self.finished[number].rows if number in self.finished else 0)
        self.finished[number] = shard

    def begin_anew(self, made_from: Mapping[str, Any]) -> None:
        """Throw away what is there."""
        with _told(self.place):
            for shard in self.place.glob("part-*"):
                shard.unlink()
            self._journal.truncate(0)
        self._write(json.loads(_head(made_from)))

    def _write(self, line: Mapping[str, Any]) -> None:
        with _told(self.place):
            self._journal.write(json.dumps(line).encode() + b"\n")
            self._journal.flush()
            os.fsync(self._journal.fileno())


@contextmanager
def unfinished_recording(
    out: Path, made_from: Mapping[str, Any], *, force: bool = False
) -> Iterator[UnfinishedRecording]:
    """Begin the recording that is to be `out`, or go on with it. Nothing stays if no shard is finished.

    Args:
        made_from: JSON values on which every shard depends; what was begun from other values is refused.
        force: a recording in the place of `out` will be replaced; one begun from other values is thrown away.
    Raises:
        RecordingError: `out` exists, or what is unfinished was made from something else, belongs to another
            program that runs, or is no unfinished recording.
    """
    out = out.resolve()
    FOLDER.check_free(out, force=force)
    place = out.with_name(out.name + UNFINISHED)
    if place.exists() and not (place / JOURNAL).is_file() and (not place.is_dir() or any(place.iterdir())):
        raise RecordingError(f"{place} is in the way and is no unfinished recording; choose another folder")
    with _told(out):
        place.mkdir(parents=True, exist_ok=True)
        journal = (place / JOURNAL).open("ab+")
    with journal:
        own(journal, place)
        journal.seek(0)
        work = UnfinishedRecording(out, place, journal)
        if not work.load(made_from):
            if not force:
                raise RecordingError(_refusal(out, place, made_from))
            work.begin_anew(made_from)
        try:
            yield work
        finally:
            if not work.finished:
                shutil.rmtree(place, ignore_errors=True)


def own(journal: BinaryIO, place: Path) -> None:
    """Raise unless this program is the only one that works on `place`. The system lets go at the latest when
    the program ends."""
    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.fstat(journal.fileno()).st_ino == (place / JOURNAL).stat().st_ino
    except OSError:
        same = False
    if not same:
        raise RecordingError(f"{place} is being worked on by another program; wait for it or stop it")


def _refusal(out: Path, place: Path, made_from: Mapping[str, Any]) -> str:
    """Why the unfinished recording in `place` cannot go on as one of `made_from`."""
    with (place / JOURNAL).open("rb") as journal:
        head = _parsed(journal.readline())
    begun = head.get("made_from") if head.get("format") == FORMAT else None
    if not isinstance(begun, dict):
        return f"{place / JOURNAL} is no journal of an unfinished recording; choose another folder"
    wanted = json.loads(_head(made_from))["made_from"]
    other = [key for key in {**wanted, **begun} if wanted.get(key) != begun.get(key)]
    return (
        f"{out} is unfinished and was begun with another {', '.join(other)}; give the command that began it "
        "to go on, choose another folder, or pass --force to throw it away"
    )


def _head(made_from: Mapping[str, Any]) -> str:
    """The first line of a journal."""
    return json.dumps({"format": FORMAT, "made_from": made_from})


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _finished(line: bytes) -> tuple[int, Shard] | None:
    """Number and shard of a journal's line, if it is one."""
    found = _parsed(line)
    number, rows, sha256 = (found.get(key) for key in ("shard", "rows", "sha256"))
    if isinstance(number, int) and isinstance(rows, int) and isinstance(sha256, str):
        return number, Shard(shard_name(number), rows, sha256)
    return None


def _intact(place: Path, shard: Shard) -> bool:
    """Whether the file of a shard is there, with the right bytes."""
    try:
        with (place / shard.name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == shard.sha256
    except OSError:
        return False


@contextmanager
def _told(place: Path) -> Iterator[None]:
    """An OSError as one line that says what to do."""
    try:
        yield
    except OSError as error:
        raise RecordingError(
            f"cannot write recording {place}: {error.strerror or error}; make room or choose another folder"
        ) from error
