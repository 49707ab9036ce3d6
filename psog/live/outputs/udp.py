"""Gaze for any program that can receive datagrams: a JSON object for every reading."""

from __future__ import annotations

from psog.live.batch import Batch
from psog.live.outputs.datagrams import Datagrams
from psog.live.outputs.lines import json_line, rows


class Udp:
    """Sends every reading as one datagram, the same object as `psog stream --json` prints.

    Raises (constructor):
        OutputError: see Datagrams.
    """

    def __init__(self, address: str) -> None:
        self.missed = 0
        self._datagrams = Datagrams(address)

    def write(self, batch: Batch) -> None:
        """See Output."""
        for row in rows(batch):
            self.missed += not self._datagrams.send(json_line(row).encode())

    def close(self) -> None:
        """See Output."""
        self._datagrams.close()
