"""What a headset answers, as named tuples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class DeviceInfo(NamedTuple):
    """HELLO: who the headset is and what is installed on it (see psog.device.messages.HELLO)."""

    protocol: int
    firmware: int
    board: str
    headset: str
    sensors: int
    features: int
    model_crc32: int
    calibrated: bool
    paired: bool
    image_room: int
    model_version: int
    trial: bool
    development: bool
    standardised: bool = False


class DeviceStatus(NamedTuple):
    """STATUS: the firmware's counters since start-up."""

    readings: int
    bad_readings: int
    bad_frames: int
    dropped: int
    hung_restarts: int


class TuneProgress(NamedTuple):
    """TUNE_PROGRESS: readings taken for one target, and passed over: eye not open, sensors saturated, or
    eye open but not still."""

    added: int
    rejected: int
    saturated: int
    moving: int


class TuneResult(NamedTuple):
    """TUNE_RESULT: what the device's fit used, its rms error on those readings, and on targets left out;
    the error of what is in use; what TUNE_ACCEPT would be answered (psog.device.messages.TUNE_RESULT)."""

    samples: int
    targets: int
    before_deg: float
    after_deg: float
    left_out_deg: float
    left_out_worst_deg: float
    in_use_deg: float
    unexplained: float
    verdict: int


class WearMeans(NamedTuple):
    """STANDARDISE_MEANS: readings wanted, measured so far and passed over for too much light, and the mean of
    each sensor on the wire, 0 of one that has not changed."""

    wanted: int
    added: int
    saturated: int
    means: tuple[int, ...]


def device_info(values: Mapping[str, Any]) -> DeviceInfo:
    """HELLO's values by field name as a DeviceInfo."""
    flags = ("calibrated", "paired", "trial", "development", "standardised")
    given: dict[str, Any] = {name: values[name] for name in DeviceInfo._fields}
    return DeviceInfo(**given | {name: bool(given[name]) for name in flags})
