"""How a headset is worn in a recording."""

from __future__ import annotations

from dataclasses import dataclass

from psog.errors import SimulationError
from psog.sim.fits import check_distances
from psog.sim.slippage import motion_named


@dataclass(frozen=True)
class Wear:
    """How the headset sits in a recording.

    Attributes:
        donning_mm: it is put on up to this far from the nominal place in x and y, half that in z.
        motion: of `psog.sim.slippage`, how it moves while it is worn.
        slip_mm: instead of a motion, every SLIP_EVERY_S it slips to within this distance of where it was
            put on.
    Raises:
        SimulationError: a distance or a motion that cannot be, or both a slip and a motion.
    """

    donning_mm: float = 2.0
    slip_mm: float = 0.0
    motion: str = "fixed"

    def __post_init__(self) -> None:
        check_distances(donning_mm=self.donning_mm, slip_mm=self.slip_mm)
        motion_named(self.motion)
        if self.slip_mm > 0 and self.motion != "fixed":
            raise SimulationError(
                f"cannot wear the headset: both slip_mm {self.slip_mm:g} and motion {self.motion!r} given, "
                "expected one of them"
            )
