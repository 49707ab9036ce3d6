"""Headset files: a headset back as the TOML that describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from psog.errors import PartError
from psog.headset import Headset
from psog.parts import Emitter, Photodiode, load_part


def headset_toml(headset: Headset) -> str:
    """The text of a file that `psog.headset.load_headset` reads as the same headset.

    What has its default value is left out. Parts that come with psog are named, others written out.
    """
    content = headset.model_dump(by_alias=True, exclude_defaults=True)
    if headset.parts is not None:
        detector, emitter = headset.parts.detector, headset.parts.emitter
        content["parts"] = {"detector": _named(detector), "emitter": _named(emitter)}
    return "\n".join(_table(content, "")) + "\n"


def _named(part: Photodiode | Emitter) -> str | dict[str, Any]:
    """A built-in part's name; any other's numbers."""
    try:
        if load_part(part.name) == part:
            return part.name
    except PartError:
        pass
    return part.model_dump(exclude_none=True)


def _table(content: Mapping[str, Any], name: str) -> list[str]:
    """Lines of a table: its own values first, then the tables in it."""
    lines, tables = [], []
    for key, value in content.items():
        path = f"{name}.{key}" if name else key
        if value is None:
            continue
        if isinstance(value, Mapping):
            tables += ["", f"[{path}]", *_table(value, path)]
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            for item in value:
                tables += ["", f"[[{path}]]", *_table(item, path)]
        else:
            lines.append(f"{key} = {_value(value)}")
    return lines + tables


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], list | tuple):
            rows = "".join(f"    {_value(row)},\n" for row in value)
            return f"[\n{rows}]"
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
