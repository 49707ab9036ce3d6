"""Do the runtimes agree bit for bit? The integer model, the C runtime, TFLite Micro's interpreter."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import MissingExtraError, ToolchainError
from psog.firmware_export.host_runtime import HostRuntime
from psog.firmware_export.image import write_image
from psog.firmware_export.interpreters import MicroInterpreter
from psog.firmware_export.tflite import write_tflite
from psog.headset import Headset
from psog.net.integer import IntegerNet


@dataclass(frozen=True)
class Agreement:
    """On how many of `inputs` readings all features were identical; None where a runtime is not installed."""

    inputs: int
    c_runtime: int | None
    tflite_micro: int | None

    def __str__(self) -> str:
        def told(count: int | None) -> str:
            return "not installed" if count is None else f"{count:,}/{self.inputs:,}"

        return f"C {told(self.c_runtime)}, TFLM {told(self.tflite_micro)} identical"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare_runtimes(net: IntegerNet, headset: Headset, wire: NDArray[np.uint16]) -> Agreement:
    """Run the same readings through every runtime that is installed here.

    Args:
        wire: (n, sensors) readings.
    Raises:
        ModelError: the network cannot be exported for this headset.
    """
    expected = net.features(net.input(wire))
    return Agreement(len(wire), _in_c(net, headset, wire, expected), _in_micro(net, headset, wire, expected))


def _in_c(
    net: IntegerNet, headset: Headset, wire: NDArray[np.uint16], expected: NDArray[np.int8]
) -> int | None:
    try:
        runtime = HostRuntime(write_image(net, headset))
    except ToolchainError:
        return None
    return _identical(runtime.features(wire), expected)


def _in_micro(
    net: IntegerNet, headset: Headset, wire: NDArray[np.uint16], expected: NDArray[np.int8]
) -> int | None:
    try:
        interpreter = MicroInterpreter(write_tflite(net, headset))
    except MissingExtraError:
        return None
    features, _ = interpreter(net.input(wire))
    return _identical(features, expected)


def _identical(features: NDArray[np.int8], expected: NDArray[np.int8]) -> int:
    return int((features == expected).all(axis=1).sum())
