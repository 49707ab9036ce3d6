"""A real part for each board: clock, memory and current, as its maker states them.

An emulated machine has neither a clock nor a current of its own. What it stands for does; these figures turn
instructions into time and energy, and say what has room.
"""

from __future__ import annotations

from dataclasses import dataclass

_KB = 1024


@dataclass(frozen=True)
class Power:
    """What a part draws while its core runs at the stated clock.

    Attributes:
        current_ma: typical, at 25 °C, peripherals off.
        supply_v: at which that was measured.
        source: document and table.
    """

    current_ma: float
    supply_v: float
    source: str


@dataclass(frozen=True)
class Microcontroller:
    """A part that a board stands for.

    Attributes:
        core: its processor.
        clock_mhz: the highest it runs at.
        ram_bytes: in one piece; None where not known.
        image_room_bytes: the largest model image; None where not known.
        source: of all these.
        power: None where its maker publishes no figure that can be named here.
    """

    name: str
    core: str
    clock_mhz: float
    ram_bytes: int | None
    image_room_bytes: int | None
    source: str
    power: Power | None


_STM32F405 = Microcontroller(
    "STM32F405RG",
    "Cortex-M4F",
    168,
    ram_bytes=128 * _KB,
    # Half of the upper 512 KB but a sector of 128 KB for calibrations, and the slot's header.
    image_room_bytes=128 * _KB - 64,
    source="ST DS8626; RM0090 2.3, 3.3; docs/SPEC.md, slots",
    power=Power(
        40, 3.3, "ST DS8626, table 20: run mode from flash, accelerator on, 168 MHz, peripherals off"
    ),
)
_NRF54L15 = Microcontroller(
    "nRF54L15",
    "Cortex-M33",
    128,
    ram_bytes=256 * _KB,
    # Half of what 512 KB for the program leave of 1,524 KB.
    image_room_bytes=506 * _KB - 64,
    source="Nordic nRF54L15 datasheet, CPU and memory",
    power=Power(2.6, 3.0, "Nordic nRF54L15 datasheet, current consumption, CPU running, IAPPCPU0: CoreMark"),
)
_ENSEMBLE_E1C = Microcontroller(
    "Alif Ensemble E1C",
    "Cortex-M55",
    160,
    ram_bytes=None,
    image_room_bytes=None,
    source="Zephyr, Ensemble E1C Development Kit",
    power=None,
)
_LM3S6965 = Microcontroller(
    "LM3S6965",
    "Cortex-M3",
    50,
    ram_bytes=64 * _KB,
    # Of the port, which is for QEMU alone and has its slots in RAM: boards/lm3s6965evb/hardware.c.
    image_room_bytes=13 * _KB - 64,
    source="TI LM3S6965 data sheet",
    power=None,
)
MICROCONTROLLERS = {
    "mps2-an386": _STM32F405,
    "netduinoplus2": _STM32F405,
    "mps2-an505": _NRF54L15,
    "mps3-an547": _ENSEMBLE_E1C,
    "lm3s6965evb": _LM3S6965,
}
"""By board: the part on it, or, for Arm's machines (mps…), one with the same core."""
