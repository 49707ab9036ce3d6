"""The emulated boards that can run here."""

from psog.firmware_export import boards
from psog.firmware_export.toolchain import available_boards

EMULATED = [name for name in available_boards() if name in boards.EMULATED]
ONE_PER_CORE = list({boards.BOARDS[name].target: name for name in reversed(EMULATED)}.values())[::-1]
"""The first board of each core: what is a matter of instructions alone needs no other."""
WITH_OWN_KERNELS = [name for name in ONE_PER_CORE if boards.BOARDS[name].target.has_own_kernels]
"""Of these, the ones that do not run plain C alone."""


def pairs(board: str) -> bool:
    """Whether the board's core runs paired images alone."""
    return "plain" not in boards.BOARDS[board].target.packings
