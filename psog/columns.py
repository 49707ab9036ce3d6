"""What the columns of a table from elsewhere may be made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psog.errors import RecordingError

NUMBER = ("floating", "integer")


def check_columns(
    schema: Any, folder: Path, required: Sequence[str], kinds: Mapping[str, tuple[str, ...]]
) -> None:
    """Raise unless a recording's shard has what it must, and every column once and of its type.

    Args:
        schema: pyarrow's.
        kinds: what columns may be made of, as pyarrow calls it; required ones without are NUMBER.
    Raises:
        RecordingError: it is otherwise.
    """
    from pyarrow import types

    missing = [name for name in required if name not in schema.names]
    if missing:
        raise RecordingError(f"recording {folder} lacks columns {', '.join(missing)}; record it again")
    for name, allowed in {**dict.fromkeys(required, NUMBER), **kinds}.items():
        if schema.names.count(name) > 1:
            raise RecordingError(f"recording {folder} has column {name} more than once; record it again")
        if name in schema.names and not any(
            getattr(types, f"is_{kind}")(schema.field(name).type) for kind in allowed
        ):
            raise RecordingError(
                f"recording {folder} has column {name} of type {schema.field(name).type}, expected "
                f"{' or '.join(allowed)}; record it again"
            )
