"""Recording: photosensor readings over time with what is known about them, as Parquet and a manifest."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.columns import NUMBER, check_columns
from psog.errors import RecordingError
from psog.headset import Headset
from psog.manifest import FOLDER, Manifest, Shard, read_manifest, shard_name, write_manifest

GAZE = ("gaze_h_deg", "gaze_v_deg")
SHIFT = ("shift_x_mm", "shift_y_mm", "shift_z_mm", "roll_deg")
PUPIL_CENTRE = ("pupil_x_mm", "pupil_y_mm")
"""From the nominal place of the eye in a video; NaN where no pupil is seen."""
FLOAT_COLUMNS = (
    *GAZE, *SHIFT, "pupil_mm", *PUPIL_CENTRE, "expected_error_deg", "host_time_s", "openness",
)  # fmt: skip
INTEGER_COLUMNS = ("event", "user", "session", "flags")
FIXATION, SACCADE, OSCILLATION, PURSUING, BLINK = 1, 2, 3, 4, 5
"""Values of the column `event`; 0 is undefined. OSCILLATION follows a saccade; PURSUING is any smooth
movement, of pursuit or of the vestibulo-ocular reflex."""
_OPTIONAL = (*FLOAT_COLUMNS, *INTEGER_COLUMNS, "valid")
_ALWAYS_KNOWN = ("t_us", *INTEGER_COLUMNS, "valid")
"""There is no NaN for these."""
_KINDS = {
    **dict.fromkeys(FLOAT_COLUMNS, NUMBER),
    **dict.fromkeys(("t_us", *INTEGER_COLUMNS), ("integer",)),
    "valid": ("boolean",),
}
_SHARD_ROWS = 1_000_000
_PART_ROWS = 65_536
"""Of a row group on the disk, about, and of a part that is read: some megabytes."""


def sensor_columns(count: int) -> list[str]:
    """Column names of the readings: s00, s01, …"""
    return [f"s{index:02d}" for index in range(count)]


@dataclass(frozen=True)
class Recording:
    """Readings and truth of one stretch of wear.

    Attributes:
        headset: name of the headset.
        t_us: (n,) int64 device microseconds.
        readings: (n, sensors) float32 ADC counts, ambient light subtracted; no sensors if they were not kept.
        columns: further (n,) columns among FLOAT_COLUMNS, INTEGER_COLUMNS and "valid".
        provenance: where it comes from: seeds, command, origin and licence of third-party data.
        estimated: gaze, openness and events are what a headset made of its readings, not the truth.
    """

    headset: str
    t_us: NDArray[np.int64]
    readings: NDArray[np.float32]
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    estimated: bool = False

    def __post_init__(self) -> None:
        rows = len(self.t_us)
        if self.readings.ndim != 2 or len(self.readings) != rows:
            raise RecordingError(f"readings have shape {self.readings.shape}, expected ({rows}, sensors)")
        for name, values in self.columns.items():
            if name not in _OPTIONAL:
                raise RecordingError(f"unknown column {name!r} in a recording")
            if values.shape != (rows,):
                raise RecordingError(f"column {name!r} has shape {values.shape}, expected ({rows},)")

    def __len__(self) -> int:
        return len(self.t_us)

    def take(self, rows: slice) -> Recording:
        """Some of its rows."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return replace(self, t_us=self.t_us[rows], readings=self.readings[rows], columns=columns)

    @property
    def gaze_deg(self) -> NDArray[np.float32]:
        """(n, 2) true horizontal and vertical gaze."""
        if self.estimated:
            raise RecordingError(
                "the gaze in this recording is the headset's own estimate, nothing to learn from or to judge "
                "one by; take a recording with true gaze"
            )
        missing = [name for name in GAZE if name not in self.columns]
        if missing:
            raise RecordingError(f"this recording has no gaze ({', '.join(missing)}); record with targets")
        return np.stack([self.columns[name] for name in GAZE], axis=1).astype(np.float32)

    def check_headset(self, headset: Headset) -> None:
        """Raise RecordingError unless this recording has readings of `headset`."""
        if self.readings.shape[1] == 0:
            raise RecordingError(
                "the recording has no sensor readings; record again with psog record --sensors"
            )
        if self.headset != headset.name or self.readings.shape[1] != headset.sensor_count:
            raise RecordingError(
                f"recording is of headset {self.headset!r} with {self.readings.shape[1]} sensors, "
                f"expected {headset.name!r} with {headset.sensor_count}; choose the matching headset"
            )


def joined(parts: Sequence[Recording]) -> Recording:
    """One recording of parts that follow each other in time; at least one.

    Raises:
        RecordingError: they are of different headsets or have different columns.
    """
    first = parts[0]
    for part in parts:
        same = part.headset == first.headset and part.readings.shape[1] == first.readings.shape[1]
        same = same and part.estimated == first.estimated
        if not same or set(part.columns) != set(first.columns):
            raise RecordingError("cannot join recordings of different headsets or with different columns")
    return Recording(
        headset=first.headset,
        t_us=np.concatenate([part.t_us for part in parts]),
        readings=np.concatenate([part.readings for part in parts]),
        columns={name: np.concatenate([part.columns[name] for part in parts]) for name in first.columns},
        provenance=first.provenance,
        estimated=first.estimated,
    )


def write_recording(recording: Recording | Iterable[Recording], folder: Path, *, force: bool = False) -> None:
    """Write Parquet shards and a JSON manifest into a new folder.

    The folder appears complete or not at all.

    Args:
        recording: a whole one, or its parts, at least one; each part becomes a shard and is let go of.
    Raises:
        RecordingError: the folder exists (and `force` is false, or it is no recording), or cannot be written.
    """
    FOLDER.check_free(folder, force=force)
    shards = []
    with FOLDER.writing(folder, force=force) as partial:
        for number, part in enumerate(_parts(recording)):
            shards.append(write_shard([part], partial / shard_name(number)))
        sensors = part.readings.shape[1]
        write_manifest(partial, part.headset, sensors, shards, part.provenance, estimated=part.estimated)


def _parts(recording: Recording | Iterable[Recording]) -> Iterator[Recording]:
    if not isinstance(recording, Recording):
        yield from recording
        return
    for first in range(0, max(len(recording), 1), _SHARD_ROWS):
        yield recording.take(slice(first, first + _SHARD_ROWS))


def write_shard(parts: Iterable[Recording], path: Path) -> Shard:
    """Write parts that follow each other in time as one Parquet file, holding few of them in memory.

    The file appears complete or not at all. The same rows in the same parts give the same bytes.

    Args:
        parts: at least one, all with the same columns.
    Raises:
        OSError: the file cannot be written.
    """
    new = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        rows = _write_parquet(parts, new)
        with new.open("rb+") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)
    return Shard(path.name, rows, digest)


def _write_parquet(parts: Iterable[Recording], path: Path) -> int:
    """Write a Parquet file and tell how many rows it has."""
    import pyarrow.parquet as pq

    tables = map(_table, _gathered(parts))
    first = next(tables)
    rows = first.num_rows
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
            rows += table.num_rows
    return int(rows)


def _gathered(parts: Iterable[Recording]) -> Iterator[Recording]:
    """The same rows in parts of _PART_ROWS or a little more."""
    few: list[Recording] = []
    for part in parts:
        few.append(part)
        if sum(map(len, few)) >= _PART_ROWS:
            yield joined(few)
            few = []
    if few:
        yield joined(few)


def _table(part: Recording) -> Any:
    """As a pyarrow table."""
    import pyarrow as pa

    names = sensor_columns(part.readings.shape[1])
    data: dict[str, Any] = {"t_us": part.t_us}
    data |= {name: part.readings[:, index] for index, name in enumerate(names)}
    return pa.table(data | dict(part.columns))


def read_recording(folder: Path) -> Recording:
    """Read a whole recording into memory.

    Raises:
        RecordingError: not a recording, unfinished, of another version, missing or unreadable shards,
            columns of another type, NaN in a reading.
    """
    return joined(list(iterate_recording(folder)))


def iterate_recording(folder: Path, *, rows: int = _PART_ROWS) -> Iterator[Recording]:
    """Read a recording part by part, in the order of time; memory does not grow with its length.

    Args:
        rows: of a part, at most. An empty recording has one part without rows.
    Raises:
        RecordingError: as `read_recording`, when the reading comes to what is wrong.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    manifest = read_manifest(folder)
    done = 0
    try:
        for name in manifest.shards:
            # Read ahead, what has been read would stay in memory until the file is closed.
            with pq.ParquetFile(folder / name, pre_buffer=False) as file:
                check_columns(file.schema_arrow, folder, ("t_us", *sensor_columns(manifest.sensors)), _KINDS)
                if file.metadata.num_rows == 0:
                    yield _part(file.read(), manifest, folder, done)
                for batch in file.iter_batches(rows):
                    yield _part(batch, manifest, folder, done)
                    done += batch.num_rows
    except (OSError, pa.ArrowException) as error:
        raise RecordingError(f"cannot read recording {folder}: {error}; record or copy it again") from error
    if done != manifest.rows:
        raise RecordingError(
            f"recording {folder} has {done} rows, its manifest says {manifest.rows}; copy it again"
        )


def _part(table: Any, manifest: Manifest, folder: Path, first_row: int) -> Recording:
    """What a pyarrow table or batch holds, checked."""
    columns = [name for name in table.schema.names if name in _OPTIONAL]
    values = {
        name: table[name].to_numpy(zero_copy_only=False)
        for name in ("t_us", *sensor_columns(manifest.sensors), *columns)
    }
    unknown = [name for name in _ALWAYS_KNOWN if name in values and table[name].null_count > 0]
    if unknown:
        raise RecordingError(f"recording {folder} has rows without {', '.join(unknown)}; remove them")
    readings = np.empty((table.num_rows, manifest.sensors), np.float32)
    for index, name in enumerate(sensor_columns(manifest.sensors)):
        readings[:, index] = values[name]
    if not np.isfinite(readings).all():
        row = first_row + int(np.argwhere(~np.isfinite(readings))[0, 0])
        raise RecordingError(
            f"recording {folder} has a reading that is not a number in row {row}; remove the row"
        )
    return Recording(
        headset=manifest.headset,
        t_us=values["t_us"].astype(np.int64),
        readings=readings,
        columns={name: values[name] for name in columns},
        provenance=manifest.provenance,
        estimated=manifest.estimated,
    )
