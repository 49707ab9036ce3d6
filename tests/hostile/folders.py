"""Model folders that lie: a sound one with one thing in it made impossible, and its checksum made to fit."""

from __future__ import annotations

import hashlib
import json
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from psog.net.store import MODEL, WEIGHTS, save_model
from tests.random_nets import LayerPlan, random_net, with_embedding

_PLAN = (LayerPlan("conv", 2, "same"), LayerPlan("conv", 3, "valid"), LayerPlan("dense", 4))
_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 255, 2**31, 2**63, 10**300, -1e308, float("nan"), float("inf")),
    *("", "../../etc/passwd", "x" * 1000, [], [[]], {}, [[0] * 16] * 16, [[[0]]], [{"kind": "conv"}] * 9),
)
_LAYER_VALUES = (None, 0, "pool", "same", [], {}, True, "x" * 1000)
Folder = dict[str, bytes]


def sound() -> Folder:
    """A model folder's files by name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        net, _ = random_net(1, _PLAN)
        save_model(folder, with_embedding(net, 1, 2), {})
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def hostile_folders() -> Iterator[tuple[str, Folder]]:
    """What is wrong, and the files."""
    files = sound()
    for name, description in _descriptions(json.loads(files[MODEL])):
        yield name, files | {MODEL: json.dumps(description).encode()}
    for name, weights in _weights(files[WEIGHTS]):
        description = json.loads(files[MODEL]) | {"weights_sha256": hashlib.sha256(weights).hexdigest()}
        yield name, files | {MODEL: json.dumps(description).encode(), WEIGHTS: weights}


def _descriptions(whole: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in whole:
        for number, value in enumerate(_VALUES):
            yield f"{key} is value {number}", whole | {key: value}
    for key in whole["layers"][0]:
        for number, value in enumerate(_LAYER_VALUES):
            layers = [whole["layers"][0] | {key: value}, *whole["layers"][1:]]
            yield f"{key} of a layer is value {number}", whole | {"layers": layers}
    for cell in (-1, 63, 64, 2**63, 1.5, None, [0]):
        layout = [[cell, *whole["layout"][0][1:]], *whole["layout"][1:]]
        yield f"a cell of the layout is {cell}", whole | {"layout": layout}
    yield "layers are repeated", whole | {"layers": whole["layers"] * 100}
    yield "a list instead of an object", [whole]


def _weights(whole: bytes) -> Iterator[tuple[str, bytes]]:
    tensors = load(whole)
    for name, tensor in tensors.items():
        for what, other in _tensors(tensor):
            yield f"{name} {what}", save({**tensors, name: other})
        yield f"{name} is missing", save({key: value for key, value in tensors.items() if key != name})
    yield from _containers(whole)


def _tensors(tensor: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield "has another type", tensor.astype(np.float64)
    yield "is empty", tensor[:0]
    yield "has a dimension more", tensor[None]
    yield "is a number", np.array(tensor.reshape(-1)[0])
    yield "is twice as long", np.concatenate([tensor, tensor])
    yield "is long", np.zeros(100_000, tensor.dtype)
    yield (
        "is all of the smallest",
        np.full_like(
            tensor, np.finfo(tensor.dtype).min if tensor.dtype.kind == "f" else np.iinfo(tensor.dtype).min
        ),
    )
    if tensor.dtype.kind == "f":
        for value in (np.nan, np.inf, 0.0, 1e38):
            yield f"is all {value}", np.full_like(tensor, value)


def _containers(whole: bytes) -> Iterator[tuple[str, bytes]]:
    """The file format's own header: a length, and JSON that says where each tensor lies."""
    length = struct.unpack_from("<Q", whole)[0]
    header, data = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    first = next(name for name in header if name != "__metadata__")
    for claimed in (0, 1, length - 1, length + 1, len(whole), 2**31, 2**63 - 1, 2**64 - 1):
        yield f"its header has {claimed} bytes", struct.pack("<Q", claimed) + whole[8:]
    for begin, end in ((0, 2**63), (2**64, 0), (-1, 4), (4, 0), (0, 0), (len(data), len(data) + 4)):
        yield (
            f"its tensor lies at {begin} to {end}",
            _container(header | {first: header[first] | {"data_offsets": [begin, end]}}, data),
        )
    for shape in ([2**63], [2**32, 2**32], [-1], [0], [], [1] * 10_000, ["a"], None):
        yield (
            f"its shape is {str(shape)[:20]}",
            _container(header | {first: header[first] | {"shape": shape}}, data),
        )
    for kind in ("F99", "BOOL", "U64", 5, None):
        yield f"its type is {kind}", _container(header | {first: header[first] | {"dtype": kind}}, data)
    overlapping = {name: header[first] if name != "__metadata__" else header[name] for name in header}
    yield "all its tensors lie in one place", _container(overlapping, data)
    yield "it has ten thousand tensors", _container({f"t{i}": header[first] for i in range(10_000)}, data)
    for size in (0, 1, 7, 8, 9, length // 2, len(whole) - 1):
        yield f"it ends after {size} bytes", whole[:size]
    yield "something follows it", whole + bytes(1000)
    yield "its header is deep", struct.pack("<Q", 20_000) + b"[" * 20_000
    yield "its header is no text", struct.pack("<Q", 8) + b"\xff" * 8


def _container(header: Any, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data
