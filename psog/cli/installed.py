"""Which model a headset runs: the folder it was installed from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from psog.errors import ModelError

if TYPE_CHECKING:
    from psog.device.answers import DeviceInfo
    from psog.headset import Headset


def installed_folder(info: DeviceInfo, given: Path | None, headset: Headset | None = None) -> Path:
    """The folder of the model that a headset runs: the one that was given, else the one that comes with psog.

    Args:
        headset: what the model is for; by default the built-in one of that name.
    Raises:
        ModelError: it is no folder, or the headset runs another model.
    """
    from psog.device.identity import model_crc32
    from psog.firmware_export.image_file import load_image
    from psog.firmware_export.installing import image_for_headset
    from psog.net.shipped import model_place, shipped_folders

    if given is None and info.headset not in shipped_folders():
        raise ModelError(
            f"no model for a {info.headset or 'headset without one'!r} comes with psog; "
            "name the folder of the one it runs with --model"
        )
    folder = model_place(Path(info.headset) if given is None else given)
    if not folder.is_dir():
        raise ModelError(f"{folder} is no model folder; name the one that the headset's model came from")
    image = image_for_headset(load_image(folder, headset, version=info.model_version), info)
    if model_crc32(image) != info.model_crc32:
        raise ModelError(
            f"the headset runs model {info.model_crc32:08x}, {folder} holds {model_crc32(image):08x}; "
            "name the folder of the one it runs with --model, or install this one with psog flash"
        )
    return folder
