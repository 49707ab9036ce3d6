"""Recordings that a model is made from, read for the verbs that make one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psog.net.sources import Source


def load_source(path: Path) -> Source:
    """A recording folder, or a tab-separated file of the psog_nn repository.

    Raises:
        RecordingError: neither, or damaged.
    """
    from psog.manifest import read_manifest
    from psog.net.sources import Source
    from psog.virtual.source import load_recording

    return Source(path, load_recording(path), read_manifest(path).sha256 if path.is_dir() else ())
