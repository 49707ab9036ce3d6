"""What a headset streams, as named tuples."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.device.frames import Frame
from psog.device.layout import Message
from psog.device.messages import FEATURES, GAZE, SENSORS, TRIAL, GazeFlag


class GazeSample(NamedTuple):
    """Gaze by the head in use; right and up positive. `seq` is the frame's sequence number.

    `valid`, `calibrated`, `saturated` and `still` are psog.device.messages.GazeFlag.
    """

    t_us: int
    seq: int
    gaze_h_deg: float
    gaze_v_deg: float
    openness: float
    expected_error_deg: float
    valid: bool
    calibrated: bool
    saturated: bool
    still: bool


class TrialSample(NamedTuple):
    """Gaze of the same reading by the trial head of a calibration in progress."""

    t_us: int
    seq: int
    gaze_h_deg: float
    gaze_v_deg: float
    openness: float
    expected_error_deg: float
    valid: bool
    calibrated: bool
    saturated: bool
    still: bool


class FeatureSample(NamedTuple):
    """The network's features: (features,) int8."""

    t_us: int
    seq: int
    features: NDArray[np.int8]


class SensorSample(NamedTuple):
    """The reading itself: (sensors,) uint16, left-aligned to 16 bits."""

    t_us: int
    seq: int
    readings: NDArray[np.uint16]


Sample = GazeSample | TrialSample | FeatureSample | SensorSample


_GazeValues = tuple[int, int, float, float, float, float, bool, bool, bool, bool]
_VALID, _CALIBRATED, _SATURATED, _STILL = (
    int(flag) for flag in (GazeFlag.VALID, GazeFlag.CALIBRATED, GazeFlag.SATURATED, GazeFlag.STILL)
)


def _gaze(frame: Frame) -> GazeSample:
    return GazeSample(*_gaze_values(GAZE, frame))


def _trial(frame: Frame) -> TrialSample:
    return TrialSample(*_gaze_values(TRIAL, frame))


def _gaze_values(message: Message, frame: Frame) -> _GazeValues:
    """In the order of the samples. A thousand of them come a second: no dictionary is made on the way."""
    layout = message.layout
    if len(frame.payload) != layout.size:
        message.unpack(frame.payload)  # says what is wrong
    t_us, h_deg, v_deg, openness, error_deg, flags = layout.unpack(frame.payload)
    told = bool(flags & _VALID), bool(flags & _CALIBRATED), bool(flags & _SATURATED), bool(flags & _STILL)
    return t_us, frame.seq, h_deg, v_deg, openness, error_deg, *told


def _features(frame: Frame) -> FeatureSample:
    values, tail = FEATURES.unpack(frame.payload)
    return FeatureSample(values["t_us"], frame.seq, np.frombuffer(tail, np.int8))


def _sensors(frame: Frame) -> SensorSample:
    values, tail = SENSORS.unpack(frame.payload)
    return SensorSample(values["t_us"], frame.seq, np.frombuffer(tail, "<u2"))


SAMPLE_OF: dict[int, Callable[[Frame], Sample]] = {
    GAZE.code: _gaze,
    TRIAL.code: _trial,
    FEATURES.code: _features,
    SENSORS.code: _sensors,
}
"""How to read a streamed frame, by its type. A payload of the wrong length raises ProtocolError."""


def sample_of(frame: Frame) -> Sample:
    """What a streamed frame says.

    Raises:
        ProtocolError: its payload has the wrong length.
    """
    return SAMPLE_OF[frame.type](frame)
