"""What shifts teach about a model, in the model's folder: shift.safetensors."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from psog.errors import ModelError
from psog.net.integer import IntegerNet
from psog.net.learnt_file import read_learnt, write_learnt
from psog.net.shift import AXES, ShiftMap
from psog.net.surface import TERMS

NAME = "shift.safetensors"
FORMAT = "psog-shift 1"


def save_shift_map(folder: Path, learnt: ShiftMap, *, force: bool = False) -> None:
    """Write it beside the model in `folder`, whose weights it names; complete or not at all.

    Raises:
        ModelError: no model is there, one was learnt already (and `force` is false), or it cannot be written.
    """
    arrays = {item.name: getattr(learnt, item.name) for item in fields(ShiftMap)}
    write_learnt(folder, NAME, FORMAT, arrays, force=force)


def load_shift_map(folder: Path, net: IntegerNet) -> ShiftMap | None:
    """What was learnt about the model in `folder`; None if nothing was.

    Raises:
        ModelError: damaged, of another version, or of other weights than the model's.
    """
    sensors = len(net.normalisation.offset)
    shapes = {
        "surface": (TERMS, sensors),
        "weight": (AXES, TERMS * sensors),
        "bias": (AXES,),
        "still_mm": (AXES,),
        "share": (AXES,),
    }
    found = read_learnt(folder, NAME, FORMAT, lambda _: shapes)
    if found is None:
        return None
    if min(found["still_mm"].min(), found["share"].min()) < 0:
        raise ModelError(f"{folder / NAME} has an error below 0; learn again with psog recovery --force")
    return ShiftMap(**{name: array.astype(np.float64) for name, array in found.items()})
