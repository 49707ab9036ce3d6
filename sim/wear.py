"""How a headset is worn in a recording."""

from __future__ import annotations

from dataclasses import dataclass

from psog.sim.fits import check_distances


@dataclass(frozen=True)
class Wear:
    """How the headset sits in a recording.

    Attributes:
        donning_mm: it is put on up to this far from the nominal place in x and y, half that in z.
        slip_mm: every SLIP_EVERY_S it slips to within this distance of where it was put on.
    """

    donning_mm: float = 2.0
    slip_mm: float = 0.0

    def __post_init__(self) -> None:
        check_distances(donning_mm=self.donning_mm, slip_mm=self.slip_mm)
