"""Words on eye safety that several verbs print."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from psog.headset import Headset


def warn_of_exposure(headset: Headset, console: Console) -> None:
    """Print a warning when the headset's light on the eye comes near the limit.

    Raises:
        SafetyError: more light than the limit allows.
    """
    from psog.sim.safety import check_exposure

    warning = check_exposure(headset)
    if warning is not None:
        console.print(f"warning: {warning}", soft_wrap=True)


def exposure_line(headset: Headset) -> str:
    """What the headset's light does to the eye, in one line.

    Raises:
        SafetyError: more light than the limit allows.
    """
    from psog.sim.safety import LIMIT_W_M2, check_exposure, corneal_exposure

    found = corneal_exposure(headset)
    if found is None:
        return "light on the cornea: not known, the headset file names no emitter and LED current"
    return check_exposure(headset) or (
        f"light on the cornea: at most {found.greatest_w_m2:.1f} W/m² while a slot lasts, "
        f"{found.mean_w_m2:.1f} W/m² on average; the limit is {LIMIT_W_M2:.0f} W/m²"
    )
