"""What a recording's folder says of itself: its manifest, and what an unfinished one has instead."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psog.errors import RecordingError
from psog.folders import FolderKind
from psog.headset import MAX_SENSORS

FORMAT = "psog-recording"
VERSION, VERSION_LIVE = 1, 2
"""The second says that gaze is estimated or readings were not kept: who knows only the first would take it
for the truth."""
TRUE, ESTIMATED = "true", "estimated"
"""Of the gaze."""
MANIFEST = "manifest.json"
JOURNAL = "journal.jsonl"
"""Lists the finished shards of a recording that is being made; `psog.unfinished` writes it."""
LIVE_FORMAT = "psog-live-recording"
"""Format that the first line of a live recording's journal names; `psog.live.journal` writes it."""
_HEAD_BYTES = 1 << 16
UNFINISHED = ".unfinished"
"""Ends the name of the folder in which the shards collect, beside the recording that is to be."""
FOLDER = FolderKind("recording", MANIFEST, RecordingError)
_KEYS = {"format": str, "version": int, "headset": str, "sensors": int, "rows": int, "shards": list}
"""What a manifest must have; the others are for people."""


@dataclass(frozen=True)
class Shard:
    """One Parquet file of a recording.

    Attributes:
        name: of the file.
        sha256: of its bytes, hexadecimal.
    """

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What is in a recording's folder.

    Attributes:
        sensors, rows: how many.
        shards: names of the Parquet files, in the order of time.
        provenance: where it comes from.
        sha256: of the shards' bytes, hexadecimal; none where the manifest does not tell.
        estimated: gaze, openness and events are what a headset made of its readings, not the truth.
    """

    headset: str
    sensors: int
    rows: int
    shards: Sequence[str]
    provenance: Mapping[str, Any]
    sha256: Sequence[str] = ()
    estimated: bool = False


def shard_name(number: int) -> str:
    """The file that holds shard `number`."""
    return f"part-{number:05d}.parquet"


def write_manifest(
    folder: Path,
    headset: str,
    sensors: int,
    shards: Sequence[Shard],
    provenance: Mapping[str, Any],
    *,
    estimated: bool = False,
) -> None:
    """Write the manifest of the shards in `folder`."""
    manifest = {
        "format": FORMAT,
        "version": VERSION_LIVE if estimated or not sensors else VERSION,
        "headset": headset,
        "sensors": sensors,
        "rows": sum(shard.rows for shard in shards),
        "shards": [shard.name for shard in shards],
        "shard_rows": [shard.rows for shard in shards],
        "shard_sha256": [shard.sha256 for shard in shards],
        "gaze": ESTIMATED if estimated else TRUE,
        "units": {"t_us": "us", "readings": "ADC counts", "gaze": "deg", "shift": "mm", "roll": "deg"},
        "provenance": dict(provenance),
    }
    folder.joinpath(MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a recording's folder.

    Raises:
        RecordingError: unfinished, not a recording, of another version, or with values that cannot be.
    """
    _check_finished(folder)
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RecordingError(
            f"{folder} is not a recording: cannot read its {MANIFEST}: {error.strerror}; expected a folder "
            "that psog record or psog simulate wrote"
        ) from error
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{folder} is damaged: its {MANIFEST} is no JSON ({error})") from error
    if not isinstance(found, dict) or not all(type(found.get(key)) is kind for key, kind in _KEYS.items()):
        raise RecordingError(f"{path} is not a recording manifest; expected keys {', '.join(_KEYS)}")
    if found["format"] != FORMAT or found["version"] not in (VERSION, VERSION_LIVE):
        raise RecordingError(
            f"{path}: format {found['format']} version {found['version']}, "
            f"expected {FORMAT} version {VERSION} or {VERSION_LIVE}"
        )
    _check_values(found, path)
    return Manifest(
        headset=found["headset"],
        sensors=found["sensors"],
        rows=found["rows"],
        shards=found["shards"],
        provenance=found.get("provenance", {}),
        sha256=found.get("shard_sha256", []),
        estimated=found.get("gaze", TRUE) == ESTIMATED,
    )


def _check_values(found: Mapping[str, Any], path: Path) -> None:
    """Raise where a manifest says what cannot be."""
    shards = found["shards"]
    fewest = 0 if found["version"] == VERSION_LIVE else 1
    if not fewest <= found["sensors"] <= MAX_SENSORS:
        raise RecordingError(f"{path}: {found['sensors']} sensors, expected {fewest} to {MAX_SENSORS}")
    if found.get("gaze", TRUE) not in (TRUE, ESTIMATED):
        raise RecordingError(f"{path}: gaze is {found['gaze']!r}, expected {TRUE!r} or {ESTIMATED!r}")
    if found["rows"] < 0:
        raise RecordingError(f"{path}: {found['rows']} rows, expected 0 or more")
    if not shards or not all(isinstance(name, str) and name and Path(name).name == name for name in shards):
        raise RecordingError(f"{path}: shards must be one or more names of files beside it")
    digests = found.get("shard_sha256", [])
    if not isinstance(digests, list) or not all(isinstance(digest, str) for digest in digests):
        raise RecordingError(f"{path}: shard_sha256 must be a list of digests")
    if not isinstance(found.get("provenance", {}), dict):
        raise RecordingError(f"{path}: provenance must be an object")


def is_live(journal: Path) -> bool:
    """Whether this is the journal of a live recording; else it is one of a simulated one, or none."""
    with journal.open("rb") as file:
        return LIVE_FORMAT.encode() in file.readline(_HEAD_BYTES)


def _check_finished(folder: Path) -> None:
    """Raise if `folder` is the place of an unfinished recording, or has one beside it and is not there."""
    whole = folder.resolve()  # "." has no name
    beside = whole.parent / (whole.name + UNFINISHED)
    for place in (folder, beside):
        if (place / JOURNAL).is_file() and not (folder / MANIFEST).is_file():
            if is_live(place / JOURNAL):
                raise RecordingError(
                    f"{folder} is being recorded, or was cut short; psog record --recover finishes it"
                )
            made = len(list(place.glob(shard_name(0).replace("00000", "*"))))
            raise RecordingError(
                f"{folder} is unfinished: {made} shards of it are in {place}; give the command that began it "
                "again, and it goes on"
            )
