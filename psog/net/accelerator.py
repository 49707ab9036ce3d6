"""Where a network is trained: on the CPU, or on a GPU when that pays."""

from __future__ import annotations

from typing import Literal

import torch

from psog.errors import ModelError

Place = Literal["auto", "cpu", "cuda"]

_WORTH_USERS = 32
"""Users per batch from which a GPU gains (docs/parallel.md). With fewer, most of its time goes into starting
the many small computations of a step, which a CPU has done by then."""


def device_for(place: Place, users_per_batch: int, rank: int = 0) -> str:
    """Torch's name of the device to train on.

    Args:
        users_per_batch: "auto" takes a GPU when these are many.
        rank: of the process; those of a team go round the GPUs.
    Raises:
        ModelError: a GPU is asked for and there is none.
    """
    found = torch.cuda.is_available()
    if place == "cuda" and not found:
        built = torch.version.cuda
        why = "this torch is built for the CPU alone" if built is None else "torch finds no CUDA device"
        raise ModelError(f"cannot train on a GPU: {why}; leave --device out, or give --device cpu")
    if place == "cpu" or not found or (place == "auto" and users_per_batch < _WORTH_USERS):
        return "cpu"
    return f"cuda:{rank % torch.cuda.device_count()}"
