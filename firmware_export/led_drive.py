"""How strongly a headset's firmware drives its emitters, and the most that it ever does."""

from __future__ import annotations

import math
from dataclasses import dataclass

from psog.errors import SafetyError
from psog.headset import Headset
from psog.sim.safety import LIMIT_W_M2, corneal_exposure, emitter_duty

_SILENT_PERIODS = 3
_LEAST_SILENT_US = 10_000


@dataclass(frozen=True)
class LedDrive:
    """What is compiled into a firmware (app/leds.h).

    Attributes:
        current_ma: through an emitter that is on; most_current_ma: the most that a host may ask for.
        duty_percent: share of the time that each emitter is on, and the most of it.
        silent_us: so long without a reading, and they go off.
    """

    current_ma: int
    most_current_ma: int
    duty_percent: int
    silent_us: int

    def definitions(self) -> tuple[str, ...]:
        """Flags of the compiler."""
        return (
            f"-DLED_CURRENT_MA={self.current_ma}",
            f"-DLED_MOST_CURRENT_MA={self.most_current_ma}",
            f"-DLED_DUTY_PERCENT={self.duty_percent}",
            f"-DLED_MOST_DUTY_PERCENT={self.duty_percent}",
            f"-DLED_SILENT_US={self.silent_us}u",
        )


def led_drive(headset: Headset) -> LedDrive | None:
    """A headset's, or None when it does not say which emitters it has and with what current.

    The greatest current, in whole mA, is what brings the light on the cornea to the limit of eye safety, and
    not more than the emitter bears.

    Raises:
        SafetyError: its own current is more than that.
    """
    exposure = corneal_exposure(headset)
    drive = headset.drive
    if exposure is None or headset.parts is None or drive.led_current_ma is None:
        return None
    safe_ma = LIMIT_W_M2 / exposure.greatest_w_m2 * drive.led_current_ma
    bears_ma = max(headset.parts.emitter.max_current_ma, drive.led_current_ma)  # in pulses it may bear more
    most_ma = math.floor(min(safe_ma, bears_ma))
    current_ma = max(1, math.floor(drive.led_current_ma))
    if current_ma > most_ma:
        raise SafetyError(
            f"{headset.name} drives its emitters with {drive.led_current_ma:g} mA; {most_ma} mA is the most "
            "that is safe for the eye: lower drive.led_current_ma"
        )
    duty_percent = min(100, math.ceil(100 * emitter_duty(headset)))
    silent_us = max(_LEAST_SILENT_US, round(_SILENT_PERIODS * 1e6 / headset.rate_hz))
    return LedDrive(current_ma, most_ma, duty_percent, silent_us)
