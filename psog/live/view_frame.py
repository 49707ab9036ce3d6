"""What the live view's pages get some sixty times a second: every reading since the last time, as bytes.

Little endian, each column at a multiple of its element's size (psog/live/page/frame.js reads it):

    u32 n, u32 sensors, u32 number of the first reading since the view began, u32 0
    f64 device time of the first reading in µs, f64 host time of the last one in s (NaN unknown)
    f32 right, up (n pairs, degrees); f32 openness (n); f32 expected error in degrees (n)
    u32 µs since the first reading (n); u16 readings (n × sensors); u8 flags (n)
"""

from __future__ import annotations

import struct

import numpy as np

from psog.live.batch import Batch

HEADER = struct.Struct("<IIIIdd")


def pack(batch: Batch, number: int) -> bytes:
    """A batch as bytes.

    Args:
        batch: not empty, its times not decreasing.
        number: readings before it since the view began.
    """
    count = len(batch.t_us)
    readings = np.zeros((count, 0), np.uint16) if batch.readings is None else batch.readings
    header = HEADER.pack(
        count, readings.shape[1], number % 2**32, 0, float(batch.t_us[0]), batch.host_time_s[-1]
    )
    columns = (
        batch.gaze_deg.astype("<f4"),
        batch.openness.astype("<f4"),
        batch.expected_error_deg.astype("<f4"),
        (batch.t_us - batch.t_us[0]).astype("<u4"),
        readings.astype("<u2"),
        batch.flags,
    )
    return header + b"".join(column.tobytes() for column in columns)
