"""Virtual headsets that run now: each leaves a small file in a folder of its user, and holds a lock on it.

The lock ends with the process, however that ends, so a file that nobody holds is stale and is deleted by
whoever comes across it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from psog.errors import LinkError

_SUFFIX = ".json"
_MOST_BYTES = 4096


class Running(NamedTuple):
    """A virtual headset: the port to open, where its firmware runs, and what kind of headset it is."""

    port: str
    board: str
    headset: str


def runtime_folder(environment: Mapping[str, str]) -> Path:
    """Where a user's running things leave files: XDG_RUNTIME_DIR, or a folder of the user's in /tmp.

    Source: XDG Base Directory Specification 0.8.
    """
    given = environment.get("XDG_RUNTIME_DIR", "")
    if given and Path(given).is_dir():
        return Path(given) / "psog"
    return Path(tempfile.gettempdir()) / f"psog-{os.getuid()}"


@contextlib.contextmanager
def announced(folder: Path, headset: Running) -> Iterator[None]:
    """Have `running` find this headset as long as the context lasts.

    Raises:
        LinkError: the folder cannot be used, or is not this user's alone.
    """
    path = folder / f"{os.getpid()}-{Path(headset.port).name}{_SUFFIX}"
    try:
        descriptor = _leave(path, json.dumps(headset._asdict()).encode())
    except OSError as error:
        raise LinkError(f"cannot announce {headset.port} in {folder}: {error.strerror}") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def running(folder: Path) -> list[Running]:
    """The user's virtual headsets, by port; deletes the files of those that have ended."""
    if not _is_own(folder):
        return []
    found = []
    for path in folder.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(OSError, ValueError, RecursionError):  # it has just gone, or is none of ours
            headset = _read(path)
            if headset is not None:
                found.append(headset)
    return sorted(found)


def _leave(path: Path, content: bytes) -> int:
    """Make the file; its lock is held as long as the descriptor that this returns is open."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_own(path.parent):
        raise LinkError(f"{path.parent} is not this user's alone, so nothing is announced there; remove it")
    unfinished = path.with_suffix(".part")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(descriptor, content)
        unfinished.rename(path)  # only now, so that no reader finds it without its lock
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _read(path: Path) -> Running | None:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            values = json.loads(file.read(_MOST_BYTES))
        else:
            path.unlink(missing_ok=True)
            return None
    if not isinstance(values, dict):
        return None
    port, board, headset = (values.get(name) for name in Running._fields)
    if isinstance(port, str) and isinstance(board, str) and isinstance(headset, str):
        return Running(port, board, headset)
    return None


def _is_own(folder: Path) -> bool:
    """Whether nobody else can have put anything there: /tmp is everybody's."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
