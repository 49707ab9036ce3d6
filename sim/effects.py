"""Which optical effects beyond the first order a simulation has."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from psog.headset import Headset
from psog.sim.anatomy import LENS_MM, LENS_ROOM_MM


@dataclass(frozen=True)
class Effects:
    """What is added to Lambertian surfaces, refracted iris and corneal glint; everything unless told.

    Attributes:
        lid_margin: lids have a thickness: their edge is a wall that is lit and seen, and hides what lies
            behind it from emitters and detectors above or below.
        lashes: the upper lashes take light from what crosses them.
        skin_relief: the face plane is tilted, and skin has a crease, bumps and hollows.
        tear_film: the wet sclera is a mirror too.
        interreflection: skin lights the eye and itself.
        spectacles: those who wear them wear them under the headset, if it has room.
    """

    lid_margin: bool = True
    lashes: bool = True
    skin_relief: bool = True
    tear_film: bool = True
    interreflection: bool = True
    spectacles: bool = True


FIRST_ORDER = Effects(**{item.name: False for item in fields(Effects)})
"""Nothing but Lambertian surfaces, refracted iris and corneal glint."""


def effects_on(headset: Headset, effects: Effects) -> Effects:
    """The effects without spectacles where the headset, nominally worn, leaves no room for them."""
    nearest = min(part[2] for sensor in headset.sensors for part in (sensor.detector_mm, sensor.emitter_mm))
    return replace(effects, spectacles=effects.spectacles and nearest >= LENS_MM + LENS_ROOM_MM)
