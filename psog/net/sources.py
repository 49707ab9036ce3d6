"""Recordings that a model is made from, and what the model says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psog.recording import Recording


@dataclass(frozen=True)
class Source:
    """A recording and where it lies.

    Attributes:
        sha256: of its files, hexadecimal; none where its manifest does not tell.
    """

    path: Path
    recording: Recording
    sha256: Sequence[str] = ()

    def told(self) -> dict[str, Any]:
        """As models tell it, JSON types only."""
        return {
            "name": self.path.resolve().name,
            "rows": len(self.recording),
            "sha256": list(self.sha256),
        }
