"""`psog export`: what a device needs, from a model folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tyro.conf import Positional

from psog.firmware_export.boards import BoardName

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from psog.firmware_export.packings import Packing
    from psog.headset import Headset


@dataclass(frozen=True)
class Command:
    """Write gaze.tflite, its C array gaze_tflite.h, gaze.psog, psog_lean.h, tflm/ and report.json.

    What it costs on each board is measured in QEMU where compiler and emulator are installed, printed and
    stored in the report; time and energy are estimates for a real part with the board's core.

    Both formats hold the same integers: TFLite Micro and psog's own runtime give the same features.
    The folder tflm/ is a ready application for TFLite Micro (docs/tflm.md); with psog_lean.h psog's runtime
    is built with no more than this gaze.psog needs (docs/budgets.md).
    """

    model: Positional[Path]
    """Model folder, as psog train writes it."""
    out: Path
    """Folder for the export."""
    headset: str | None = None
    """Built-in headset or TOML file; by default the built-in one the model names."""
    board: BoardName | None = None
    """The board it is for: a model that does not fit is refused, and gaze.psog is packed for its core."""
    weights: Literal["int8", "int4"] = "int8"
    """int4: the largest layers' weights in four bits, for less flash at some error and more instructions
    (docs/precision.md). They are rounded with readings of simulated users, unless they were trained so."""
    key: Path | None = None
    """Key file that signs gaze.psog (psog keys new); by default the development key, which everybody has."""
    version: int = 0
    """Version counter of gaze.psog: a headset takes no older one than it has confirmed."""
    no_measure: bool = False
    """Do not measure what the model costs on emulated boards."""
    force: bool = False
    """Replace an export that is already in the folder."""
    json: bool = False
    """Print the report as JSON."""

    def run(self) -> None:
        from rich.console import Console

        from psog.cli.export_budgets import print_budgets
        from psog.cli.export_weights import of_four_bits
        from psog.cli.signing import announce_signer, named_key
        from psog.firmware_export.board_budgets import fitting_packing
        from psog.firmware_export.export import FOLDER, IMAGE, export_model
        from psog.firmware_export.image import write_image
        from psog.firmware_export.keys import DEVELOPMENT_KEY
        from psog.firmware_export.tflm_export import APPLICATION, describe_application
        from psog.headset import load_headset
        from psog.net.store import load_model

        FOLDER.check_free(self.out, force=self.force)
        key = named_key(self.key) or DEVELOPMENT_KEY
        net = load_model(self.model).net
        headset = load_headset(self.headset or net.headset)
        packing: Packing = "plain"
        if self.weights == "int4":
            net, packing = of_four_bits(net, headset), "plain4"
        image = write_image(net, headset, packing, version=self.version)
        packing = fitting_packing(image, self.board) if self.board else packing
        boards = self._measure(image, headset, Console(stderr=True))
        report = export_model(
            net,
            headset,
            self.out,
            force=self.force,
            packing=packing,
            version=self.version,
            key=key,
            boards=boards,
        )
        announce_signer((self.out / IMAGE).read_bytes())
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
        print_budgets(console, boards)
        for name, size in report["sizes"].items():
            if "/" not in name:
                console.print(f"{self.out / name}: {size:,} bytes", highlight=False, soft_wrap=True)
        told = describe_application(report["tflm"])
        console.print(f"{self.out / APPLICATION}: {told}", highlight=False, soft_wrap=True, markup=False)

    def _measure(self, image: bytes, headset: Headset, progress: Console) -> dict[str, dict[str, Any]]:
        """The budget on the board it is for, or on every one that can be measured; none where that cannot be.

        Raises:
            ModelError: it does not fit the board it is for.
        """
        from psog.errors import ModelError, ToolchainError
        from psog.firmware_export.board_budgets import measure_boards
        from psog.firmware_export.budget import measurable_boards

        if self.no_measure:
            return {}
        try:
            boards = [self.board] if self.board else measurable_boards()
            with progress.status("measuring") as status:
                found = measure_boards(
                    image, headset.rate_hz, boards, lambda board: status.update(f"measuring on {board}")
                )
        except ToolchainError as error:
            told = f"instructions, flash, RAM, stack, time and energy were not measured: {error}"
            progress.print(told, highlight=False, soft_wrap=True)
            return {}
        if self.board and "refused" in found[self.board]:
            raise ModelError(found[self.board]["refused"])
        return found


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
