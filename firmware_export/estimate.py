"""Time and energy of an inference on a real part, estimated from what was measured in QEMU.

Estimates, each with what it rests on: the clock and current of a part's maker, and cycles that are themselves
estimated, or, where nobody publishes how long instructions take, one cycle for each.
"""

from __future__ import annotations

from typing import Any

from psog.firmware_export.microcontrollers import MICROCONTROLLERS, Microcontroller

_US_PER_S = 1_000_000
_BY_CYCLES = "estimated cycles"
_BY_INSTRUCTIONS = "one cycle an instruction, for want of published timings"


def estimate(board: str, budget: dict[str, Any], rate_hz: float) -> dict[str, Any] | None:
    """Time and energy on the part that a board stands for; None for a board without one.

    Args:
        budget: what psog.firmware_export.budget measured there.
        rate_hz: at which the headset reads its sensors.
    Returns:
        JSON types: "part", "core", "clock_mhz"; "time_us" of an inference and "time_from" what it follows;
        "rate_hz", the "share_of_period" that an inference takes and whether the rate is "reachable";
        "energy_uj" of an inference with "energy_source", both None where no current is published.
    """
    part = MICROCONTROLLERS.get(board)
    if part is None:
        return None
    cycles = budget["cycles_estimated"]
    time_us = (budget["instructions"] if cycles is None else cycles) / part.clock_mhz
    share = time_us * rate_hz / _US_PER_S
    return {
        "part": part.name,
        "core": part.core,
        "clock_mhz": part.clock_mhz,
        "time_us": round(time_us, 1),
        "time_from": _BY_INSTRUCTIONS if cycles is None else _BY_CYCLES,
        "rate_hz": rate_hz,
        "share_of_period": round(share, 4),
        "reachable": share < 1,
        "energy_uj": _energy_uj(part, time_us),
        "energy_source": None if part.power is None else _told(part),
    }


def _energy_uj(part: Microcontroller, time_us: float) -> float | None:
    if part.power is None:
        return None
    return round(part.power.current_ma / 1000 * part.power.supply_v * time_us, 3)


def _told(part: Microcontroller) -> str:
    assert part.power is not None
    return f"{part.power.current_ma:g} mA at {part.power.supply_v:g} V: {part.power.source}"
