"""The image that a device's core wants, of any image of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psog.errors import ModelError
from psog.firmware_export.image_format import packing_of
from psog.firmware_export.image_writer import repacked
from psog.firmware_export.packings import PAIRED, Packing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psog.device.answers import DeviceInfo


def image_for_headset(image: bytes, info: DeviceInfo) -> bytes:
    """The image to upload to a headset.

    Args:
        image: a sound one of any packing.
    Raises:
        ModelError: it cannot be packed for this headset, or is too large for it.
    """
    return image_for(image, PAIRED if info.paired else ("plain",), info.image_room)


def image_for(image: bytes, packings: Sequence[Packing], room_bytes: int | None = None) -> bytes:
    """The image as it is, if a device runs its packing and has the room; else the first packing that fits.

    Args:
        image: a sound one of any packing.
        packings: what the device runs, the fastest first.
        room_bytes: the largest image that it takes; None for any.
    Raises:
        ModelError: it cannot be packed so, or is too large.
    """
    own = packing_of(image)
    order = [own, *(packing for packing in packings if packing != own)] if own in packings else packings
    sizes = []
    for packing in order:
        fitting = image if packing == own else repacked(image, packing)
        if room_bytes is None or len(fitting) <= room_bytes:
            return fitting
        sizes.append(f"{len(fitting):,} bytes as {packing}")
    raise ModelError(
        f"the model is too large for the headset: {', '.join(sizes)}, at most {room_bytes:,} fit; "
        "train a smaller network"
    )
