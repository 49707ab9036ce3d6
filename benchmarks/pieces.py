"""Parts of a long benchmark that are kept in a file, so that one that is cut short goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from psog.errors import PsogError
from psog.files import writing_file


class Pieces:
    """Results by name, made once.

    Args:
        path: of the file, JSON; None keeps nothing.
        made_from: what all of them depend on.
    Attributes:
        made_from: the same, JSON types.
    Raises:
        PsogError: the file is something else, or of another `made_from`.
    """

    def __init__(self, path: Path | None, made_from: Mapping[str, Any]) -> None:
        self._path, self.made_from = path, json.loads(json.dumps(made_from))
        self._found: dict[str, Any] = {}
        if path is None or not path.exists():
            return
        try:
            content = json.loads(path.read_text("utf-8"))
            is_ours = content["made_from"] == self.made_from
            self._found = dict(content["pieces"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PsogError(f"{path} does not hold parts of a benchmark; name another file") from error
        if not is_ours:
            raise PsogError(f"{path} is of another protocol; name another file")

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def __getitem__(self, name: str) -> Any:
        return self._found[name]

    def keep(self, name: str, piece: Any) -> None:
        """Add a piece of JSON types, or replace it."""
        self._found[name] = json.loads(json.dumps(piece, allow_nan=False))
        if self._path is not None:
            with writing_file(self._path, PsogError) as partial:
                content = {"made_from": self.made_from, "pieces": self._found}
                partial.write_text(json.dumps(content), "utf-8")

    def get(self, name: str, make: Callable[[], Any]) -> Any:
        """The piece of that name; `make` gives it where it is not there yet."""
        if name not in self:
            self.keep(name, make())
        return self[name]
