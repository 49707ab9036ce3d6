"""Replay of a recording through a virtual headset: what the firmware makes of every row."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.device.answers import DeviceStatus
from psog.device.client import open_headset
from psog.device.losses import Losses
from psog.device.messages import Stream
from psog.device.samples import FeatureSample, GazeSample, Sample
from psog.errors import LinkError
from psog.headset import Headset
from psog.recording import Recording
from psog.virtual.headset import VirtualHeadset
from psog.virtual.source import Readings, RecordedReadings, Target

_PATIENCE_S = 5.0
"""Longest silence while rows are missing: an emulator on a busy machine pauses for less."""
_WINDOW = 50
"""Rows on their way at most. What they become (about 100 bytes a row) fits into the device's outbox of 8 KiB,
so a busy computer makes the replay slower, and loses nothing."""


@dataclass(frozen=True)
class Replayed:
    """What came back, in the order of the recording.

    Attributes:
        rows: (n,) int64 rows of the recording that came back whole.
        features: (n, features) int8 by the firmware.
        output: (n, 4) float32 by the firmware's head: gaze_h, gaze_v (deg), openness, ln of expected error.
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
        speed: device seconds per second, at most; less when the board or the link cannot keep up.
    Raises:
        RecordingError: the recording does not fit the headset.
        ToolchainError: the board cannot be built or started.
        LinkError: the device falls silent.
    """
    source = _Paced(recording, headset)
    back = _Back()
    with (
        VirtualHeadset(board, source, image=image, speed=speed, paused=True) as virtual,
        open_headset(virtual.port) as device,
    ):
        device.stream(Stream.GAZE | Stream.FEATURES)
        virtual.start_sensors()
        try:
            for sample in device.samples(timeout_s=_PATIENCE_S):
                back.add(sample)
                source.came_back(sample.t_us)
                if back.has(int(recording.t_us[-1])):
                    break
        except LinkError:
            if not virtual.wait(0):
                raise
            # The last row was lost on the way; the losses say so.
        device.stream(Stream(0))
        losses, status = device.losses, device.status()
    return back.in_order(recording.t_us, losses, status)


class _Back:
    """What has come back, by time."""

    def __init__(self) -> None:
        self._gaze: dict[int, GazeSample] = {}
        self._features: dict[int, FeatureSample] = {}

    def add(self, sample: Sample) -> None:
        if isinstance(sample, GazeSample):
            self._gaze[sample.t_us] = sample
        elif isinstance(sample, FeatureSample):
            self._features[sample.t_us] = sample

    def has(self, t_us: int) -> bool:
        return t_us in self._gaze and t_us in self._features

    def in_order(self, t_us: NDArray[np.int64], losses: Losses, status: DeviceStatus) -> Replayed:
        rows = [row for row, t in enumerate(t_us.tolist()) if self.has(t)]
        gaze = [self._gaze[t] for t in t_us[rows].tolist()]
        features = [self._features[t].features for t in t_us[rows].tolist()]
        return Replayed(
            rows=np.array(rows, np.int64),
            features=np.array(features, np.int8),
            output=np.array([_head_output(sample) for sample in gaze], np.float32),
            losses=losses,
            status=status,
        )


def _head_output(sample: GazeSample) -> tuple[float, float, float, float]:
    """What the head gave; on the wire is the expected error itself, not its logarithm."""
    expected = math.log(max(sample.expected_error_deg, _LEAST_DEG))
    return sample.gaze_h_deg, sample.gaze_v_deg, sample.openness, expected


_LEAST_DEG = 1e-30  # of an expected error that float32 has rounded to nothing


class _Paced:
    """A recording's readings, no more than _WINDOW of them ahead of what came back."""

    def __init__(self, recording: Recording, headset: Headset) -> None:
        self._readings = RecordedReadings(recording, headset)
        self._t_us = recording.t_us
        self._taken = 0
        self._returned = 0

    def came_back(self, t_us: int) -> None:
        """The reading of this time has come back, and so have all before it, or they are lost."""
        self._returned = int(np.searchsorted(self._t_us, t_us, side="right"))

    def take(self, elapsed_us: int) -> Readings | None:
        readings = self._readings.take(elapsed_us, max(self._returned + _WINDOW - self._taken, 0))
        if readings is not None:
            self._taken += len(readings.t_us)
        return readings

    def show(self, target: Target | None) -> None:
        """A recording looks where it looked."""
