"""What is learnt about a model, in files beside it that name its weights: arrays in safetensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.errors import ModelError
from psog.files import check_new_file, writing_file
from psog.net.store import load_model

_LARGEST_BYTES = 1 << 20

Tensors = dict[str, NDArray[np.float32]]
Shapes = Mapping[str, tuple[int, ...]]


def check_free(folder: Path, name: str, *, force: bool) -> None:
    """Raise ModelError if the model in `folder` has one already and `force` is false."""
    check_new_file(folder / name, ".safetensors", ModelError, force=force)


def write_learnt(
    folder: Path, name: str, told: str, arrays: Mapping[str, NDArray[np.floating]], *, force: bool
) -> None:
    """Arrays beside the model in `folder`, whose weights they name; complete or not at all.

    Args:
        told: the format.
    Raises:
        ModelError: no model is there, the file is already (and `force` is false), or it cannot be written.
    """
    from safetensors.numpy import save

    check_free(folder, name, force=force)
    # Contiguous: safetensors writes the memory of an array, whatever its order of axes.
    tensors = {key: np.ascontiguousarray(array, np.float32) for key, array in arrays.items()}
    metadata = {"format": told, "weights_sha256": _weights_of(folder)}
    with writing_file(folder / name, ModelError) as partial:
        partial.write_bytes(save(tensors, metadata=metadata))


def read_learnt(
    folder: Path, name: str, expected: str, shapes_of: Callable[[Mapping[str, NDArray[np.generic]]], Shapes]
) -> Tensors | None:
    """What write_learnt wrote; None if nothing did.

    Args:
        shapes_of: the shapes that tensors, not checked yet, have to have.
    Raises:
        ModelError: damaged, of another format, or of other weights than the model's.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / name
    if not path.exists():
        return None
    again = "learn again with psog recovery --force"
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ModelError(f"{path} has more than {_LARGEST_BYTES} bytes; {again}")
        with safe_open(path, framework="numpy") as file:
            told = file.metadata() or {}
            if told.get("format") != expected:
                raise ModelError(f"{path}: format {told.get('format')!r}, expected {expected!r}; {again}")
            if told.get("weights_sha256") != _weights_of(folder):
                raise ModelError(f"{path} was learnt from other weights than this model's; {again}")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, no mapping
    except (OSError, SafetensorError) as error:
        raise ModelError(f"cannot read {path}: {error}; {again}") from error
    shapes = shapes_of(tensors)
    for key, shape in shapes.items():
        found = tensors.get(key)
        if found is None or found.shape != shape:
            raise ModelError(f"{path}: {key} is not of shape {shape}; {again}")
        if found.dtype != np.float32 or not np.isfinite(found).all():
            raise ModelError(f"{path}: {key} has a value that is no number; learn again")
    return {key: tensors[key] for key in shapes}


def _weights_of(folder: Path) -> str:
    """Digest of the weights of the model in `folder`.

    Raises:
        ModelError: none is there.
    """
    origin = load_model(folder).origin
    assert origin is not None  # it comes from a folder
    return str(origin["weights_sha256"])
