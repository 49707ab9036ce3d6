"""Architectures as one word: what `psog search` prints and `psog train --network` takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from psog.errors import ModelError
from psog.headset import Headset
from psog.net.architecture import Architecture, Convolution, Network, named

_PART = re.compile(r"(?P<kind>conv|dense|features|planes)(?P<count>[1-9]\d{0,3})(?P<same>same)?")
_ORDER = ("conv", "dense", "features", "planes")


def written(architecture: Architecture) -> str:
    """Layer by layer, without the user embedding: "conv16-conv8same-dense96-features32-planes2"."""
    convolutions = [
        f"conv{c.channels}{'same' if c.padding == 'same' else ''}" for c in architecture.convolutions
    ]
    dense = [f"dense{width}" for width in architecture.dense]
    return "-".join(
        [*convolutions, *dense, f"features{architecture.features}", f"planes{architecture.planes}"]
    )


def read_architecture(text: str, names: Iterable[str] = get_args(Network)) -> Architecture:
    """The architecture that `written` gives such a text for; without features or planes it has 32 and 2.

    Args:
        names: what could have been written instead, for the error's text.
    Raises:
        ModelError: the text is no architecture, or of one that cannot be.
    """
    parts = [_PART.fullmatch(part) for part in text.split("-")]
    kinds = [part["kind"] if part else "" for part in parts]
    in_order = kinds == sorted(kinds, key=lambda kind: _ORDER.index(kind) if kind in _ORDER else -1)
    once = kinds.count("features") <= 1 and kinds.count("planes") <= 1
    found = [part for part in parts if part is not None]
    same_fits = all(part["kind"] == "conv" for part in found if part["same"])
    if len(found) < len(parts) or not (in_order and once and same_fits):
        raise ModelError(
            f"no network {text!r}; expected {', '.join(names)}, or its layers from the first on, "
            "such as conv16-conv16same-dense96-features32-planes2 (convN has valid padding)"
        )

    def counts(kind: str) -> list[int]:
        return [int(part["count"]) for part in found if part["kind"] == kind]

    return Architecture(
        tuple(Convolution(int(p["count"]), _padding(p["same"])) for p in found if p["kind"] == "conv"),
        tuple(counts("dense")),
        features=(counts("features") or [Architecture.features])[0],
        planes=(counts("planes") or [2])[0],
    )


def network_for(text: str, headset: Headset, more: Mapping[str, str] | None = None) -> Architecture:
    """The network of a name (psog.net.architecture.named), or of a text, for a headset.

    Args:
        more: further names, and the texts that they stand for.
    Raises:
        ModelError: there is no such network, or the headset's grid is too small for it.
    """
    for name in get_args(Network):
        if text == name:
            return named(name, headset)
    more = more or {}
    architecture = read_architecture(more.get(text, text), (*get_args(Network), *more))
    architecture.map_shape((headset.grid.shape[0], headset.grid.shape[1]))
    return architecture


def _padding(same: str | None) -> Literal["same", "valid"]:
    return "same" if same else "valid"
