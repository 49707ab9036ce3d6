"""A spiking network as a folder: spiking.json, spiking.safetensors, report.json, and gaze.nir."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from psog.errors import ModelError
from psog.folders import FolderKind
from psog.net.spiking.conversion import SpikingConfig
from psog.net.spiking.network import SpikingNet
from psog.net.spiking.nir_graph import write_nir

FORMAT, VERSION = "psog-spiking", 1
DESCRIPTION, TENSORS, REPORT, NIR = "spiking.json", "spiking.safetensors", "report.json", "gaze.nir"
FOLDER = FolderKind("spiking network", DESCRIPTION, ModelError)


def save_spiking(
    folder: Path,
    net: SpikingNet,
    config: SpikingConfig,
    report: Mapping[str, Any],
    *,
    headset: str,
    nir: bool,
    force: bool = False,
) -> None:
    """Write the folder. It appears complete or not at all.

    Args:
        nir: whether with gaze.nir.
    Raises:
        ModelError: the folder exists (and `force` is false, or it is of another kind), or cannot be written.
        MissingExtraError: `nir`, and the package is not installed.
    """
    from safetensors.numpy import save

    description = {
        "format": FORMAT,
        "version": VERSION,
        "headset": headset,
        "config": asdict(config),
        "input_shape": net.input_shape,
        "input_zero": net.input_zero,
        "relu": net.relu,
        "layers": [
            {"kind": layer.kind, "padding": layer.padding, "fraction_bits": layer.fraction_bits}
            for layer in net.layers
        ],
    }
    with FOLDER.writing(folder, force=force) as partial:
        (partial / TENSORS).write_bytes(save(_tensors(net)))
        for name, content in {DESCRIPTION: description, REPORT: report}.items():
            text = json.dumps(content, indent=2, allow_nan=False) + "\n"
            (partial / name).write_text(text, "utf-8")
        if nir:
            write_nir(partial / NIR, net)


def _tensors(net: SpikingNet) -> dict[str, np.ndarray[Any, Any]]:
    found: dict[str, np.ndarray[Any, Any]] = {
        "spike_values": net.spike_values,
        "feature_unit": net.feature_unit,
    }
    for index, layer in enumerate(net.layers):
        found[f"layer{index}.weight"] = np.ascontiguousarray(layer.weight)
        found[f"layer{index}.bias"] = layer.bias
        if layer.threshold is not None:
            found[f"layer{index}.threshold"] = layer.threshold
            found[f"layer{index}.start"] = layer.start
    return found
