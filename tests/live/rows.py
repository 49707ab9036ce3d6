"""Readings made up for tests of what keeps and shows them."""

from __future__ import annotations

import numpy as np

from psog.device.answers import DeviceInfo
from psog.device.messages import PROTOCOL_VERSION
from psog.live.batch import Batch

INFO = DeviceInfo(
    PROTOCOL_VERSION, 256, "host", "ring16", 16, 32, 0xC0FFEE, True, False, 1 << 17, 3, False, True
)


def made_up(first: int, count: int, sensors: int = 0) -> Batch:
    """Readings number `first` and so on, 1 ms apart; the same whatever batches they come in."""
    number = np.arange(first, first + count)
    return Batch(
        t_us=number * 1000 + 5_000_000_000_000,
        seq=(number % 65536).astype(np.uint16),
        gaze_deg=np.stack([number / 100, -number / 7], axis=1).astype(np.float32),
        openness=np.cos(number).astype(np.float32),
        expected_error_deg=(1.5 + np.sin(number)).astype(np.float32),
        flags=(number % 8).astype(np.uint8),
        host_time_s=np.where(number < 10, np.nan, number / 1000.0),
        readings=((number[:, None] * 7 + np.arange(sensors)) % 4096 * 16).astype(np.uint16)
        if sensors
        else None,
    )
