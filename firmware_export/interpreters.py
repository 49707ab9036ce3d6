"""Two independent interpreters of gaze.tflite: TFLite Micro's and LiteRT's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import MissingExtraError

_ARENA_BYTES = 100_000  # generous: the largest network that fits an image needs a fifth


class MicroInterpreter:
    """TFLite Micro's interpreter with its reference kernels. Its C++ handles a batch of one.

    Raises:
        MissingExtraError: the package tflite-micro is not installed.
    """

    def __init__(self, tflite: bytes) -> None:
        try:
            from tflite_micro import runtime
        except ImportError:
            raise MissingExtraError("tflite-micro", "tflm", "running gaze.tflite in TFLite Micro") from None
        self._interpreter = runtime.Interpreter.from_bytes(tflite, arena_size=_ARENA_BYTES)

    def __call__(self, x: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """(n, rows, columns, planes) int8 to (n, features) int8 and (n, 4) float32."""
        features, gaze = self._outputs(x, 2)
        return features, gaze

    def features(self, x: NDArray[np.int8]) -> NDArray[np.int8]:
        """The first output alone: of a file without a head."""
        (features,) = self._outputs(x, 1)
        return features

    def _outputs(self, x: NDArray[np.int8], count: int) -> list[NDArray[Any]]:
        rows: list[list[NDArray[Any]]] = [[] for _ in range(count)]
        for row in range(len(x)):
            self._interpreter.set_input(x[row : row + 1], 0)  # invoke may overwrite its input
            self._interpreter.invoke()
            for output in range(count):
                rows[output].append(self._interpreter.get_output(output)[0])
        return [np.array(values) for values in rows]


class LiteInterpreter:
    """LiteRT's interpreter: with XNNPACK, its default, or with its own optimized kernels."""

    def __init__(self, tflite: bytes, *, xnnpack: bool) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        kind = OpResolverType.BUILTIN if xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self._interpreter = Interpreter(
            model_content=tflite, num_threads=1, experimental_op_resolver_type=kind
        )
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def __call__(self, x: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """(n, rows, columns, planes) int8 to (n, features) int8 and (n, 4) float32."""
        features, gaze = [], []
        for row in range(len(x)):
            self._interpreter.set_tensor(self._input, x[row : row + 1])
            self._interpreter.invoke()
            features.append(self._interpreter.get_tensor(self._outputs[0])[0])
            gaze.append(self._interpreter.get_tensor(self._outputs[1])[0])
        return np.array(features), np.array(gaze)
