"""Gaze as a stream of the Lab Streaming Layer, described as XDF's gaze meta-data ask for.

Source: github.com/sccn/xdf/wiki/Gaze-Meta-Data
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from psog.device.answers import DeviceInfo
from psog.device.messages import GazeFlag
from psog.errors import MissingExtraError, OutputError
from psog.live.batch import Batch

CHANNELS = (
    ("gaze_right", "DirectionX", "degrees"),
    ("gaze_up", "DirectionY", "degrees"),
    ("openness", "Openness", "normalized"),
    ("expected_error", "ExpectedError", "degrees"),
    ("valid", "Confidence", "normalized"),
)
"""Label, type and unit. Directions are angles; Openness and ExpectedError are types of psog's own, since the
convention has none for them."""
_DEFAULT_NAME = "psog"


class Lsl:
    """An outlet of type Gaze; time stamps are when each reading was taken, by LSL's clock.

    Args:
        name: of the stream.
        info: of the headset. rate_hz: its readings a second.
    Raises (constructor):
        MissingExtraError: pylsl is not installed.
        OutputError: its library cannot be loaded, or opens no outlet.
    """

    def __init__(self, name: str, info: DeviceInfo, rate_hz: float) -> None:
        self.missed = 0
        lsl = _pylsl()
        source = f"psog {info.board} {info.headset} {info.model_crc32:08x}"
        try:
            stream = lsl.StreamInfo(
                name or _DEFAULT_NAME, "Gaze", len(CHANNELS), rate_hz, lsl.cf_float32, source
            )
            _describe(stream, info)
            self._outlet: Any = lsl.StreamOutlet(stream)
        except RuntimeError as error:
            raise OutputError(
                f"cannot open an LSL outlet: {error}; check that UDP and TCP may be used"
            ) from error
        # On Linux both are the same clock; elsewhere they need not be.
        before_s = time.monotonic()
        self._lsl_minus_host_s = lsl.local_clock() - (before_s + time.monotonic()) / 2

    def write(self, batch: Batch) -> None:
        """See Output. Readings of the first moment, whose time is not known yet, are missed."""
        known = np.isfinite(batch.host_time_s)
        self.missed += int((~known).sum())
        if not known.any():
            return
        valid = (batch.flags & int(GazeFlag.VALID)) != 0
        values = np.column_stack([batch.gaze_deg, batch.openness, batch.expected_error_deg, valid])
        stamps_s = (batch.host_time_s[known] + self._lsl_minus_host_s).tolist()
        self._outlet.push_chunk(values[known].astype(np.float32), stamps_s)

    def close(self) -> None:
        """See Output."""
        self._outlet = None


def _pylsl() -> Any:
    try:
        import pylsl
    except ModuleNotFoundError as error:
        raise MissingExtraError("pylsl", "lsl", "psog stream --lsl") from error
    except (RuntimeError, OSError) as error:
        raise OutputError(f"cannot load Lab Streaming Layer's library: {error}") from error
    return pylsl


def _describe(stream: Any, info: DeviceInfo) -> None:
    channels = stream.desc().append_child("channels")
    for label, kind, unit in CHANNELS:
        channel = channels.append_child("channel")
        for name, value in (("label", label), ("eye", "right"), ("type", kind), ("unit", unit)):
            channel.append_child_value(name, value)
        if kind.startswith("Direction"):
            channel.append_child_value("coordinate_system", "headset")
    acquisition = stream.desc().append_child("acquisition")
    for name, value in (("manufacturer", "psog"), ("model", info.headset), ("board", info.board)):
        acquisition.append_child_value(name, value)
