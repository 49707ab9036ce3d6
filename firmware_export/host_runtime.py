"""The firmware's runtime on the host: the same C, called on whole arrays."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.device.messages import ERROR_TEXT, DeviceErrorCode
from psog.errors import DeviceError, ModelImageError, ShapeError
from psog.firmware_export.toolchain import build_library

OUTPUTS = 4
GAZE_OUTPUTS = 2
_IMAGE_ERRORS = (
    DeviceErrorCode.IMAGE,
    DeviceErrorCode.CRC,
    DeviceErrorCode.LENGTH,
    DeviceErrorCode.SELF_TEST,
)


@dataclass(frozen=True)
class Fit:
    """What the device's solver found.

    Attributes:
        weight: (4, features + 1) float32 head; the rows after the gaze are the population's.
        samples: how many were used.
        before_deg, after_deg: rms error on the samples by the population's head and by this one.
    """

    weight: NDArray[np.float32]
    samples: int
    before_deg: float
    after_deg: float


class HostRuntime:
    """A model image in the firmware's runtime, built for the host.

    Raises:
        ModelImageError: the runtime refuses the image, or it fails its self-test.
        ToolchainError: there is no C compiler.
    """

    def __init__(self, image: bytes, library: Path | None = None) -> None:
        """
        Args:
            image: contents of a gaze.psog.
            library: a build of the runtime; the usual one by default.
        """
        self._library = ctypes.CDLL(str(library or build_library()))
        self._image = bytes(image)
        _check(self._library.psog_host_check(self._image, ctypes.c_size_t(len(image))))
        self.sensors = int.from_bytes(image[32:34], "little")
        self.feature_count = int.from_bytes(image[38:40], "little")

    def features(self, wire: NDArray[np.uint16]) -> NDArray[np.int8]:
        """(n, sensors) wire readings to (n, features) int8."""
        return self._infer(wire)[0]

    def gaze(self, wire: NDArray[np.uint16]) -> NDArray[np.float32]:
        """(n, sensors) wire readings to (n, 4): gaze right and up (deg), openness, ln of expected error."""
        return self._infer(wire)[1]

    def fit_head(self, features: NDArray[np.int8], target_deg: NDArray[np.float32]) -> Fit:
        """Fit the head to a user as the device does.

        Args:
            features: (n, features) int8.
            target_deg: (n, 2) where the user was asked to look.
        Raises:
            DeviceError: a target outside the field, no samples, or no finite solution.
        """
        samples = np.ascontiguousarray(features, np.int8)
        targets = np.ascontiguousarray(target_deg, np.float32)
        if samples.shape != (len(targets), self.feature_count) or targets.shape[1:] != (GAZE_OUTPUTS,):
            raise ShapeError(
                f"cannot fit a head: features {samples.shape}, targets {targets.shape}; "
                f"expected (n, {self.feature_count}) and (n, {GAZE_OUTPUTS})"
            )
        weight = np.empty((OUTPUTS, self.feature_count + 1), np.float32)
        fit = _PsogFit()
        error = self._library.psog_host_fit(
            self._image,
            ctypes.c_size_t(len(self._image)),
            samples.ctypes.data_as(ctypes.c_void_p),
            targets.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(len(samples)),
            weight.ctypes.data_as(ctypes.c_void_p),
            ctypes.byref(fit),
        )
        _check(error)
        return Fit(weight, fit.samples, fit.before_deg, fit.after_deg)

    def _infer(self, wire: NDArray[np.uint16]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        readings = np.ascontiguousarray(wire, np.uint16)
        if readings.ndim != 2 or readings.shape[1] != self.sensors:
            raise ShapeError(f"readings have shape {readings.shape}, expected (n, {self.sensors})")
        features = np.empty((len(readings), self.feature_count), np.int8)
        outputs = np.empty((len(readings), OUTPUTS), np.float32)
        error = self._library.psog_host_infer(
            self._image,
            ctypes.c_size_t(len(self._image)),
            readings.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(len(readings)),
            features.ctypes.data_as(ctypes.c_void_p),
            outputs.ctypes.data_as(ctypes.c_void_p),
        )
        _check(error)
        return features, outputs


class _PsogFit(ctypes.Structure):
    """struct psog_fit."""

    _fields_ = (
        ("samples", ctypes.c_uint32),
        ("before_deg", ctypes.c_float),
        ("after_deg", ctypes.c_float),
    )


def _check(error: int) -> None:
    code = DeviceErrorCode(error)
    if code in _IMAGE_ERRORS:
        raise ModelImageError(f"the runtime refuses the image: {ERROR_TEXT[code]}; export the model again")
    if code is not DeviceErrorCode.OK:
        raise DeviceError(f"the runtime refused: {ERROR_TEXT[code]}")
