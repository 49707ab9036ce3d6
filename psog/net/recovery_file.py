"""What slips teach about a model, in the model's folder: recovery.safetensors."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from psog.errors import ModelError
from psog.files import check_new_file, writing_file
from psog.net.integer import IntegerNet
from psog.net.recovery import TERMS, Recovery
from psog.net.ridge import GAZE_OUTPUTS
from psog.net.store import load_model

NAME = "recovery.safetensors"
FORMAT = "psog-recovery 1"
_LARGEST_BYTES = 1 << 20
_MOST_CHANGES = 64


def check_free(folder: Path, *, force: bool) -> None:
    """Raise ModelError if the model in `folder` has one already and `force` is false."""
    check_new_file(folder / NAME, ".safetensors", ModelError, force=force)


def _weights_of(folder: Path) -> str:
    """Digest of the weights of the model in `folder`.

    Raises:
        ModelError: none is there.
    """
    origin = load_model(folder).origin
    assert origin is not None  # it comes from a folder
    return str(origin["weights_sha256"])


def save_recovery(folder: Path, recovery: Recovery, *, force: bool = False) -> None:
    """Write it beside the model in `folder`, whose weights it names; complete or not at all.

    Raises:
        ModelError: no model is there, one was learnt already (and `force` is false), or it cannot be written.
    """
    from safetensors.numpy import save

    check_free(folder, force=force)
    tensors = {
        # Contiguous: safetensors writes the memory of an array, whatever its order of axes.
        item.name: np.ascontiguousarray(np.atleast_1d(getattr(recovery, item.name)), np.float32)
        for item in fields(Recovery)
    }
    told = {"format": FORMAT, "weights_sha256": _weights_of(folder)}
    with writing_file(folder / NAME, ModelError) as partial:
        partial.write_bytes(save(tensors, metadata=told))


def load_recovery(folder: Path, net: IntegerNet) -> Recovery | None:
    """What was learnt about the model in `folder`; None if nothing was.

    Raises:
        ModelError: damaged, of another version, or of other weights than the model's.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / NAME
    if not path.exists():
        return None
    again = "learn again with psog recovery --force"
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ModelError(f"{path} has more than {_LARGEST_BYTES} bytes; {again}")
        with safe_open(path, framework="numpy") as file:
            told = file.metadata() or {}
            if told.get("format") != FORMAT:
                raise ModelError(f"{path}: format {told.get('format')!r}, expected {FORMAT!r}; {again}")
            if told.get("weights_sha256") != _weights_of(folder):
                raise ModelError(f"{path} was learnt from other weights than this model's; {again}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, no mapping
    except (OSError, SafetensorError) as error:
        raise ModelError(f"cannot read {path}: {error}; {again}") from error
    return _checked(path, tensors, net)


def _checked(path: Path, tensors: dict[str, np.ndarray], net: IntegerNet) -> Recovery:
    count = len(tensors["changes"]) if tensors.get("changes", np.zeros(())).ndim == 3 else 0
    sensors = len(net.normalisation.offset)
    shapes = {
        "surface": (TERMS, sensors),
        "changes": (count, GAZE_OUTPUTS, net.feature_count + 1),
        "weight": (count, TERMS * sensors),
        "bias": (count,),
        "left": (count, count),
        "calm": (count, count),
        "noise_deg": (1,),
        "alarm": (1,),
    }
    for name, shape in shapes.items():
        found = tensors.get(name)
        if found is None or found.shape != shape or not 1 <= count <= _MOST_CHANGES:
            raise ModelError(
                f"{path}: {name} is not of shape {shape}; learn again with psog recovery --force"
            )
        if found.dtype != np.float32 or not np.isfinite(found).all():
            raise ModelError(f"{path}: {name} has a value that is no number; learn again")
    arrays = {name: found.astype(np.float64) for name, found in tensors.items()}
    return Recovery(
        surface=arrays["surface"],
        changes=arrays["changes"],
        weight=arrays["weight"],
        bias=arrays["bias"],
        left=arrays["left"],
        noise_deg=float(arrays["noise_deg"][0]),
        calm=arrays["calm"],
        alarm=float(arrays["alarm"][0]),
    )
