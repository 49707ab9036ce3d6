"""A ready TensorFlow Lite Micro application around an exported model (docs/tflm.md)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from psog.firmware_export.tflm_arena import Arena, find_arena
from psog.firmware_export.tflm_operators import resolver_calls
from psog.firmware_export.tflm_values import config_header, operators_header, values_source
from psog.headset import Headset
from psog.net.integer import IntegerNet

APPLICATION = "tflm"
_SOURCES = Path(__file__).resolve().parent / "tflm"


def write_application(
    net: IntegerNet, headset: Headset, tflite: bytes
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The application's files by name (tflm/…), and what report.json says of it.

    Args:
        tflite: the file written from `net`, whose C array lies beside the folder.
    Raises:
        ModelError: the file uses operators that the application does not know.
    """
    calls = resolver_calls(tflite)
    arena = find_arena(net, tflite)
    files = {path.name: path.read_bytes() for path in sorted(_SOURCES.iterdir())}
    files["gaze_config.h"] = config_header(net, headset, arena).encode("ascii")
    files["gaze_values.c"] = values_source(net).encode("ascii")
    files["gaze_operators.h"] = operators_header(calls).encode("ascii")
    return {f"{APPLICATION}/{name}": content for name, content in files.items()}, _report(calls, arena)


def describe_application(report: dict[str, Any]) -> str:
    """One line for people, of what `write_application` reported."""
    arena = report["arena"]
    how = (
        "measured"
        if arena["measured"]
        else "an upper estimate; pip install 'psog[tflm]' and export again to measure it"
    )
    return (
        f"application for TFLite Micro, arena {arena['reserved_bytes']:,} bytes "
        f"({arena['kernel_bytes']:,} for CMSIS-NN's kernels and {arena['interpreter_bytes']:,}, {how})"
    )


def _report(calls: list[str], arena: Arena) -> dict[str, Any]:
    return {"resolver": calls, "arena": {**asdict(arena), "reserved_bytes": arena.reserved_bytes}}
