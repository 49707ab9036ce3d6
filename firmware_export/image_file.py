"""A device image from what a user names: an image file or a model folder."""

from __future__ import annotations

from pathlib import Path

from psog.device.identity import SIGNATURE_BYTES
from psog.errors import ModelImageError
from psog.firmware_export.image_format import MAX_CONTENT_BYTES
from psog.firmware_export.image_reader import read_image
from psog.firmware_export.image_writer import write_image
from psog.firmware_export.keys import DEVELOPMENT_KEY, SigningKey, is_signed_by, signed_again
from psog.headset import Headset, load_headset
from psog.net.shipped import model_place


def load_image(
    path: Path,
    headset: Headset | None = None,
    *,
    version: int | None = None,
    key: SigningKey | None = None,
) -> bytes:
    """The device image of a `.psog` file, checked whole, or of a model: a folder or one that comes with psog.

    Args:
        headset: what a model folder was trained for; by default the built-in headset of that name.
        version: the version counter of an image made of a model; 0 by default.
        key: signs an image made of a model, or one that the development key has signed, which is the default;
            any other `.psog` file it has to have signed already.
    Raises:
        ModelImageError: the file cannot be read, is no sound image, is signed by another key, or is to have a
            version although it has one.
        ModelError: the folder is no model, or cannot be exported.
        HeadsetError: the model's headset is not built in and none was given.
    """
    path = model_place(path)
    if path.is_dir():
        return _export(path, headset, version or 0, key or DEVELOPMENT_KEY)
    if version is not None:
        raise ModelImageError(f"{path} has its version already; give one for a model folder only")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONTENT_BYTES + SIGNATURE_BYTES + 1)
    except OSError as error:
        raise ModelImageError(
            f"cannot read {path}: {error.strerror}; expected a .psog image or a model folder"
        ) from error
    try:
        read_image(data)
    except ModelImageError as error:
        raise ModelImageError(f"{path}: {error}") from error
    return data if key is None else _signed_by(data, key, path)


def headset_name(image: bytes) -> str:
    """Name of the headset an image is made for.

    Raises:
        ModelImageError: it is no sound image.
    """
    return read_image(image).headset


def _signed_by(image: bytes, key: SigningKey, path: Path) -> bytes:
    if is_signed_by(image, key.public):
        return image
    if is_signed_by(image, DEVELOPMENT_KEY.public):
        return signed_again(image, key)
    raise ModelImageError(
        f"{path} is signed by another key than the one given, and stays so; leave --key out"
    )


def _export(folder: Path, headset: Headset | None, version: int, key: SigningKey) -> bytes:
    from psog.net.store import load_model

    net = load_model(folder).net
    return write_image(net, headset or load_headset(net.headset), version=version, key=key)
