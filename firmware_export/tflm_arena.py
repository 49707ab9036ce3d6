"""How much memory TFLite Micro needs for a network: its tensor arena.

The Python package tflite-micro has no getter for it, but takes its size; too small an arena is refused, or
crashes it (it does not check every allocation). So the smallest that works is found by bisection, in a
program of its own. Kernels of CMSIS-NN ask for working memory besides, which the package's reference kernels
do not.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from psog.errors import ModelError
from psog.firmware_export import tflm_trial
from psog.firmware_export.limits import activation_bytes
from psog.firmware_export.tflm_trial import ALIGNMENT
from psog.net.integer import IntegerNet

_LARGEST = 1 << 17  # an exportable network has at most 16 KB of activations and 8 layers


@dataclass(frozen=True)
class Arena:
    """Bytes of a network's tensor arena.

    Attributes:
        interpreter_bytes: what the interpreter with its reference kernels needs on a 64-bit host.
        kernel_bytes: what the kernels of CMSIS-NN add to it, at most.
        measured: whether `interpreter_bytes` was found by bisection; else an upper estimate.
    """

    interpreter_bytes: int
    kernel_bytes: int
    measured: bool

    @property
    def reserved_bytes(self) -> int:
        """What an application reserves: enough for either kernels on any core."""
        return self.interpreter_bytes + self.kernel_bytes


def find_arena(net: IntegerNet, tflite: bytes) -> Arena:
    """The arena of `net`, whose file is `tflite`; estimated where tflite-micro is not installed.

    Raises:
        ModelError: the interpreter does not take the file with any arena.
    """
    measured = measured_bytes(tflite)
    found = estimated_bytes(net) if measured is None else measured
    return Arena(found, kernel_bytes(net), measured=measured is not None)


def measured_bytes(tflite: bytes) -> int | None:
    """The smallest arena, a multiple of 16, with which TFLite Micro's interpreter takes the file.

    Returns:
        None when the package tflite-micro is not installed, or does not run.
    Raises:
        ModelError: it does not take the file with any arena.
    """
    return None if find_spec("tflite_micro") is None else _bisect(tflite)


@lru_cache(maxsize=16)
def _bisect(tflite: bytes) -> int | None:
    smallest, low, high = 0, 1, _LARGEST // ALIGNMENT
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "gaze.tflite")
        file.write_bytes(tflite)
        while low <= high:
            answers = try_sizes(file, low, high)
            if not answers:
                return None
            smallest = min((size for size, fits in answers if fits), default=smallest)
            low = max([low, *(size // ALIGNMENT + 1 for size, fits in answers if not fits)])
            high = min([high, *(size // ALIGNMENT - 1 for size, fits in answers if fits)])
    if not smallest:
        raise ModelError(
            f"cannot find the arena size: TFLite Micro refuses gaze.tflite with {_LARGEST:,} bytes; "
            "train a smaller network"
        )
    return smallest


def try_sizes(file: Path, low: int, high: int) -> list[tuple[int, bool]]:
    """Bisect from 16·low to 16·high bytes in a program of its own, until it is done or crashes.

    Returns:
        (bytes, whether the interpreter takes them) in the order they were tried; a crash is a no.
    """
    program = [sys.executable, "-P", tflm_trial.__file__, str(file), str(low), str(high)]
    run = subprocess.run(program, capture_output=True, text=True, check=False)
    answers: dict[int, bool] = {}
    for line in run.stdout.splitlines():
        size, answer = line.split()
        answers[int(size)] = answer == "yes"
    return list(answers.items())


def estimated_bytes(net: IntegerNet) -> int:
    """An upper estimate of `measured_bytes` from the tensors' number and sizes alone.

    Structures on a 64-bit host: 24 bytes of TfLiteEvalTensor and about 90 of the planner for each tensor; 48
    of NodeAndRegistration, up to 100 of a kernel's data and options for each operator; 8 for each channel of
    a convolution; about 900 for the allocators, the planner and the input's and outputs' TfLiteTensor (sizes
    by the headers of TFLite Micro; rounded up generously).
    """
    layers = len(net.layers)
    tensors, operators = 3 * layers + 5, layers + 2
    channels = sum(layer.out_channels for layer in net.layers if layer.kind == "conv")
    structures = 1024 + 128 * tensors + 160 * operators + 8 * channels
    return _rounded(structures + activation_bytes(net) + 8 * net.feature_count + 4 * ALIGNMENT)


def kernel_bytes(net: IntegerNet) -> int:
    """Upper bound of what CMSIS-NN's kernels take of the arena beyond the reference kernels.

    The largest buffer of a convolution, for MVE (four columns of the input under a kernel, in registers of
    16; the DSP extension takes two columns of int16, never more), and for MVE the weights' sums of each dense
    layer, 4 bytes an output. Source: arm_convolve_s8_get_buffer_size_mve and
    arm_fully_connected_s8_get_buffer_size_mve of CMSIS-NN 7; kernels/cmsis_nn/*.cc of TFLite Micro, whose
    data of an operator is at most 32 bytes longer.
    """
    shapes = net.layer_shapes()
    columns = [
        9 * channels
        for layer, (_, _, channels) in zip(net.layers, shapes, strict=False)
        if layer.kind == "conv"
    ]
    convolution = max((4 * _rounded(column) for column in columns), default=0)
    sums = sum(4 * layer.out_channels for layer in net.layers if layer.kind == "dense")
    return _rounded(convolution + sums + 32 * (len(net.layers) + 2))


def _rounded(size: int) -> int:
    return math.ceil(size / ALIGNMENT) * ALIGNMENT
