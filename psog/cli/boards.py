"""Which board a virtual headset runs on when nobody says."""

from __future__ import annotations


def default_board() -> str:
    """The emulated microcontroller where its tools are installed, else this computer; says so on stderr.

    Raises:
        ToolchainError: neither can be built here.
    """
    from rich.console import Console

    from psog.errors import ToolchainError
    from psog.firmware_export.toolchain import available_boards

    boards = available_boards()
    if "mps2-an386" in boards:
        return "mps2-an386"
    if "host" not in boards:
        raise ToolchainError("no C compiler is installed, so no firmware can be built; install Debian's gcc")
    remark = "no Arm compiler or no QEMU is installed: the firmware runs natively (board host)"
    Console(stderr=True).print(remark, highlight=False)
    return "host"
