"""`psog bench firmware`: what the runtime costs on each microcontroller, measured in QEMU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from psog.net.integer import IntegerNet


@dataclass(frozen=True)
class Command:
    """Instructions, flash, RAM and stack of an inference on each emulated board, and whether it is exact.

    Instructions are counted exactly between two marks, by kind; cycles of a Cortex-M4 are estimated from them
    by the timings of its technical reference manual, in memory without wait states. Flash is what the linker
    placed for network, head and calibration, without link and storage; the stack is painted.
    """

    model: Path | None = None
    """A model folder or .psog image; by default a random net, conv16-conv16-dense10 on 3×5."""
    readings: int = 64
    """Random readings to run; the slowest counts."""
    seed: int = 0
    """Of the random net and the readings."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> None:
        import json

        from rich.console import Console

        from psog.errors import PsogError
        from psog.firmware_export.budget import measure_budget
        from psog.firmware_export.image import write_image
        from psog.firmware_export.image_file import load_image
        from psog.headset import load_headset

        if not 1 <= self.readings <= 4096:
            raise PsogError(f"--readings is {self.readings}; expected 1 to 4096")
        if not 0 <= self.seed < 1 << 63:
            raise PsogError(f"--seed is {self.seed}; expected 0 or more, below 2^63")
        if self.model is None:
            image = write_image(_random_net(self.seed), load_headset(_HEADSET))
        else:
            image = load_image(self.model)
        console = Console(stderr=True)
        boards = {}
        for board in _emulated_boards():
            with console.status(f"measuring on {board}"):
                boards[board] = measure_budget(board, image, readings=self.readings, seed=self.seed)
        if self.json:
            print(json.dumps({"boards": boards}))
        else:
            _print(Console(), boards)


_HEADSET = "grid15"


def _random_net(seed: int) -> IntegerNet:
    """The network whose cost under TFLite Micro is known, with random weights."""
    import numpy as np
    import torch

    from psog.headset import load_headset
    from psog.net.architecture import Architecture, Convolution
    from psog.net.convert import to_integer
    from psog.net.normalise import fit_normalisation, to_steps
    from psog.net.qat import build

    headset = load_headset(_HEADSET)
    wire = np.random.default_rng(seed).uniform(10_000, 50_000, (1000, headset.sensor_count))
    normalisation = fit_normalisation(wire)
    architecture = Architecture((Convolution(16, "same"), Convolution(16, "same")), (), features=10)
    net = build(architecture, headset, normalisation, seed)
    net.quantize()
    with torch.no_grad():
        net(torch.from_numpy(to_steps(normalisation, wire)))  # shows the layers their ranges
    return to_integer(net)


def _emulated_boards() -> list[str]:
    from psog.errors import ToolchainError
    from psog.firmware_export.boards import EMULATED
    from psog.firmware_export.toolchain import available_boards

    found = [name for name in available_boards() if name in EMULATED]
    if not found:
        raise ToolchainError(
            "no emulated board can be measured; install Debian's gcc-arm-none-eabi, libnewlib-arm-none-eabi "
            "and qemu-system-arm"
        )
    return found


def _print(console: Console, boards: dict[str, dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(title="network, head and calibration on each board (QEMU)")
    table.add_column("")
    for board in boards:
        table.add_column(board, justify="right")
    for key, first in next(iter(boards.values())).items():
        values = [found[key] for found in boards.values()]
        if isinstance(first, dict):
            for part in first:
                table.add_row(
                    f"  of these {part.replace('_', ' ')}", *(_shown(value[part]) for value in values)
                )
        else:
            table.add_row(key.replace("_", " "), *map(_shown, values))
    console.print(table)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
