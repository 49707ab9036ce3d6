"""Readings as lines: for people, as CSV, as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Literal, TextIO

from psog.device.messages import GazeFlag
from psog.live.batch import Batch

Format = Literal["text", "csv", "json"]
KEYS = ("t_us", "seq", "gaze_h_deg", "gaze_v_deg", "openness", "expected_error_deg", "valid", "host_time_s")
Row = tuple[Any, ...]
"""A reading's values in the order of KEYS; None for a number that is none."""


def rows(batch: Batch) -> list[Row]:
    """The readings; 1e-4 deg is far below what a headset resolves."""
    columns = (
        batch.t_us.tolist(),
        batch.seq.tolist(),
        _rounded(batch.gaze_deg[:, 0].tolist(), 4),
        _rounded(batch.gaze_deg[:, 1].tolist(), 4),
        _rounded(batch.openness.tolist(), 4),
        _rounded(batch.expected_error_deg.tolist(), 4),
        ((batch.flags & int(GazeFlag.VALID)) != 0).tolist(),
        _rounded(batch.host_time_s.tolist(), 6),
    )
    return list(zip(*columns, strict=True))


def _rounded(values: list[float], digits: int) -> list[float | None]:
    return [round(value, digits) if math.isfinite(value) else None for value in values]


def json_line(row: Row) -> str:
    """One object, with KEYS."""
    return json.dumps(dict(zip(KEYS, row, strict=True)))


def _csv_line(row: Row) -> str:
    cells = (int(value) if isinstance(value, bool) else value for value in row)
    return ",".join("" if cell is None else str(cell) for cell in cells)


def _text_line(row: Row) -> str:
    t_us, _, h_deg, v_deg, openness, error_deg, valid, _ = (math.nan if v is None else v for v in row)
    state = "" if valid else "  eye closed"
    return (
        f"{t_us / 1e6:12.6f} s  right {h_deg:+7.2f}°  up {v_deg:+7.2f}°  "
        f"open {openness:5.2f}  ± {error_deg:5.2f}°{state}"
    )


_WRITERS: dict[Format, Callable[[Row], str]] = {"text": _text_line, "csv": _csv_line, "json": json_line}


class Lines:
    """Lines on a stream of text; CSV begins with its header."""

    missed = 0

    def __init__(self, stream: TextIO, form: Format) -> None:
        self._stream = stream
        self._line = _WRITERS[form]
        if form == "csv":
            self._put(",".join(KEYS))

    def write(self, batch: Batch) -> None:
        """See Output; but for who reads the stream, it waits."""
        self._put("\n".join(map(self._line, rows(batch))))

    def close(self) -> None:
        """See Output. The stream stays open."""

    def _put(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()
