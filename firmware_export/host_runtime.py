"""The firmware's runtime on the host: the same C, called on whole arrays."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.device.error_codes import ERROR_TEXT, DeviceErrorCode
from psog.device.identity import SIGNATURE_BYTES
from psog.errors import DeviceError, ModelImageError, ShapeError
from psog.firmware_export.image_format import head_of, told_sizes
from psog.firmware_export.toolchain import build_library
from psog.net.integer import MAX_PLANES
from psog.net.told import SAMPLES_PER_TARGET

OUTPUTS = 4
GAZE_OUTPUTS = 2
_TARGET_BYTES = 20
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
        samples: how many readings were added.
        targets: to how many targets.
        before_deg: rms error on them by the population's head.
        after_deg: on those that were kept, by this one.
        left_out_deg, left_out_worst_deg: psog.net.left_out, rms over the targets and the worst.
        in_use_deg: on those that were kept, by what was in use.
        unexplained: psog.net.left_out.
    """

    weight: NDArray[np.float32]
    samples: int
    targets: int
    before_deg: float
    after_deg: float
    left_out_deg: float
    left_out_worst_deg: float
    in_use_deg: float
    unexplained: float


@dataclass(frozen=True)
class Told:
    """What the device finds from a calibration.

    Attributes:
        numbers: (Z,) float32 of the user; none without a user embedding.
        biases: (outputs,) int32 of all layers, one after the other.
        fit: the head fitted to the features of the network with these biases.
    """

    numbers: NDArray[np.float32]
    biases: NDArray[np.int32]
    fit: Fit


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
        self._image = bytes(image[:-SIGNATURE_BYTES])  # whoever runs it here may, whoever signed it
        _check(self._library.psog_host_check(self._image, ctypes.c_size_t(len(self._image))))
        self.sensors = int.from_bytes(image[32:34], "little")
        self.feature_count = int.from_bytes(image[38:40], "little")
        self._numbers, self._outputs = told_sizes(self._image)

    def features(self, wire: NDArray[np.uint16], biases: NDArray[np.int32] | None = None) -> NDArray[np.int8]:
        """(n, sensors) wire readings to (n, features) int8.

        Args:
            biases: (outputs,) of a user, from `tell`; a stranger's if not given.
        """
        return self._infer(wire, biases)[0]

    def gaze(self, wire: NDArray[np.uint16]) -> NDArray[np.float32]:
        """(n, sensors) wire readings to (n, 4): gaze right and up (deg), openness, ln of expected error."""
        return self._infer(wire, None)[1]

    def calibrate(self, wire: NDArray[np.uint16], target_deg: NDArray[np.floating]) -> Told:
        """Fit the head, and tell a network with a user embedding whose eye it sees, as the device does.

        Args:
            wire: (targets, n, sensors) readings of an open eye, n from 1 to 65,535.
            target_deg: (targets, 2) where the user was asked to look.
        Raises:
            DeviceError: a target outside the field, none, or no finite solution.
        """
        readings = np.ascontiguousarray(wire, np.uint16)
        targets = np.ascontiguousarray(target_deg, np.float32)
        if readings.ndim != 3 or readings.shape[2] != self.sensors or targets.shape != (len(readings), 2):
            raise ShapeError(
                f"cannot calibrate: readings {readings.shape}, targets {targets.shape}; "
                f"expected (targets, n, {self.sensors}) and (targets, 2)"
            )
        rows = np.empty((GAZE_OUTPUTS, self.feature_count + 1), np.float32)
        numbers, biases = np.empty(self._numbers, np.float32), np.empty(self._outputs, np.int32)
        kept = self._room(len(targets))
        user = PsogUser(rows.ctypes.data, numbers.ctypes.data, biases.ctypes.data)
        fit = PsogFit()
        error = self._library.psog_host_calibrate(
            self._image,
            ctypes.c_size_t(len(self._image)),
            readings.ctypes.data_as(ctypes.c_void_p),
            targets.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(len(targets)),
            ctypes.c_uint16(readings.shape[1]),
            kept.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(len(kept)),
            ctypes.byref(user),
            ctypes.byref(fit),
        )
        _check(error)
        return Told(numbers, biases, self._fit(rows, fit))

    def fit_head(self, features: NDArray[np.int8], target_deg: NDArray[np.float32]) -> Fit:
        """Fit the head of a model without a user embedding as the device does, each sample a target.

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
        rows = np.empty((GAZE_OUTPUTS, self.feature_count + 1), np.float32)
        kept = self._room(len(samples))
        fit = PsogFit()
        error = self._library.psog_host_fit(
            self._image,
            ctypes.c_size_t(len(self._image)),
            samples.ctypes.data_as(ctypes.c_void_p),
            targets.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(len(samples)),
            kept.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(len(kept)),
            rows.ctypes.data_as(ctypes.c_void_p),
            ctypes.byref(fit),
        )
        _check(error)
        return self._fit(rows, fit)

    def _room(self, targets: int) -> NDArray[np.uint8]:
        """Bytes for what is kept of so many targets, and of one at least."""
        largest = max(MAX_PLANES * self.sensors, self.feature_count)
        return np.empty(max(targets, 1) * (_TARGET_BYTES + SAMPLES_PER_TARGET * largest), np.uint8)

    def _fit(self, rows: NDArray[np.float32], fit: PsogFit) -> Fit:
        weight = np.concatenate([rows, head_of(self._image)[GAZE_OUTPUTS:]])
        return Fit(weight, *(getattr(fit, name) for name, _ in PsogFit._fields_))

    def _infer(
        self, wire: NDArray[np.uint16], biases: NDArray[np.int32] | None
    ) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        readings = np.ascontiguousarray(wire, np.uint16)
        if readings.ndim != 2 or readings.shape[1] != self.sensors:
            raise ShapeError(f"readings have shape {readings.shape}, expected (n, {self.sensors})")
        told = None if biases is None else np.ascontiguousarray(biases, np.int32)
        if told is not None and told.shape != (self._outputs,):
            raise ShapeError(f"biases have shape {told.shape}, expected ({self._outputs},)")
        features = np.empty((len(readings), self.feature_count), np.int8)
        outputs = np.empty((len(readings), OUTPUTS), np.float32)
        error = self._library.psog_host_infer(
            self._image,
            ctypes.c_size_t(len(self._image)),
            None if told is None else told.ctypes.data_as(ctypes.c_void_p),
            readings.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(len(readings)),
            features.ctypes.data_as(ctypes.c_void_p),
            outputs.ctypes.data_as(ctypes.c_void_p),
        )
        _check(error)
        return features, outputs


class PsogFit(ctypes.Structure):
    """struct psog_fit."""

    _fields_ = (
        ("samples", ctypes.c_uint32),
        ("targets", ctypes.c_uint32),
        ("before_deg", ctypes.c_float),
        ("after_deg", ctypes.c_float),
        ("left_out_deg", ctypes.c_float),
        ("left_out_worst_deg", ctypes.c_float),
        ("in_use_deg", ctypes.c_float),
        ("unexplained", ctypes.c_float),
    )


class PsogUser(ctypes.Structure):
    """struct psog_user."""

    _fields_ = (("rows", ctypes.c_void_p), ("numbers", ctypes.c_void_p), ("biases", ctypes.c_void_p))


def _check(error: int) -> None:
    code = DeviceErrorCode(error)
    if code in _IMAGE_ERRORS:
        raise ModelImageError(f"the runtime refuses the image: {ERROR_TEXT[code]}; export the model again")
    if code is not DeviceErrorCode.OK:
        raise DeviceError(f"the runtime refused: {ERROR_TEXT[code]}")
