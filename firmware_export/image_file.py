"""A device image from what a user names: an image file or a model folder."""

from __future__ import annotations

from pathlib import Path

from psog.errors import ModelImageError
from psog.firmware_export.image_format import MAX_IMAGE_BYTES
from psog.firmware_export.image_reader import read_image
from psog.firmware_export.image_writer import write_image
from psog.headset import Headset, load_headset
from psog.net.shipped import model_place


def load_image(path: Path, headset: Headset | None = None) -> bytes:
    """The device image of a `.psog` file, checked whole, or of a model: a folder or one that comes with psog.

    Args:
        headset: what a model folder was trained for; by default the built-in headset of that name.
    Raises:
        ModelImageError: the file cannot be read or is no sound image.
        ModelError: the folder is no model, or cannot be exported.
        HeadsetError: the model's headset is not built in and none was given.
    """
    path = model_place(path)
    if path.is_dir():
        return _export(path, headset)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_IMAGE_BYTES + 1)
    except OSError as error:
        raise ModelImageError(
            f"cannot read {path}: {error.strerror}; expected a .psog image or a model folder"
        ) from error
    try:
        read_image(data)
    except ModelImageError as error:
        raise ModelImageError(f"{path}: {error}") from error
    return data


def headset_name(image: bytes) -> str:
    """Name of the headset an image is made for.

    Raises:
        ModelImageError: it is no sound image.
    """
    return read_image(image).headset


def _export(folder: Path, headset: Headset | None) -> bytes:
    from psog.net.store import load_model

    net = load_model(folder).net
    return write_image(net, headset or load_headset(net.headset))
