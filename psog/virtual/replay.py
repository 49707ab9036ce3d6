"""Replay of a recording through a virtual headset: what the firmware makes of every row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.device.client import Client, DeviceStatus, open_headset
from psog.device.losses import Losses
from psog.device.messages import Stream
from psog.device.samples import FeatureSample, GazeSample
from psog.errors import LinkError
from psog.headset import Headset
from psog.recording import Recording
from psog.virtual.headset import VirtualHeadset
from psog.virtual.source import RecordedReadings

_PATIENCE_S = 5.0
"""Longest silence while rows are missing: an emulator on a busy machine pauses for less."""


@dataclass(frozen=True)
class Replayed:
    """What came back, in the order of the recording.

    Attributes:
        rows: (n,) int64 rows of the recording that came back whole.
        features: (n, features) int8 by the firmware.
        output: (n, 3) float32 by the firmware's head: gaze_h, gaze_v (deg), openness.
        losses: frames lost or damaged between device and host.
        status: the firmware's counters.
    """

    rows: NDArray[np.int64]
    features: NDArray[np.int8]
    output: NDArray[np.float32]
    losses: Losses
    status: DeviceStatus


def replay(recording: Recording, headset: Headset, image: bytes, board: str, speed: float = 1.0) -> Replayed:
    """Send a recording's readings through the firmware on a board, and collect features and gaze.

    Args:
        recording: of `headset`.
        image: model image to run.
        speed: device seconds per second.
    Raises:
        RecordingError: the recording does not fit the headset.
        ToolchainError: the board cannot be built or started.
        LinkError: the device falls silent.
    """
    source = RecordedReadings(recording, headset)
    with (
        VirtualHeadset(board, source, image=image, speed=speed, paused=True) as virtual,
        open_headset(virtual.port) as device,
    ):
        device.stream(Stream.GAZE | Stream.FEATURES)
        virtual.start_sensors()
        gaze: dict[int, GazeSample] = {}
        features: dict[int, FeatureSample] = {}
        try:
            _collect(device, int(recording.t_us[-1]), gaze, features)
        except LinkError:
            if not virtual.wait(0):
                raise
            # The last row was lost on the way; the losses say so.
        device.stream(Stream(0))
        losses, status = device.losses, device.status()
    whole = [row for row, t_us in enumerate(recording.t_us.tolist()) if t_us in gaze and t_us in features]
    t_us = recording.t_us[whole].tolist()
    return Replayed(
        rows=np.array(whole, np.int64),
        features=np.array([features[t].features for t in t_us], np.int8),
        output=np.array(
            [(gaze[t].gaze_h_deg, gaze[t].gaze_v_deg, gaze[t].openness) for t in t_us], np.float32
        ),
        losses=losses,
        status=status,
    )


def _collect(
    device: Client, last_t_us: int, gaze: dict[int, GazeSample], features: dict[int, FeatureSample]
) -> None:
    """Fill in gaze and features by their time, until both of the last row are in."""
    for sample in device.samples(timeout_s=_PATIENCE_S):
        if isinstance(sample, GazeSample):
            gaze[sample.t_us] = sample
        elif isinstance(sample, FeatureSample):
            features[sample.t_us] = sample
        if last_t_us in gaze and last_t_us in features:
            return
