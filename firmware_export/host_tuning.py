"""What a headset's application makes of readings, on the host: gaze, and calibrations with their verdict.

The same C as the firmware's, called on whole arrays (boards/host/library_tuning.c).
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.device.error_codes import DeviceErrorCode
from psog.device.identity import SIGNATURE_BYTES
from psog.errors import ShapeError
from psog.firmware_export.host_runtime import GAZE_OUTPUTS, OUTPUTS, HostRuntime, PsogFit, PsogUser
from psog.firmware_export.image_format import told_sizes
from psog.firmware_export.toolchain import build_library


@dataclass(frozen=True)
class User:
    """A calibration as a headset stores it.

    Attributes:
        rows: (2, features + 1) float32, the head's gaze rows.
        biases: (outputs,) int32 of all layers; none without a user embedding.
    """

    rows: NDArray[np.float32]
    biases: NDArray[np.int32]


@dataclass(frozen=True)
class Tuned:
    """How a calibration ended.

    Attributes:
        verdict: what the device answers to TUNE_ACCEPT, or to an earlier command that fails: TOO_FEW also
            where a target had too few readings of an open eye at rest.
        user: the trial; None when there is none.
        errors: in degrees by the names of TUNE_RESULT, and "unexplained"; empty without a trial.
    """

    verdict: DeviceErrorCode
    user: User | None
    errors: dict[str, float]


class HostHeadset:
    """A headset with a model image.

    Args:
        image: contents of a gaze.psog, signature included.
        step_us: time between readings.
    Raises:
        ModelImageError: the runtime refuses the image, or it fails its self-test.
        ToolchainError: there is no C compiler.
    """

    def __init__(self, image: bytes, step_us: int, library: Path | None = None) -> None:
        self._runtime = HostRuntime(image, library)
        self._library = ctypes.CDLL(str(library or build_library()))
        self._image, self._step_us = bytes(image[:-SIGNATURE_BYTES]), step_us
        numbers, outputs = told_sizes(self._image)
        self._outputs = outputs if numbers else 0

    def gaze(
        self, wire: NDArray[np.uint16], user: User | None
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """(n, sensors) wire readings to (n, 2) gaze in degrees, and its (n,) psog.device.messages.GazeFlag.

        Args:
            user: whose calibration is in use; nobody's if None.
        """
        readings = self._readings(wire, 2)
        outputs = np.empty((len(readings), OUTPUTS), np.float32)
        flags = np.empty(len(readings), np.uint8)
        error = self._library.psog_host_track(
            *self._in_use(user),
            readings.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(len(readings)),
            ctypes.c_uint32(self._step_us),
            outputs.ctypes.data_as(ctypes.c_void_p),
            flags.ctypes.data_as(ctypes.c_void_p),
        )
        assert error == 0  # the image was checked and the lengths are right
        return outputs[:, :GAZE_OUTPUTS], flags

    def tune(
        self, wire: NDArray[np.uint16], target_deg: NDArray[np.floating], wanted: int, user: User | None
    ) -> Tuned:
        """A calibration while `user`'s is in use.

        Args:
            wire: (targets, offered, sensors) readings while each target is shown.
            target_deg: (targets, 2).
            wanted: readings of each target, 1 … 65535.
        """
        readings = self._readings(wire, 3)
        targets = np.ascontiguousarray(target_deg, np.float32)
        if targets.shape != (len(readings), GAZE_OUTPUTS):
            raise ShapeError(f"targets have shape {targets.shape}, expected ({len(readings)}, 2)")
        trial = User(
            np.zeros((GAZE_OUTPUTS, self._runtime.feature_count + 1), np.float32),
            np.zeros(self._outputs, np.int32),
        )
        buffers = PsogUser(trial.rows.ctypes.data, None, trial.biases.ctypes.data)
        fit = PsogFit()
        verdict = DeviceErrorCode(
            self._library.psog_host_tune(
                *self._in_use(user),
                readings.ctypes.data_as(ctypes.c_void_p),
                targets.ctypes.data_as(ctypes.c_void_p),
                ctypes.c_size_t(len(targets)),
                ctypes.c_uint16(readings.shape[1]),
                ctypes.c_uint16(wanted),
                ctypes.c_uint32(self._step_us),
                ctypes.byref(buffers),
                ctypes.byref(fit),
            )
        )
        if verdict not in (DeviceErrorCode.OK, DeviceErrorCode.NOT_BETTER):
            return Tuned(verdict, None, {})
        return Tuned(verdict, trial, {name: getattr(fit, name) for name, _ in PsogFit._fields_[2:]})

    def _readings(self, wire: NDArray[np.uint16], dimensions: int) -> NDArray[np.uint16]:
        readings = np.ascontiguousarray(wire, np.uint16)
        if readings.ndim != dimensions or readings.shape[-1] != self._runtime.sensors:
            raise ShapeError(
                f"readings have shape {readings.shape}, expected {dimensions} dimensions, "
                f"the last {self._runtime.sensors}"
            )
        return readings

    def _in_use(self, user: User | None) -> tuple[object, ...]:
        """Image and calibration in use, as every function of the library takes them."""
        rows, biases = None, None
        if user is not None:
            rows = user.rows.ctypes.data_as(ctypes.c_void_p)
            if len(user.biases) > 0:
                biases = user.biases.ctypes.data_as(ctypes.c_void_p)
        return self._image, ctypes.c_size_t(len(self._image)), rows, biases
