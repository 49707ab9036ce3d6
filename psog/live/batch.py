"""Live readings as arrays: what the view, the recorder and the outputs are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.device.frames import Frame
from psog.device.layout import Message
from psog.device.messages import GAZE, SENSORS, Stream
from psog.device.reconnecting import Back, Gone, ReconnectingHeadset
from psog.errors import ProtocolError

EVERY_S = 0.01
"""Ten readings at 1 kHz: well within a picture of a 60 Hz display, and little work (a weak value)."""
_MOST_UNPAIRED = 64
"""Frames that wait for the other half of their reading; the two are sent together (a weak value)."""

_GAZE_TYPE = np.dtype(
    [
        ("t_us", "<i8"),
        ("gaze_deg", "<f4", (2,)),
        ("openness", "<f4"),
        ("expected_error_deg", "<f4"),
        ("flags", "u1"),
    ]
)
"""GAZE's layout, with its two angles in one field."""


class Batch(NamedTuple):
    """n readings in the order in which they came.

    Attributes:
        t_us: (n,) int64 device time.
        seq: (n,) uint16 sequence number of the GAZE frame.
        gaze_deg: (n, 2) float32 right and up.
        openness: (n,) float32; 0 closed, 1 open.
        expected_error_deg: (n,) float32.
        flags: (n,) uint8, sums of psog.device.messages.GazeFlag.
        host_time_s: (n,) float64 time.monotonic of each reading; NaN while it is not known.
        readings: (n, sensors) uint16, left-aligned to 16 bits; None unless they were asked for.
    """

    t_us: NDArray[np.int64]
    seq: NDArray[np.uint16]
    gaze_deg: NDArray[np.float32]
    openness: NDArray[np.float32]
    expected_error_deg: NDArray[np.float32]
    flags: NDArray[np.uint8]
    host_time_s: NDArray[np.float64]
    readings: NDArray[np.uint16] | None

    def part(self, rows: slice | NDArray[np.intp]) -> Batch:
        """These of its readings."""
        return Batch._make(None if column is None else column[rows] for column in self)


def batches(
    headset: ReconnectingHeadset, every_s: float = EVERY_S, *, sensors: bool = False, timeout_s: float = 2.0
) -> Iterator[Batch | Gone | Back]:
    """What a headset streams, in batches, and Gone and Back where it was away; until `headset.stop()`.

    Sets what the headset streams and has its time kept.

    Args:
        every_s: how long a batch is collected; none is empty.
        sensors: also the sensors' readings, which can identify people. A reading of which the gaze or the
            sensors were lost on the way is left out; `headset.losses` counts the frame.
        timeout_s: silence for so long counts as having gone.
    Raises:
        LinkError, ProtocolError: see ReconnectingHeadset.samples.
    """
    headset.stream(Stream.GAZE | Stream.SENSORS if sensors else Stream.GAZE)
    headset.keep_time()
    unpaired: list[Frame] = []
    for item in headset.frames(every_s, timeout_s=timeout_s):
        if isinstance(item, (Gone, Back)):
            unpaired.clear()
            yield item
            continue
        if sensors:
            batch, unpaired = _with_readings(headset, unpaired + item)
        else:
            batch = _batch(headset, [frame for frame in item if frame.type == GAZE.code])
        if batch is not None and len(batch.t_us):
            yield batch


def limited(
    items: Iterator[Batch | Gone | Back], count: int | None, seconds: float | None
) -> Iterator[Batch | Gone | Back]:
    """So many readings, or those of so many seconds, by the headset's clock and, while it is away, by this
    computer's."""
    spent_s = 0.0
    first_us = last_us = None
    for item in items:
        if isinstance(item, Gone):
            if first_us is not None and last_us is not None:
                spent_s += (last_us - first_us) * 1e-6
            first_us = None
        elif isinstance(item, Back):
            spent_s += item.away_s
        else:
            first_us = int(item.t_us[0]) if first_us is None else first_us
            last_us = int(item.t_us[-1])
            end = len(item.t_us) if count is None else min(count, len(item.t_us))
            if seconds is not None:
                left_us = round((seconds - spent_s) * 1e6)
                end = min(end, int(np.searchsorted(item.t_us, first_us + left_us)))
            if end:
                yield item.part(slice(0, end))
            count = None if count is None else count - end
            if end < len(item.t_us) or count == 0:
                return
            continue
        yield item


def _batch(headset: ReconnectingHeadset, frames: Sequence[Frame]) -> Batch | None:
    if not frames:
        return None
    gaze = np.frombuffer(_joined(GAZE, frames, GAZE.layout.size), _GAZE_TYPE)
    t_us = gaze["t_us"].copy()
    return Batch(
        t_us,
        np.array([frame.seq for frame in frames], np.uint16),
        gaze["gaze_deg"].copy(),
        gaze["openness"].copy(),
        gaze["expected_error_deg"].copy(),
        gaze["flags"].copy(),
        _host_times_s(headset, t_us),
        None,
    )


def _with_readings(headset: ReconnectingHeadset, frames: list[Frame]) -> tuple[Batch | None, list[Frame]]:
    """The readings of which both frames are there, and the frames whose other half may yet come."""
    gaze = [frame for frame in frames if frame.type == GAZE.code]
    seen = [frame for frame in frames if frame.type == SENSORS.code]
    batch = _batch(headset, gaze)
    if batch is None or not seen:
        return None, frames[-_MOST_UNPAIRED:]
    count = headset.info.sensors
    layout = np.dtype([("t_us", "<i8"), ("count", "u1"), ("readings", "<u2", (count,))])
    sensors = np.frombuffer(_joined(SENSORS, seen, layout.itemsize), layout)
    _, ours, theirs = np.intersect1d(batch.t_us, sensors["t_us"], assume_unique=True, return_indices=True)
    together_us = min(batch.t_us[-1], sensors["t_us"][-1])
    unpaired = [frame for frame, t_us in zip(gaze, batch.t_us, strict=True) if t_us > together_us]
    unpaired += [frame for frame, t_us in zip(seen, sensors["t_us"], strict=True) if t_us > together_us]
    paired = batch.part(ours)._replace(readings=sensors["readings"][theirs])
    return paired, unpaired[-_MOST_UNPAIRED:]


def _joined(message: Message, frames: Sequence[Frame], size: int) -> bytes:
    """The payloads one after another, each of `size` bytes."""
    payloads = [frame.payload for frame in frames]
    for payload in payloads:
        if len(payload) != size:
            message.unpack(payload)  # says what is wrong
            raise ProtocolError(f"{message.name}: a reading of {len(payload)} bytes, expected {size}")
    return b"".join(payloads)


def _host_times_s(headset: ReconnectingHeadset, t_us: NDArray[np.int64]) -> NDArray[np.float64]:
    """Those of the first and last reading, and the line between: milliseconds apart, no clock bends."""
    ends = [headset.host_time_s(int(t_us[0])), headset.host_time_s(int(t_us[-1]))]
    if None in ends:
        return np.full(len(t_us), np.nan)
    return np.interp(t_us, t_us[[0, -1]], np.array(ends, np.float64))
