"""The receiving end of `psog bench link`: a process that does nothing but receive, so that its cost shows."""

from __future__ import annotations

import struct
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np

from psog.device.client import Client, open_headset
from psog.device.losses import Losses
from psog.device.messages import GazeFlag, Stream
from psog.device.samples import GazeSample
from psog.errors import LinkError, PsogError

DELIVERED = np.dtype(
    [
        ("seq", "<u2"),
        ("t_us", "<u8"),
        ("output", "<f4", 4),
        ("flags", "u1"),
        ("at_us", "<u8"),
    ]
)
"""A delivered gaze in the client's file: what GAZE says, and when it was delivered (time.monotonic)."""
_RECORD = struct.Struct("<HQffffBQ")
_QUIET_S = 0.5


class Received(NamedTuple):
    """What the client says of a run.

    Attributes:
        cpu_s: processor time since the first sample.
        wall_s: from the first sample to the last.
        losses: what the link counted, from opening to the end.
        dropped: frames that the device says it did not send meanwhile.
        readings: readings that it says it processed meanwhile.
    """

    cpu_s: float
    wall_s: float
    losses: Losses
    dropped: int
    readings: int


def receive(port: str, file: Path, parent: Connection) -> None:
    """Open the headset, tell the parent, and receive until the parent has said that the sensors have ended
    and nothing more comes. Every gaze goes into `file`; Received, or in one line what went wrong, to the
    parent.
    """
    try:
        with open_headset(port) as headset:
            before = headset.status()
            headset.stream(Stream.GAZE)
            parent.send(None)
            records, cpu_s, wall_s = _collect(headset, parent)
            headset.stream(Stream(0))
            after = headset.status()
            file.write_bytes(records)
            parent.send(
                Received(
                    cpu_s,
                    wall_s,
                    headset.losses,
                    after.dropped - before.dropped,
                    after.readings - before.readings,
                )
            )
    except PsogError as error:
        parent.send(str(error))


def _collect(headset: Client, parent: Connection) -> tuple[bytearray, float, float]:
    """Records of all samples, processor time, and time from the first to the last."""
    records = bytearray()
    first_s = last_s = began_s = 0.0
    while True:
        try:
            for sample in headset.samples(timeout_s=_QUIET_S):
                last_s = time.monotonic()
                if not records:
                    first_s, began_s = last_s, time.process_time()
                records += _record(sample, int(last_s * 1e6))
        except LinkError:
            headset.status()  # it has not gone, only its sensors are silent
            if parent.poll():
                return records, time.process_time() - began_s, last_s - first_s


def _record(sample: object, at_us: int) -> bytes:
    assert isinstance(sample, GazeSample)  # nothing else is streamed
    flags = GazeFlag.VALID * sample.valid | GazeFlag.CALIBRATED * sample.calibrated
    flags |= GazeFlag.SATURATED * sample.saturated | GazeFlag.STILL * sample.still
    return _RECORD.pack(sample.seq, sample.t_us, *sample[2:6], flags, at_us)
