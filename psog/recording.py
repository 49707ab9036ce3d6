"""Recording: photosensor readings over time with what is known about them, as Parquet and a manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import RecordingError
from psog.folders import FolderKind
from psog.headset import Headset

FORMAT = "psog-recording"
VERSION = 1
MANIFEST = "manifest.json"
FOLDER = FolderKind("recording", MANIFEST, RecordingError)

GAZE = ("gaze_h_deg", "gaze_v_deg")
SHIFT = ("shift_x_mm", "shift_y_mm", "shift_z_mm", "roll_deg")
PUPIL_CENTRE = ("pupil_x_mm", "pupil_y_mm")
"""From the nominal place of the eye in a video; NaN where no pupil is seen."""
FLOAT_COLUMNS = (*GAZE, *SHIFT, "pupil_mm", *PUPIL_CENTRE, "openness")
INTEGER_COLUMNS = ("event", "user", "session")
_SHARD_ROWS = 1_000_000


def sensor_columns(count: int) -> list[str]:
    """Column names of the readings: s00, s01, …"""
    return [f"s{index:02d}" for index in range(count)]


@dataclass(frozen=True)
class Recording:
    """Readings and truth of one stretch of wear.

    Attributes:
        headset: name of the headset.
        t_us: (n,) int64 device microseconds.
        readings: (n, sensors) float32 ADC counts, ambient light subtracted.
        columns: further (n,) columns among FLOAT_COLUMNS, INTEGER_COLUMNS and "valid".
        provenance: where it comes from: seeds, command, origin and licence of third-party data.
    """

    headset: str
    t_us: NDArray[np.int64]
    readings: NDArray[np.float32]
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = len(self.t_us)
        if self.readings.ndim != 2 or len(self.readings) != rows:
            raise RecordingError(f"readings have shape {self.readings.shape}, expected ({rows}, sensors)")
        for name, values in self.columns.items():
            if name not in (*FLOAT_COLUMNS, *INTEGER_COLUMNS, "valid"):
                raise RecordingError(f"unknown column {name!r} in a recording")
            if values.shape != (rows,):
                raise RecordingError(f"column {name!r} has shape {values.shape}, expected ({rows},)")

    def __len__(self) -> int:
        return len(self.t_us)

    @property
    def gaze_deg(self) -> NDArray[np.float32]:
        """(n, 2) horizontal and vertical gaze."""
        missing = [name for name in GAZE if name not in self.columns]
        if missing:
            raise RecordingError(f"this recording has no gaze ({', '.join(missing)}); record with targets")
        return np.stack([self.columns[name] for name in GAZE], axis=1).astype(np.float32)

    def check_headset(self, headset: Headset) -> None:
        """Raise RecordingError unless this recording was made with `headset`."""
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
        if not same or set(part.columns) != set(first.columns):
            raise RecordingError("cannot join recordings of different headsets or with different columns")
    return Recording(
        headset=first.headset,
        t_us=np.concatenate([part.t_us for part in parts]),
        readings=np.concatenate([part.readings for part in parts]),
        columns={name: np.concatenate([part.columns[name] for part in parts]) for name in first.columns},
        provenance=first.provenance,
    )


def write_recording(recording: Recording, folder: Path, *, force: bool = False) -> None:
    """Write Parquet shards and a JSON manifest into a new folder.

    The folder appears complete or not at all.

    Raises:
        RecordingError: the folder exists (and `force` is false, or it is no recording), or cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    FOLDER.check_free(folder, force=force)
    names = sensor_columns(recording.readings.shape[1])
    data: dict[str, Any] = {"t_us": recording.t_us}
    data |= {name: recording.readings[:, index] for index, name in enumerate(names)}
    data |= dict(recording.columns)
    table = pa.table(data)
    starts = range(0, max(len(recording), 1), _SHARD_ROWS)
    shards = {f"part-{start // _SHARD_ROWS:05d}.parquet": start for start in starts}
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "headset": recording.headset,
        "sensors": len(names),
        "rows": len(recording),
        "shards": list(shards),
        "units": {"t_us": "us", "readings": "ADC counts", "gaze": "deg", "shift": "mm", "roll": "deg"},
        "provenance": dict(recording.provenance),
    }
    with FOLDER.writing(folder, force=force) as partial:
        for name, start in shards.items():
            pq.write_table(table.slice(start, _SHARD_ROWS), partial / name, compression="zstd")
        (partial / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def read_recording(folder: Path) -> Recording:
    """Read a recording written by `write_recording`.

    Raises:
        RecordingError: not a recording, another version, missing or unreadable shards, NaN readings.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    manifest = _read_manifest(folder)
    names = sensor_columns(manifest["sensors"])
    try:
        table = pa.concat_tables([pq.read_table(folder / Path(shard).name) for shard in manifest["shards"]])
    except (OSError, pa.ArrowException) as error:
        raise RecordingError(f"cannot read recording {folder}: {error}; record or copy it again") from error
    missing = [name for name in ("t_us", *names) if name not in table.column_names]
    if missing:
        raise RecordingError(f"recording {folder} lacks columns {', '.join(missing)}; record it again")
    if table.num_rows != manifest["rows"]:
        raise RecordingError(
            f"recording {folder} has {table.num_rows} rows, its manifest says {manifest['rows']}; "
            "copy it again"
        )
    readings = np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.float32)
    if not np.isfinite(readings).all():
        row = int(np.argwhere(~np.isfinite(readings))[0, 0])
        raise RecordingError(
            f"recording {folder} has a reading that is not a number in row {row}; remove the row"
        )
    known = (*FLOAT_COLUMNS, *INTEGER_COLUMNS, "valid")
    columns = {name: table[name].to_numpy() for name in table.column_names if name in known}
    return Recording(
        headset=manifest["headset"],
        t_us=table["t_us"].to_numpy().astype(np.int64),
        readings=readings,
        columns=columns,
        provenance=manifest["provenance"],
    )


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RecordingError(f"{folder} is not a recording: cannot read {MANIFEST}: {error}") from error
    expected = {"format": str, "version": int, "headset": str, "sensors": int, "rows": int, "shards": list}
    if not isinstance(manifest, dict) or not all(
        isinstance(manifest.get(key), kind) for key, kind in expected.items()
    ):
        raise RecordingError(f"{path} is not a recording manifest; expected keys {', '.join(expected)}")
    if manifest["format"] != FORMAT or manifest["version"] != VERSION:
        raise RecordingError(
            f"{path}: format {manifest['format']} version {manifest['version']}, "
            f"expected {FORMAT} version {VERSION}"
        )
    manifest.setdefault("provenance", {})
    return manifest
