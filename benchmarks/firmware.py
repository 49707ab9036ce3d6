"""`psog bench firmware`: what the runtime costs on each microcontroller, measured in QEMU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psog.benchmarks.firmware_nets import NETS, NetName
from psog.firmware_export.boards import BoardName

if TYPE_CHECKING:
    from rich.console import Console

_DEFAULT: NetName = "conv16-conv16-dense10"


@dataclass(frozen=True)
class Command:
    """Instructions, flash, RAM and stack of an inference on each emulated board, and whether it is exact.

    A core that can run several packings of the weights has each measured; the fastest comes first.
    Instructions are counted exactly between two marks, by kind; cycles of a Cortex-M4 are estimated from them
    by the timings of its technical reference manual, in memory without wait states. Flash is what the linker
    placed for network, head and calibration, without link and storage; the stack is painted.
    """

    model: Path | None = None
    """A model folder or .psog image, instead of a random net."""
    net: NetName | None = None
    """A net with random weights whose cost under TFLite Micro is known; by default the first."""
    all_nets: bool = False
    """Every such net, on one board of each core."""
    update: Path | None = None
    """Measure every such net and write the figures that the tests hold the runtime to into this file."""
    board: BoardName | None = None
    """Measure on this board alone."""
    readings: int = 64
    """Random readings to run; the slowest counts."""
    seed: int = 0
    """Of the random nets and the readings."""
    json: bool = False
    """Print the result as JSON."""

    def run(self) -> None:
        import json

        from rich.console import Console

        from psog.benchmarks.firmware_budget import one_board_per_core
        from psog.benchmarks.firmware_text import print_boards, print_nets
        from psog.firmware_export.budget import measurable_boards

        self._check()
        progress = Console(stderr=True)
        if self.update is not None:
            _update(self.update, progress)
        elif self.all_nets:
            boards = [self.board] if self.board else one_board_per_core(measurable_boards())
            nets = {str(name): self._measure(name, boards, progress) for name in NETS}
            print(json.dumps({"nets": nets})) if self.json else print_nets(Console(), nets)
        else:
            name = None if self.model else self.net or _DEFAULT
            boards = [self.board] if self.board else measurable_boards()
            found = self._measure(name, boards, progress)
            print(json.dumps(found)) if self.json else print_boards(Console(), found)

    def _check(self) -> None:
        from psog.errors import PsogError

        if not 1 <= self.readings <= 4096:
            raise PsogError(f"--readings is {self.readings}; expected 1 to 4096")
        if not 0 <= self.seed < 1 << 63:
            raise PsogError(f"--seed is {self.seed}; expected 0 or more, below 2^63")
        choices = {
            "--model": self.model is not None,
            "--net": self.net is not None,
            "--all-nets": self.all_nets,
            "--update": self.update is not None,
        }
        given = [name for name, is_given in choices.items() if is_given]
        if self.update is not None and self.board is not None:
            raise PsogError("--update writes the figures of every core; leave --board out")
        if len(given) > 1:
            raise PsogError(f"{' and '.join(given)} are given; each says what to measure, expected one")

    def _measure(self, name: NetName | None, boards: list[str], progress: Console) -> dict[str, Any]:
        """A net, or the model where there is no name, on each board."""
        from psog.benchmarks.firmware_nets import make_image, peer_figures
        from psog.firmware_export.budget import measure_budget
        from psog.firmware_export.image_file import load_image
        from psog.firmware_export.installing import possible_packings
        from psog.firmware_export.toolchain import board_target

        if name is None:
            assert self.model is not None
            image = load_image(self.model)
        else:
            image = make_image(name, self.seed)
        found = {}
        for board in boards:
            with progress.status(f"measuring {name or self.model} on {board}"):
                packings = {}
                for packing in possible_packings(image, board_target(board).target.packings):
                    packings[packing] = measure_budget(
                        board, image, packing=packing, readings=self.readings, seed=self.seed
                    )
                    packings[packing] |= peer_figures(name, board, packings[packing]) if name else {}
            fastest, *others = packings
            found[board] = {
                **packings[fastest],
                "other_packings": {packing: packings[packing] for packing in others},
            }
        return {"net": name, "boards": found}


def _update(path: Path, progress: Console) -> None:
    from psog.benchmarks.firmware_budget import check_replaceable, measure_figures, write_figures

    check_replaceable(path)
    with progress.status("measuring every net on every board"):
        figures = measure_figures()
    write_figures(path, figures)
    told = f"{path}: {len(figures['boards'])} boards, {len(NETS)} nets, {figures['compiler']}"
    progress.print(told, highlight=False, soft_wrap=True)
