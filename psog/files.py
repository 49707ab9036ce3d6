"""Single files that appear complete or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psog.errors import PsogError


def check_new_file(path: Path, suffix: str, error: type[PsogError], *, force: bool) -> None:
    """Raise `error` unless a file may be written to `path`: right suffix, a folder, nothing there."""
    if path.suffix != suffix:
        raise error(f"cannot write {path}: expected a path that ends in {suffix}")
    if not path.parent.is_dir():
        raise error(f"cannot write {path}: there is no folder {path.parent}; create it or choose another")
    if path.is_dir() or (path.exists() and not force):
        raise error(f"{path} already exists; choose another path or pass --force")


def check_can_be_written(path: Path, option: str) -> None:
    """Raise PsogError unless a file may take this place; what is there would be replaced.

    Args:
        option: that named it, for the message.
    """
    if path.is_dir():
        raise PsogError(f"{option}: {path} is a folder; name a file")
    if not path.parent.is_dir():
        raise PsogError(f"{option}: there is no folder {path.parent}; create it or name another file")
    if not os.access(path.parent, os.W_OK):
        raise PsogError(f"{option}: cannot write into {path.parent}; name another file")


@contextmanager
def writing_file(path: Path, error: type[PsogError]) -> Iterator[Path]:
    """A path beside `path` to write to; when the context ends well, the file takes its place."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as place:
            partial = Path(place, path.name)
            yield partial
            partial.replace(path)
    except OSError as problem:
        raise error(f"cannot write {path}: {problem.strerror or problem}; choose another folder") from problem
