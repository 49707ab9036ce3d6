"""The boards that the firmware is built for: compiler, emulated machine, and what they share.

A table, quick to import: commands name their `--board` from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psog.firmware_export.packings import PACKINGS, PAIRED, PLAIN, Packing


@dataclass(frozen=True)
class Target:
    """A compiler and what it needs to make code for one core.

    Attributes:
        compiler, size, nm: programs.
        package: the Debian packages that bring them.
        core: flags that choose the core.
        packings: of the images that the runtime runs there, the fastest first (psog.firmware_export.packing).
    """

    compiler: str
    size: str
    nm: str
    package: str
    core: tuple[str, ...]
    packings: tuple[Packing, ...]

    @property
    def has_own_kernels(self) -> bool:
        """Whether something else than plain C runs there."""
        return self.packings != PLAIN or "-mcpu=cortex-m55" in self.core


def _cortex_m(*core: str, packings: tuple[Packing, ...] = PLAIN) -> Target:
    return Target(
        "arm-none-eabi-gcc",
        "arm-none-eabi-size",
        "arm-none-eabi-nm",
        "gcc-arm-none-eabi libnewlib-arm-none-eabi",
        ("-mthumb", *core),
        packings,
    )


HOST = Target("gcc", "size", "nm", "gcc", (), PACKINGS)
CORTEX_M4F = _cortex_m("-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", packings=PAIRED)
CORTEX_M3 = _cortex_m("-mcpu=cortex-m3", "-mfloat-abi=soft")
CORTEX_M33F = _cortex_m("-mcpu=cortex-m33", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16", packings=PAIRED)
CORTEX_M55 = _cortex_m("-mcpu=cortex-m55", "-mfloat-abi=hard")  # with FPU and MVE, integer and float


@dataclass(frozen=True)
class SharedMemory:
    """Memory of an emulated machine through which the host brings readings.

    Attributes:
        bytes: size of the machine's main memory, as QEMU has it.
        ring_at: where in it the ring lies: region SHARED of the board's linker script.
    """

    bytes: int
    ring_at: int


@dataclass(frozen=True)
class BoardTarget:
    """How a folder under firmware/boards is built and run.

    Attributes:
        machine: QEMU's name of the machine; empty where the host runs it itself.
        shared: folders of sources that it has in common with other boards, below the C tree.
        link: linker flags; relative paths are relative to the C tree.
        smaller: definitions that give the application less than it takes where there is room.
        memory: how readings come to an emulated board; without it, through its second UART.
    """

    target: Target
    machine: str
    shared: tuple[str, ...]
    link: tuple[str, ...]
    smaller: tuple[str, ...] = ()
    memory: SharedMemory | None = None


CORTEX_M_FOLDERS = ("boards/common", "boards/common/cortex_m")
"""Of every board that QEMU emulates: simulated flash, start-up, semihosting."""
_GUARD = "boards/common/guard"
_CMSDK = "boards/common/cmsdk"  # headers of what boards by Arm have
_MPS_FOLDERS = (*CORTEX_M_FOLDERS, _GUARD, _CMSDK, "boards/common/mps")
_RING_AT = (16 << 20) - (16 << 10)  # the end of 16 MB


SILICON_SCRIPT = "silicon.ld"
"""Of a board whose folder makes the program for the part itself too."""


def cortex_m_link(board: str, script: str = "board.ld") -> tuple[str, ...]:
    """Linker flags of a board with a script of its own."""
    return ("-nostartfiles", "--specs=nano.specs", f"-Tboards/{board}/{script}", "-Wl,--gc-sections", "-lm")


def serial_board(name: str, target: Target, machine: str, *smaller: str) -> BoardTarget:
    """A board whose link and sensor bus are two UARTs: its folder has hardware.c, uart.h and board.ld."""
    folders = (*CORTEX_M_FOLDERS, _GUARD, _CMSDK, "boards/common/serial")
    return BoardTarget(target, machine, folders, cortex_m_link(name), smaller)


def _mps(name: str, target: Target, memory_bytes: int) -> BoardTarget:
    return BoardTarget(
        target, name, _MPS_FOLDERS, cortex_m_link(name), memory=SharedMemory(memory_bytes, _RING_AT)
    )


BOARDS = {
    "host": BoardTarget(HOST, "", ("boards/common", _GUARD), ("-lm",)),
    "mps2-an386": _mps("mps2-an386", CORTEX_M4F, 16 << 20),
    "mps2-an505": _mps("mps2-an505", CORTEX_M33F, 16 << 20),
    "mps3-an547": _mps("mps3-an547", CORTEX_M55, 2 << 30),
    "netduinoplus2": serial_board("netduinoplus2", CORTEX_M4F, "netduinoplus2"),
    "lm3s6965evb": serial_board(
        *("lm3s6965evb", CORTEX_M3, "lm3s6965evb"),
        *(
            "-DAPP_ACTIVATION_BYTES=6144u",
            "-DLINK_OUTBOX_BYTES=2048u",
            "-DRING_BYTES=256u",
            "-DSIM_FLASH_ERASE_BYTES=1024u",
        ),
    ),
}
EMULATED = tuple(name for name, board in BOARDS.items() if board.machine)

if TYPE_CHECKING:
    BoardName = str
else:
    BoardName = Literal[tuple(BOARDS)]
    """The type of a `--board` option."""
