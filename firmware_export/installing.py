"""The image that a device's core wants, of any image of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psog.errors import ModelError
from psog.firmware_export import int4
from psog.firmware_export.image_format import packing_of
from psog.firmware_export.image_reader import read_image
from psog.firmware_export.image_writer import repacked
from psog.firmware_export.keys import DEVELOPMENT_KEY, SigningKey, is_signed_by
from psog.firmware_export.packings import INT4, PAIRED, PLAIN, Packing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psog.device.answers import DeviceInfo


def image_for_headset(image: bytes, info: DeviceInfo, key: SigningKey = DEVELOPMENT_KEY) -> bytes:
    """The image to upload to a headset.

    Args:
        image: a sound one of any packing.
        key: what is packed again is signed by it.
    Raises:
        ModelError: it cannot be packed for this headset, or is too large for it, or another key signed it.
    """
    return image_for(image, PAIRED if info.paired else PLAIN, info.image_room, key)


def image_for(
    image: bytes,
    packings: Sequence[Packing],
    room_bytes: int | None = None,
    key: SigningKey = DEVELOPMENT_KEY,
) -> bytes:
    """The image as it is, if a device runs its packing and has the room; else the first packing that fits.

    Args:
        image: a sound one of any packing.
        packings: what the device runs, the fastest first (but `possible_packings`).
        room_bytes: the largest image that it takes; None for any.
        key: signs what is packed again: what it has signed before, or the development key has.
    Raises:
        ModelError: it cannot be packed so, is too large, or would have to be packed again and another key has
            signed it.
    """
    own = packing_of(image)
    if own not in packings or room_bytes is not None:
        packings = possible_packings(image, packings)
    order = [own, *(packing for packing in packings if packing != own)] if own in packings else packings
    sizes = []
    for packing in order:
        fitting = image if packing == own else _packed_again(image, packing, key)
        if room_bytes is None or len(fitting) <= room_bytes:
            return fitting
        sizes.append(f"{len(fitting):,} bytes as {packing}")
    raise ModelError(
        f"the model is too large for the headset: {', '.join(sizes)}, at most {room_bytes:,} fit; "
        "train a smaller network"
    )


def possible_packings(image: bytes, packings: Sequence[Packing]) -> list[Packing]:
    """Of some packings, those that make a difference for this model: int4 where a layer's weights allow it.

    They come first for an image that is of int4 itself: somebody wanted it small.

    Raises:
        ModelImageError: it is no sound image.
        ModelError: none does.
    """
    allowed = any(map(int4.pays, read_image(image).layers))
    found = [packing for packing in packings if allowed or packing not in INT4]
    if not found:
        raise ModelError(
            f"cannot pack the model as {' or '.join(packings)}: no dense layer has weights of four bits; "
            "export it with --weights int4"
        )
    if packing_of(image) in INT4:
        found.sort(key=lambda packing: packing not in INT4)
    return found


def _packed_again(image: bytes, packing: Packing, key: SigningKey) -> bytes:
    if not any(is_signed_by(image, signer.public) for signer in (key, DEVELOPMENT_KEY)):
        raise ModelError(
            f"the headset needs the model packed as {packing}, and so signed again, but neither the "
            "development key nor the one given has signed it; name that with --key, or export for the "
            "headset's board: psog export --board BOARD --key FILE"
        )
    return repacked(image, packing, key)
