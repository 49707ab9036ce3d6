"""What one model costs on one microcontroller: instructions, flash, RAM and stack, measured."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import ToolchainError
from psog.firmware_export.binaries import section_sizes
from psog.firmware_export.boards import EMULATED
from psog.firmware_export.image import ModelImage, read_image
from psog.firmware_export.installing import image_for
from psog.firmware_export.instructions import measure
from psog.firmware_export.keys import DEVELOPMENT_KEY, signed_again
from psog.firmware_export.lean import lean_for
from psog.firmware_export.packings import Packing
from psog.firmware_export.toolchain import available_boards, board_target, build_board, build_runtime
from psog.net.integer import Normalisation

_HEAD_TOLERANCE_DEG = 1e-3  # float sums in another order (docs/SPEC.md, test vector)


def measure_budget(
    board: str, image: bytes, *, packing: Packing | None = None, readings: int = 64, seed: int = 0
) -> dict[str, Any]:
    """The cost of a model on an emulated board, and whether it computes there what it should.

    Args:
        image: contents of a gaze.psog of any packing.
        packing: to pack it in again; by default its own, or the fastest if the core does not run that.
        readings: random ones to run; the slowest counts.
    Returns:
        JSON types: "packing", "instructions" of one inference, "mix" of them (psog.firmware_export.mix.Mix),
        "cycles_estimated" (psog.firmware_export.cycles; None but for a Cortex-M4), "macs",
        "flash_runtime_bytes" (network and head), "flash_lean_bytes" (of a build that holds what this model
        needs of it, lean.py), "flash_calibration_bytes" (what a calibration adds),
        "flash_model_bytes", "flash_firmware_bytes" (all code), "ram_bytes", "stack_bytes", the same for a
        calibration (psog.firmware_export.instructions), "start_instructions", "start_crc_instructions",
        "signature_instructions", "signature_stack_bytes", and "bit_exact" against the integer model.
    Raises:
        ToolchainError: compiler or QEMU missing, or the board is not emulated.
    """
    target = board_target(board).target
    image = signed_again(image, DEVELOPMENT_KEY)  # who signed it makes no difference to what it costs
    image = image_for(image, target.packings if packing is None else [packing])
    model = read_image(image)
    wire = readings_over_range(model.normalisation, readings, seed)
    found = measure(board, image, wire)
    lean = section_sizes(build_runtime(board, lean=lean_for(image)), target).flash_bytes
    runtime, calibrating = (
        section_sizes(build_runtime(board, calibrating=also), target).flash_bytes for also in (False, True)
    )
    same_features = bool(np.array_equal(found.features, model.features(wire)))
    same_gaze = bool(np.abs(found.gaze - model.gaze(wire)).max() <= _HEAD_TOLERANCE_DEG)
    return {
        "packing": model.packing,
        "instructions": found.instructions,
        "mix": asdict(found.mix),
        "cycles_estimated": found.cycles,
        "macs": count_macs(model),
        "flash_runtime_bytes": runtime,
        "flash_lean_bytes": lean,
        "flash_calibration_bytes": calibrating - runtime,
        "flash_model_bytes": len(image),
        "flash_firmware_bytes": section_sizes(build_board(board), target).flash_bytes,
        "ram_bytes": found.ram_bytes,
        "stack_bytes": found.stack_bytes,
        "tune_add_instructions": found.tune_add_instructions,
        "tune_solve_instructions": found.tune_solve_instructions,
        "tune_ram_bytes": found.tune_ram_bytes,
        "tune_stack_bytes": found.tune_stack_bytes,
        "tune_inference_instructions": found.tune_inference_instructions,
        "start_instructions": found.start_instructions,
        "start_crc_instructions": found.start_crc_instructions,
        "signature_instructions": found.signature_instructions,
        "signature_stack_bytes": found.signature_stack_bytes,
        "bit_exact": same_features and same_gaze,
    }


def measurable_boards() -> list[str]:
    """Emulated boards whose compiler and emulator are installed.

    Raises:
        ToolchainError: there is none.
    """
    found = [name for name in available_boards() if name in EMULATED]
    if not found:
        raise ToolchainError(
            "no emulated board can be measured; install Debian's gcc-arm-none-eabi, libnewlib-arm-none-eabi "
            "and qemu-system-arm"
        )
    return found


def readings_over_range(normalisation: Normalisation, count: int, seed: int) -> NDArray[np.uint16]:
    """(count, sensors) random readings, evenly over what the network's input can tell apart and a little
    beyond."""
    rng = np.random.default_rng(seed)
    reach = 128 * 2.0**normalisation.shift / normalisation.multiplier
    wire = normalisation.offset + rng.uniform(-1.2, 1.2, (count, len(reach))) * reach
    return np.clip(wire, 0, 65535).astype(np.uint16)


def count_macs(model: ModelImage) -> int:
    """Multiply-accumulates of one inference, head included, padding counted."""
    rows, columns = model.layout.shape
    total = 0
    for layer in model.layers:
        if layer.kind == "dense":
            rows = columns = 1
        elif layer.padding == "valid":
            rows, columns = rows - 2, columns - 2
        total += rows * columns * layer.weight.size
    return int(total + model.head.weight[:, :-1].size)
