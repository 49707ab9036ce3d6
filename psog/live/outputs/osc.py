"""Gaze as Open Sound Control 1.0: a bundle for some milliseconds, a message for each reading.

`/psog/gaze` has the arguments hffffi: device time in microseconds, gaze right and up in degrees, openness (0
to 1), expected error in degrees, and 1 when the gaze is valid. A bundle's time tag is when its last reading
was taken. Source: opensoundcontrol.stanford.edu/spec-1_0.html
"""

from __future__ import annotations

import math
import struct
import time

from psog.device.messages import GazeFlag
from psog.live.batch import Batch
from psog.live.outputs.datagrams import Datagrams

ADDRESS = "/psog/gaze"
_HEAD = b"/psog/gaze\0\0,hffffi\0"
_ARGUMENTS = struct.Struct(">qffffi")
_SIZE = struct.pack(">i", len(_HEAD) + _ARGUMENTS.size)
_SINCE_1900_S = 2_208_988_800
"""From the epoch of time tags, which are NTP's, to that of time.time."""
_NOW = struct.pack(">Q", 1)
_MOST = 24
"""Messages in a bundle: 24 × 52 bytes fit into an Ethernet frame of 1500 with all headers."""


class Osc:
    """Sends bundles to an OSC receiver.

    Raises (constructor):
        OutputError: see Datagrams.
    """

    def __init__(self, address: str) -> None:
        self.missed = 0
        self._datagrams = Datagrams(address)
        self._wall_minus_host_s = time.time() - time.monotonic()

    def write(self, batch: Batch) -> None:
        """See Output."""
        for first in range(0, len(batch.t_us), _MOST):
            part = batch.part(slice(first, first + _MOST))
            if not self._datagrams.send(self._bundle(part)):
                self.missed += len(part.t_us)

    def close(self) -> None:
        """See Output."""
        self._datagrams.close()

    def _bundle(self, batch: Batch) -> bytes:
        columns = (
            batch.t_us.tolist(),
            *batch.gaze_deg.T.tolist(),
            batch.openness.tolist(),
            batch.expected_error_deg.tolist(),
            ((batch.flags & int(GazeFlag.VALID)) != 0).tolist(),
        )
        messages = [_SIZE + _HEAD + _ARGUMENTS.pack(*row) for row in zip(*columns, strict=True)]
        return b"".join((b"#bundle\0", self._time_tag(float(batch.host_time_s[-1])), *messages))

    def _time_tag(self, host_time_s: float) -> bytes:
        if not math.isfinite(host_time_s):
            return _NOW
        since_1900_s = host_time_s + self._wall_minus_host_s + _SINCE_1900_S
        return struct.pack(">Q", int(since_1900_s * (1 << 32)))
