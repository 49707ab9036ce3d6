"""Exporting a model: every file for a device, in one new folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from psog.errors import ModelError
from psog.firmware_export.c_array import c_array
from psog.firmware_export.image_writer import write_image
from psog.firmware_export.keys import DEVELOPMENT_KEY, SigningKey
from psog.firmware_export.lean import HEADER as LEAN
from psog.firmware_export.lean import lean_for
from psog.firmware_export.packings import Packing
from psog.firmware_export.report import make_report
from psog.firmware_export.tflite import write_tflite
from psog.firmware_export.tflm_export import write_application
from psog.folders import FolderKind
from psog.headset import Headset
from psog.net.integer import IntegerNet

TFLITE, IMAGE, C_ARRAY, REPORT = "gaze.tflite", "gaze.psog", "gaze_tflite.h", "report.json"
FOLDER = FolderKind("export", IMAGE, ModelError)


def export_model(
    net: IntegerNet,
    headset: Headset,
    folder: Path,
    *,
    force: bool = False,
    packing: Packing = "plain",
    version: int = 0,
    key: SigningKey = DEVELOPMENT_KEY,
    boards: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write gaze.tflite, gaze.psog with psog_lean.h, gaze_tflite.h, the application tflm/ and report.json
    into a new folder.

    The folder appears complete or not at all.

    Args:
        packing: of gaze.psog. Whoever installs an image packs it as the core wants it, so any will do.
        version: version counter of gaze.psog.
        key: signs gaze.psog.
        boards: what the model costs on each board (psog.firmware_export.board_budgets), for the report.
    Returns:
        The report (psog.firmware_export.report).
    Raises:
        ModelError: the folder exists (and `force` is false, or it is no export), it cannot be written, or the
            model does not fit a device.
    """
    FOLDER.check_free(folder, force=force)
    tflite = write_tflite(net, headset)
    image = write_image(net, headset, packing, version=version, key=key)
    files = {
        TFLITE: tflite,
        IMAGE: image,
        LEAN: lean_for(image).header(f"a model of {net.headset} packed as {packing}").encode("ascii"),
        C_ARRAY: c_array(net, tflite).encode("ascii"),
    }
    application, tflm = write_application(net, headset, tflite)
    files.update(application)
    report = {**make_report(net, files), "tflm": tflm, "boards": boards or {}}
    report["image"] = {
        "version": version,
        "signed_by": key.public.hex(),
        "development": key == DEVELOPMENT_KEY,
    }
    files[REPORT] = (json.dumps(report, indent=2, allow_nan=False) + "\n").encode("ascii")
    with FOLDER.writing(folder, force=force) as partial:
        for name, content in files.items():
            (partial / name).parent.mkdir(exist_ok=True)
            (partial / name).write_bytes(content)
    return report
