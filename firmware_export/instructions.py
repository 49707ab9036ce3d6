"""What a model costs on a microcontroller: instructions, RAM and stack, measured in QEMU, exactly.

QEMU models no cycles, so instructions are counted, by a plugin of our own, between two marks in a small
program that runs the firmware's runtime on the board's core (boards/BOARD/bench.c). Their kinds tell what a
count hides, and for a Cortex-M4 they give an estimate of its cycles.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.errors import ShapeError, ToolchainError
from psog.firmware_export.cycles import m4_cycles
from psog.firmware_export.executed import Code, Section, execute, instructions
from psog.firmware_export.image_format import input_planes, told_sizes
from psog.firmware_export.installing import image_for
from psog.firmware_export.keys import DEVELOPMENT_KEY, signed_again
from psog.firmware_export.lean import Lean, lean_for
from psog.firmware_export.mix import Mix, count_mix
from psog.firmware_export.toolchain import board_target, build_bench
from psog.net.told import SAMPLES_PER_TARGET

_RESULT = struct.Struct("<7I")
_OUTPUTS = 4
_GAZE_OUTPUTS = 2
_MAX_READINGS = 4096
_TIME_LIMIT_S = 120.0
_EXIT_REFUSED = 3
_SETTLED_MARK = 2
_TARGETS = 13  # the most that psog-calibrate shows
_TARGET_BYTES = 12


@dataclass(frozen=True)
class Measurement:
    """One model on one board.

    Attributes:
        instructions: of one inference (normalisation, layout, layers, head): the most of any reading.
        mix: what these instructions are.
        cycles: of that inference, estimated (psog.firmware_export.cycles); None but for a Cortex-M4.
        start_instructions: from the slots in flash to a model that can be used, but for the next two.
        start_crc_instructions: of the image's CRC.
        signature_instructions: of checking the image's signature.
        tune_add_instructions: of adding a reading that is kept to a calibration.
        tune_solve_instructions: of the solve of nine targets, but for the next.
        tune_inference_instructions: of the inferences in a solve; 0 without a user embedding.
        ram_bytes: activations, features and the runtime's state. Head and biases in use, a user's or the
            image's, lie in flash.
        tune_ram_bytes: what a calibration of 13 targets needs besides, at its end.
        stack_bytes, tune_stack_bytes, signature_stack_bytes: high-water marks of inference, of adding a
            sample and solving, and of opening a signed image, by painting.
        features: (n, features) int8, as the core computed them.
        gaze: (n, 4) float32.
    """

    instructions: int
    mix: Mix
    cycles: int | None
    start_instructions: int
    start_crc_instructions: int
    signature_instructions: int
    tune_add_instructions: int
    tune_solve_instructions: int
    tune_inference_instructions: int
    ram_bytes: int
    tune_ram_bytes: int
    stack_bytes: int
    tune_stack_bytes: int
    signature_stack_bytes: int
    features: NDArray[np.int8] = field(repr=False)
    gaze: NDArray[np.float32] = field(repr=False)


def measure(
    board: str, image: bytes, wire: NDArray[np.uint16], *, lean_of: bytes | None = None
) -> Measurement:
    """Run a model on a board in QEMU.

    Args:
        image: contents of a gaze.psog of any packing; where its own does not run there, it is packed again.
        wire: (n, sensors) readings, 1 to 4096; they also serve as calibration samples.
        lean_of: an image; the runtime holds no more than that needs.
    Raises:
        ToolchainError: no such board, compiler or QEMU missing, or the board refused the model.
        ShapeError: readings that do not fit the model.
    """
    image = image_for(signed_again(image, DEVELOPMENT_KEY), board_target(board).target.packings)
    sensors, features = _size(image, 32), _size(image, 38)
    readings = np.ascontiguousarray(wire, "<u2")
    if readings.ndim != 2 or readings.shape[1] != sensors or not 1 <= len(readings) <= _MAX_READINGS:
        raise ShapeError(f"readings have shape {readings.shape}, expected (1 to {_MAX_READINGS}, {sensors})")
    data = _slot(image, len(readings)) + readings.tobytes()
    sections, code, output = _run_bench(board, data, None if lean_of is None else lean_for(lean_of))
    counts = [instructions(section) for section in sections]
    empty, inferences, after = counts[0], counts[1 : 1 + len(readings)], counts[1 + len(readings) :]
    start, signed, unsigned, crc, add, solve, see = (count - empty for count in after)
    see = see if told_sizes(image)[0] else 0
    slowest = sections[1 + int(np.argmax(inferences))]
    is_m4 = "-mcpu=cortex-m4" in board_target(board).target.core
    model_bytes, samples_bytes, work_bytes, *stacks = _RESULT.unpack_from(output)
    stack, add_stack, solve_stack, signature_stack = stacks
    activation_bytes = int.from_bytes(image[76:80], "little")
    numbers, biases = told_sizes(image)
    inputs = sensors * input_planes(image) if numbers else 0
    kept_bytes = _TARGETS * (_TARGET_BYTES + SAMPLES_PER_TARGET * max(inputs, features))
    found_bytes = 4 * (_GAZE_OUTPUTS * (features + 1) + numbers)
    rows = np.frombuffer(output, np.uint8, offset=_RESULT.size).reshape(len(readings), -1)
    return Measurement(
        instructions=max(inferences) - empty,
        mix=count_mix(slowest, code) - count_mix(sections[0], code),
        cycles=m4_cycles(slowest, code) - m4_cycles(sections[0], code) if is_m4 else None,
        start_instructions=start - (signed - unsigned) - crc,
        start_crc_instructions=crc,
        signature_instructions=signed - unsigned,
        tune_add_instructions=add,
        tune_solve_instructions=solve - see,
        tune_inference_instructions=see,
        ram_bytes=activation_bytes + features + model_bytes,
        # The solve works in the activations' buffer, and the biases it finds take the samples' place.
        tune_ram_bytes=samples_bytes
        + max(kept_bytes, 4 * biases)
        + found_bytes
        + work_bytes
        - activation_bytes,
        stack_bytes=stack,
        tune_stack_bytes=max(add_stack, solve_stack),
        signature_stack_bytes=signature_stack,
        features=rows[:, :features].view(np.int8),
        gaze=np.frombuffer(rows[:, features:].tobytes(), "<f4").reshape(-1, _OUTPUTS),
    )


def _slot(image: bytes, readings: int) -> bytes:
    """A confirmed model's slot (docs/SPEC.md, Flash); in an unused place of it the number of readings."""
    header = struct.pack("<4sII", b"PSLT", 0, len(image))
    crc = zlib.crc32(header)
    settled = crc ^ _SETTLED_MARK
    head = struct.pack("<12sII28xII8x", header, crc, readings, settled, ~settled & 0xFFFFFFFF)
    return head + image


def _size(image: bytes, at: int) -> int:
    return int.from_bytes(image[at : at + 2], "little")


def _run_bench(board: str, data: bytes, lean: Lean | None) -> tuple[list[Section], Code, bytes]:
    """What was executed between the marks, its instructions, and what the program wrote."""
    target = board_target(board)
    if not target.machine:
        raise ToolchainError(f"instructions are counted in QEMU, which does not emulate board {board!r}")
    program = build_bench(board, lean=lean)
    with tempfile.TemporaryDirectory(prefix="psog-bench-") as name:
        folder = Path(name)
        (folder / "bench.in").write_bytes(data)
        status, sections = execute(target, program, folder, _TIME_LIMIT_S, "bench.in")
        if status == _EXIT_REFUSED:
            raise ToolchainError(f"the runtime on {board} refused the model; export it again")
        if status != 0:
            raise ToolchainError(f"the measurement on {board} failed (exit {status})")
        return sections, Code(program, target), (folder / "bench.out").read_bytes()
