"""Where live gaze goes: standard output, Lab Streaming Layer, OSC, UDP. docs/streaming.md has the formats."""

from __future__ import annotations

from typing import Protocol

from psog.live.batch import Batch


class Output(Protocol):
    """Takes batches as they come and never makes the reader wait."""

    @property
    def missed(self) -> int:
        """Readings that it could not pass on."""

    def write(self, batch: Batch) -> None:
        """Pass the readings on."""

    def close(self) -> None:
        """Let go of what it holds. Idempotent."""
