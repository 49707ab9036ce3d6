"""Folders that appear complete or not at all: recordings, models and exports are written through here."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psog.errors import PsogError


@dataclass(frozen=True)
class FolderKind:
    """What a folder holds.

    Attributes:
        name: in messages, "model".
        mark: a file that only folders of this kind have.
        error: what is raised.
    """

    name: str
    mark: str
    error: type[PsogError]

    def check_free(self, folder: Path, *, force: bool) -> None:
        """Raise unless one may be written to `folder`. `force` replaces one of this kind, nothing else."""
        if not folder.exists():
            return
        if not force:
            raise self.error(f"{folder} already exists; choose another folder or pass --force")
        if not (folder / self.mark).is_file() and (not folder.is_dir() or any(folder.iterdir())):
            raise self.error(
                f"{folder} exists and is not {_with_article(self.name)}; --force replaces {self.name}s only"
            )

    @contextmanager
    def writing(self, folder: Path, *, force: bool = False) -> Iterator[Path]:
        """A new folder to fill; when the context ends well, it takes its place as `folder`.

        Raises:
            error: `folder` may not be replaced, or cannot be written; what was there is still there.
        """
        self.check_free(folder, force=force)
        folder = folder.resolve()
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            # A place of our own beside it: whatever else lies there is none of our business.
            with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as place:
                new = Path(place, "new")
                new.mkdir()
                yield new
                self._put(new, folder)
        except OSError as error:
            raise self._unwritable(folder, error) from error

    def put(self, new: Path, folder: Path, *, force: bool = False) -> None:
        """A folder that is ready takes its place as `folder`, which lies beside it.

        Raises:
            error: as for `writing`.
        """
        self.check_free(folder, force=force)
        try:
            self._put(new, folder)
        except OSError as error:
            raise self._unwritable(folder, error) from error

    @staticmethod
    def _put(new: Path, folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as place:
            if folder.exists():
                folder.rename(Path(place, "old"))
            new.rename(folder)

    def _unwritable(self, folder: Path, error: OSError) -> PsogError:
        return self.error(
            f"cannot write {self.name} {folder}: {error.strerror or error}; choose another folder"
        )


def _with_article(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
