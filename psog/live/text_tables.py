"""Columns as lines of text: what CSV and BIDS tables are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import RecordingError
from psog.files import check_new_file, writing_file
from psog.recording import Recording, iterate_recording, sensor_columns


def lines(columns: Sequence[NDArray[Any]], separator: str, missing: str) -> Iterator[str]:
    """A line for each row, with its end. Numbers have the digits that give the same number when read again.

    Args:
        columns: (n,) each; booleans become 0 and 1.
        missing: what stands for a number that is not known.
    """
    words = [_words(column, missing) for column in columns]
    return (separator.join(row) + "\n" for row in zip(*words, strict=True))


def _words(column: NDArray[Any], missing: str) -> list[str]:
    if column.dtype == bool:
        column = column.astype(np.uint8)
    words = column.astype(str)
    if column.dtype.kind == "f":
        words[~np.isfinite(column)] = missing
    return list(words.tolist())


def export_csv(recording: Path, out: Path, *, force: bool = False) -> int:
    """Write a recording as CSV with every column it has; the header's names end in the units.

    Returns:
        How many rows.
    Raises:
        RecordingError: it cannot be read, or `out` is there or cannot be written.
    """
    check_new_file(out, ".csv", RecordingError, force=force)
    rows = 0
    with writing_file(out, RecordingError) as partial, partial.open("w", encoding="utf-8") as file:
        for part in iterate_recording(recording):
            table = _table(part)
            if not rows:
                file.write(",".join(table) + "\n")
            file.writelines(lines(list(table.values()), ",", ""))
            rows += len(part)
    return rows


def _table(part: Recording) -> dict[str, NDArray[Any]]:
    """By header; all but the readings have their units in their names."""
    names = sensor_columns(part.readings.shape[1])
    readings = {f"{name}_counts": part.readings[:, index] for index, name in enumerate(names)}
    return {"t_us": part.t_us, **part.columns, **readings}
