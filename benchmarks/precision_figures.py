"""The figures of `psog bench precision`, from errors of users and from emulated boards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.precision_ways import INT8
from psog.errors import ToolchainError
from psog.firmware_export.budget import measure_budget
from psog.firmware_export.image import write_image
from psog.firmware_export.installing import possible_packings
from psog.firmware_export.toolchain import available_boards, board_target
from psog.headset import Headset
from psog.net.int4_rounding import large_layers, to_nearest
from psog.net.integer import IntegerNet

_BOARDS = ("mps2-an386", "mps3-an547", "lm3s6965evb")
_SHOWN = ("instructions", "cycles_estimated", "flash_model_bytes", "flash_runtime_bytes", "ram_bytes")
_READINGS = 4

Errors = Mapping[str, Sequence[Sequence[float]]]


def figures(models: Sequence[Errors]) -> dict[str, Any]:
    """{way: {figure: (slips) of [mean, SD over models]}}; differences are from int8, paired by user.

    Args:
        models: of each the (users, slips) errors of every way, in degrees.
    """
    found = {}
    for way in models[0]:
        errors = np.array([model[way] for model in models])
        differences = errors - np.array([model[INT8] for model in models])
        found[way] = {
            "mean_deg": _over_models(errors.mean(axis=1)),
            "median_deg": _over_models(np.median(errors, axis=1)),
            "p95_deg": _over_models(np.quantile(errors, 0.95, axis=1)),
            "difference_deg": _over_models(differences.mean(axis=1)),
            "users_sd_deg": [round(float(sd), 4) for sd in differences.std(axis=1).mean(axis=0)],
        }
    return found


def layer_figures(net: IntegerNet, models: Sequence[Errors]) -> list[dict[str, Any]]:
    """Of each dense layer its "layer", "weights" and "difference_deg" with four bits in it alone."""
    return [
        {
            "layer": int(index),
            "weights": int(net.layers[int(index)].weight.size),
            "difference_deg": _over_models(np.array([model[index] for model in models]).mean(axis=1)),
        }
        for index in models[0]
    ]


def _over_models(values: NDArray[np.floating]) -> list[list[float]]:
    """(models, slips) to mean and SD of each slip."""
    spread = 1 if len(values) > 1 else 0
    return [[round(float(column.mean()), 4), round(float(column.std(ddof=spread)), 4)] for column in values.T]


def costs(net: IntegerNet, headset: Headset, *, short: bool) -> dict[str, dict[str, dict[str, Any]]]:
    """{board: {packing: figures}} of the network with four bits in its large layers; empty without QEMU."""
    image = write_image(to_nearest(net, large_layers(net)), headset)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for board in _BOARDS[: 1 if short else None]:
        if board not in available_boards():
            continue
        packings = possible_packings(image, board_target(board).target.packings)
        try:
            measured = {
                packing: measure_budget(board, image, packing=packing, readings=_READINGS)
                for packing in packings
            }
        except ToolchainError:
            continue
        found[board] = {
            packing: {key: budget[key] for key in (*_SHOWN, "bit_exact")}
            for packing, budget in measured.items()
        }
    return found
