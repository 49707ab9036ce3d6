"""Exporting a model: every file for a device, in one new folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from psog.errors import ModelError
from psog.firmware_export.c_array import c_array
from psog.firmware_export.image_writer import write_image
from psog.firmware_export.report import make_report
from psog.firmware_export.tflite import write_tflite
from psog.headset import Headset
from psog.net.integer import IntegerNet

TFLITE, IMAGE, C_ARRAY, REPORT = "gaze.tflite", "gaze.psog", "gaze_tflite.h", "report.json"


def export_model(net: IntegerNet, headset: Headset, folder: Path, *, force: bool = False) -> dict[str, Any]:
    """Write gaze.tflite, gaze.psog, gaze_tflite.h and report.json into a new folder.

    The folder appears complete or not at all: written beside and renamed.

    Returns:
        The report (psog.firmware_export.report).
    Raises:
        ModelError: the folder exists (and `force` is false, or it is no export), it cannot be written, or the
            model does not fit a device.
    """
    check_free(folder, force=force)
    tflite = write_tflite(net, headset)
    files = {
        TFLITE: tflite,
        IMAGE: write_image(net, headset),
        C_ARRAY: c_array(net, tflite).encode("ascii"),
    }
    report = make_report(net, files)
    files[REPORT] = (json.dumps(report, indent=2, allow_nan=False) + "\n").encode("ascii")
    try:
        _write(folder, files)
    except OSError as error:
        raise ModelError(f"cannot write export {folder}: {error}; choose another folder") from error
    return report


def check_free(folder: Path, *, force: bool) -> None:
    """Raise ModelError when an export may not be written to `folder`.

    `force` replaces an export, never anything else.
    """
    if not folder.exists():
        return
    if not force:
        raise ModelError(f"{folder} already exists; choose another folder or pass --force")
    is_export = (folder / IMAGE).is_file() and (folder / REPORT).is_file()
    if not is_export and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder} exists and is not an export; --force replaces exports only")


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder = folder.resolve()
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        for name, content in files.items():
            (partial / name).write_bytes(content)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)  # after the rename there is nothing there
