"""What slips teach about a model, in the model's folder: recovery.safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.net.integer import IntegerNet
from psog.net.learnt_file import Shapes, read_learnt, write_learnt
from psog.net.recovery import Recovery
from psog.net.ridge import GAZE_OUTPUTS
from psog.net.surface import TERMS

NAME = "recovery.safetensors"
FORMAT = "psog-recovery 1"
_MOST_CHANGES = 64


def save_recovery(folder: Path, recovery: Recovery, *, force: bool = False) -> None:
    """Write it beside the model in `folder`, whose weights it names; complete or not at all.

    Raises:
        ModelError: no model is there, one was learnt already (and `force` is false), or it cannot be written.
    """
    arrays = {item.name: np.atleast_1d(getattr(recovery, item.name)) for item in fields(Recovery)}
    write_learnt(folder, NAME, FORMAT, arrays, force=force)


def load_recovery(folder: Path, net: IntegerNet) -> Recovery | None:
    """What was learnt about the model in `folder`; None if nothing was.

    Raises:
        ModelError: damaged, of another version, or of other weights than the model's.
    """
    found = read_learnt(folder, NAME, FORMAT, lambda tensors: _shapes(tensors, net))
    if found is None:
        return None
    arrays = {name: array.astype(np.float64) for name, array in found.items()}
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


def _shapes(tensors: Mapping[str, NDArray[np.generic]], net: IntegerNet) -> Shapes:
    changes = tensors.get("changes")
    count = len(changes) if changes is not None and changes.ndim == 3 else 0
    count = min(max(count, 1), _MOST_CHANGES)  # any other number of changes is then one too many, or too few
    sensors = len(net.normalisation.offset)
    return {
        "surface": (TERMS, sensors),
        "changes": (count, GAZE_OUTPUTS, net.feature_count + 1),
        "weight": (count, TERMS * sensors),
        "bias": (count,),
        "left": (count, count),
        "calm": (count, count),
        "noise_deg": (1,),
        "alarm": (1,),
    }
