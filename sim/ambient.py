"""Light that the headset did not make: rooms and sunshine, and how it flickers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError


@dataclass(frozen=True)
class Ambient:
    """Ambient light as the photodiodes see it, equal for all of them.

    Attributes:
        name: of the preset.
        irradiance_w_m2: at the detectors, within the band of their filter, averaged over time.
        flicker: amplitude of its flicker over its mean, 0 to 1.
        flicker_hz: twice the frequency of the mains.
    """

    name: str
    irradiance_w_m2: float
    flicker: float = 0.0
    flicker_hz: float = 100.0

    def __post_init__(self) -> None:
        if not (
            0 <= self.irradiance_w_m2 < np.inf and 0 <= self.flicker <= 1 and 0 < self.flicker_hz < np.inf
        ):
            raise SimulationError(
                f"ambient light {self.name!r}: {self.irradiance_w_m2} W/m² with flicker {self.flicker} at "
                f"{self.flicker_hz} Hz cannot be; expected at least 0 W/m², flicker 0 to 1, above 0 Hz"
            )

    def at(self, t_s: NDArray[np.floating]) -> NDArray[np.float64]:
        """W/m² at times `t_s` (any shape)."""
        wave = np.sin(2 * np.pi * self.flicker_hz * np.asarray(t_s, dtype=np.float64))
        return np.asarray(self.irradiance_w_m2 * (1 + self.flicker * wave))


DARK = Ambient("dark", 0.0)
AMBIENTS = {
    "dark": DARK,
    "indoor": Ambient("indoor", 1.0, flicker=0.1),
    "sun": Ambient("sun", 10.0),
}
"""All weak values, for photodiodes that look from the headset towards the face and see from 740 to 1040 nm.

dark: no light but the headset's.
indoor: 500 lx of incandescent light, the worst of rooms. A radiator of 2856 K gives 16 lm/W, so that is
31 W/m², of which 18 % lie in the band (Planck). An open headset lets a third of it in and the face sends half
back: 1 W/m². The light of a filament varies by about a tenth at 100 Hz. White LED light has next to nothing
in this band.
sun: full sunshine, 1000 W/m² of which 21 % lie in the band (Planck, 5772 K), on a visor that passes a tenth,
and a face that sends half of it back: 10 W/m²."""


def ambient_light(name: str) -> Ambient:
    """A preset by name.

    Raises:
        SimulationError: no such preset.
    """
    if name not in AMBIENTS:
        raise SimulationError(f"no ambient light named {name!r}; expected one of {', '.join(AMBIENTS)}")
    return AMBIENTS[name]
