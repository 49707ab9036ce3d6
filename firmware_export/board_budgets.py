"""What an exported model costs on each board, and which packing of it a board has room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from psog.errors import ModelError
from psog.firmware_export.budget import measure_budget
from psog.firmware_export.estimate import estimate
from psog.firmware_export.installing import image_for, possible_packings
from psog.firmware_export.microcontrollers import MICROCONTROLLERS
from psog.firmware_export.packings import Packing
from psog.firmware_export.toolchain import board_target

READINGS = 4
"""Enough: of the nets of `psog bench firmware`, none needed 0.1 % more instructions in 64 readings."""

_COMPARED = ("instructions", "cycles_estimated", "flash_lean_bytes", "flash_model_bytes", "ram_bytes")


def fitting_packing(image: bytes, board: str) -> Packing:
    """The fastest packing for which the part that a board stands for has room; of an image of int4, int4.

    Raises:
        ModelError: none fits, or the model cannot be packed for this core; says what would do.
    """
    part = MICROCONTROLLERS.get(board)
    room = None if part is None else part.image_room_bytes
    packings = possible_packings(image, board_target(board).target.packings)
    sizes = {packing: len(image_for(image, [packing])) for packing in packings}
    for packing, size in sizes.items():
        if room is None or size <= room:
            return packing
    assert part is not None and room is not None
    told = ", ".join(f"{size:,} bytes as {packing}" for packing, size in sizes.items())
    share = room / min(sizes.values())
    raise ModelError(
        f"the model is too large for {board} ({part.name}): its image has {told}, at most {room:,} fit; "
        f"a network of {int(100 * share)} % of its parameters would"
    )


def measure_boards(
    image: bytes, rate_hz: float, boards: Sequence[str], on_board: Callable[[str], None] = lambda board: None
) -> dict[str, dict[str, Any]]:
    """The budget of a model on emulated boards.

    Args:
        image: contents of a gaze.psog of any packing.
        rate_hz: at which the headset reads its sensors.
        on_board: told each board before it is measured.
    Returns:
        By board, either "refused" alone, why it does not fit, or psog.firmware_export.budget of the fastest
        packing that fits, with "estimate" (psog.firmware_export.estimate) and "other_packings" with the main
        figures of the others.
    Raises:
        ToolchainError: compiler or QEMU missing, or a board that is not emulated.
    """
    found = {}
    for board in boards:
        on_board(board)
        try:
            found[board] = _measure(image, rate_hz, board)
        except ModelError as error:
            found[board] = {"refused": str(error)}
    return found


def _measure(image: bytes, rate_hz: float, board: str) -> dict[str, Any]:
    chosen = fitting_packing(image, board)
    budget = measure_budget(board, image, packing=chosen, readings=READINGS)
    _check_ram(board, budget)
    others = {}
    for packing in possible_packings(image, board_target(board).target.packings):
        if packing != chosen:
            other = measure_budget(board, image, packing=packing, readings=READINGS)
            others[packing] = {key: other[key] for key in _COMPARED}
    return {**budget, "estimate": estimate(board, budget, rate_hz), "other_packings": others}


def _check_ram(board: str, budget: dict[str, Any]) -> None:
    part = MICROCONTROLLERS.get(board)
    stack = max(budget["stack_bytes"], budget["tune_stack_bytes"])
    needed = budget["ram_bytes"] + budget["tune_ram_bytes"] + stack
    if part is not None and part.ram_bytes is not None and needed > part.ram_bytes:
        raise ModelError(
            f"the model is too large for {board} ({part.name}): it needs {needed:,} bytes of RAM with a "
            f"calibration and the stack, {part.ram_bytes:,} are there; a network with narrower layers or "
            "fewer features needs less"
        )
