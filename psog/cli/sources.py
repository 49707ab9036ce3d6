"""Recordings that a model is made from, read for the verbs that make one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psog.net.sources import Source


def load_source(path: Path) -> Source:
    """A recording folder, or a tab-separated file of the psog_nn repository.

    Raises:
        RecordingError: neither, damaged, or recorded without readings.
    """
    from psog.errors import RecordingError
    from psog.manifest import read_manifest
    from psog.net.sources import Source
    from psog.virtual.source import load_recording

    manifest = read_manifest(path) if path.is_dir() else None
    if manifest is not None and not manifest.sensors:
        raise RecordingError(f"{path} has no sensor readings; record again with psog record --sensors")
    return Source(path, load_recording(path), () if manifest is None else manifest.sha256)
