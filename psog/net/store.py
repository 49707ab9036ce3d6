"""A model on disk: a folder with model.json, weights.safetensors and report.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psog.errors import ModelError
from psog.folders import FolderKind
from psog.net.integer import IntegerNet
from psog.net.shipped import model_place
from psog.net.tensors import pack, unpack

FORMAT = "psog-model"
VERSION = 2
MODEL, WEIGHTS, REPORT = "model.json", "weights.safetensors", "report.json"
FOLDER = FolderKind("model", MODEL, ModelError)

ORIGIN = ("stage", "training", "data", "parent")
"""Keys of a report that say where a model comes from; they are kept in model.json. Stages are
"pretrained", "population", "fleet", "headset" and "user"; older models do not tell theirs."""
PRUNING = "pruning"
"""Key of a report that says what was removed (psog.net.pruned); in model.json too, if there is any."""

_LARGEST_JSON_BYTES = 1 << 20
_LARGEST_WEIGHTS_BYTES = 1 << 24


@dataclass(frozen=True)
class Model:
    """A network and how it came about.

    Attributes:
        report: what training and evaluation said; "stage", "training" (with its seed), "data" and "parent"
            tell the origin.
        origin: what a model made from this one says of its parent: "name", "weights_sha256", "stage"; None
            for one that is not on a disk.
    """

    net: IntegerNet
    report: Mapping[str, Any]
    origin: Mapping[str, Any] | None = None


def save_model(folder: Path, net: IntegerNet, report: Mapping[str, Any], force: bool = False) -> None:
    """Write a model folder. It appears complete or not at all.

    Raises:
        ModelError: the folder exists (and `force` is false, or it is no model), or cannot be written.
    """
    FOLDER.check_free(folder, force=force)
    from safetensors.numpy import save

    description, tensors = pack(net)
    weights = save(tensors)
    content = {
        "format": FORMAT,
        "version": VERSION,
        **description,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        **{key: report.get(key) for key in ORIGIN},
        **{key: report[key] for key in (PRUNING,) if key in report},
    }
    rest = {key: value for key, value in report.items() if key not in (*ORIGIN, PRUNING)}
    texts = {MODEL: _json(content), REPORT: _json(rest)}
    with FOLDER.writing(folder, force=force) as partial:
        (partial / WEIGHTS).write_bytes(weights)
        for name, text in texts.items():
            (partial / name).write_text(text, "utf-8")


def load_model(folder: Path) -> Model:
    """Read a model folder; nothing in it is trusted before it is checked.

    Args:
        folder: or the name of a model that comes with psog (psog.net.shipped).
    Raises:
        ModelError: not a model, another version, damaged, or shapes and ranges that do not fit.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    folder = model_place(folder)
    content = _read_json(folder, MODEL)
    found = (content.get("format"), content.get("version"))
    if found != (FORMAT, VERSION):
        raise ModelError(
            f"{folder / MODEL}: format {found[0]!r} version {found[1]!r}, expected {FORMAT!r} "
            f"version {VERSION}; train again with this version of psog"
        )
    weights = _read_bytes(folder / WEIGHTS, _LARGEST_WEIGHTS_BYTES)
    if hashlib.sha256(weights).hexdigest() != content.get("weights_sha256"):
        raise ModelError(f"{folder / WEIGHTS} is damaged or not of this model; copy the folder again")
    try:
        tensors = load(weights)
    except SafetensorError as error:
        raise ModelError(f"cannot read {folder / WEIGHTS}: {error}; copy the folder again") from error
    try:
        net = unpack(content, tensors)
    except ModelError as error:
        raise ModelError(f"model {folder}: {error}") from error
    told = {key: content[key] for key in (PRUNING,) if key in content}
    report = {**{key: content.get(key) for key in ORIGIN}, **told, **_read_json(folder, REPORT)}
    origin = {"name": folder.resolve().name, **{key: content.get(key) for key in ("weights_sha256", "stage")}}
    return Model(net, report, origin)


def _json(content: Mapping[str, Any]) -> str:
    try:
        return json.dumps(content, indent=2, allow_nan=False) + "\n"
    except ValueError as error:
        raise ModelError(
            f"a report holds a value that is not a number: {error}; nothing was written"
        ) from error


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        content = json.loads(_read_bytes(path, _LARGEST_JSON_BYTES).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON: {error}; copy the model again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} is not a JSON object; copy the model again")
    return content


def _read_bytes(path: Path, largest: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > largest:
            raise ModelError(f"{path} has {size} bytes, at most {largest} expected; it is no psog model")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path.parent} is not a model: cannot read {path.name}: {error.strerror}; "
            "expected a folder that psog train wrote, or the name of a model that comes with psog"
        ) from error
