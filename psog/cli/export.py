"""`psog export`: what a device needs, from a model folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Command:
    """Write gaze.tflite, its C array gaze_tflite.h, gaze.psog, tflm/ and report.json from a model.

    Both formats hold the same integers: TFLite Micro and psog's own runtime give the same features.
    The folder tflm/ is a ready application for TFLite Micro (docs/tflm.md).
    """

    model: Positional[Path]
    """Model folder, as psog train writes it."""
    out: Path
    """Folder for the export."""
    headset: str | None = None
    """Built-in headset or TOML file; by default the built-in one the model names."""
    force: bool = False
    """Replace an export that is already in the folder."""
    json: bool = False
    """Print the report as JSON."""

    def run(self) -> None:
        from rich.console import Console

        from psog.firmware_export.export import FOLDER, export_model
        from psog.firmware_export.tflm_export import APPLICATION, describe_application
        from psog.headset import load_headset
        from psog.net.store import load_model

        FOLDER.check_free(self.out, force=self.force)
        net = load_model(self.model).net
        report = export_model(net, load_headset(self.headset or net.headset), self.out, force=self.force)
        if self.json:
            print(json.dumps(report))
            return
        console = Console()
        console.print(_layers(report))
        console.print(
            f"{report['macs']:,} MACs, {report['parameters']:,} parameters, "
            f"{report['activation_bytes']:,} bytes of activations",
            highlight=False,
        )
        for name, size in report["sizes"].items():
            if "/" not in name:
                console.print(f"{self.out / name}: {size:,} bytes", highlight=False, soft_wrap=True)
        told = describe_application(report["tflm"])
        console.print(f"{self.out / APPLICATION}: {told}", highlight=False, soft_wrap=True, markup=False)


def _layers(report: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("layer", "input", "output", title=f"{report['headset']}, {report['sensors']} sensors")
    for column in ("MACs", "parameters"):
        table.add_column(column, justify="right")
    for layer in report["layers"]:
        table.add_row(
            f"{layer['kind']} {layer['padding']}" if layer["kind"] == "conv" else layer["kind"],
            "×".join(map(str, layer["input"])),
            "×".join(map(str, layer["output"])),
            f"{layer['macs']:,}",
            f"{layer['parameters']:,}",
        )
    return table
