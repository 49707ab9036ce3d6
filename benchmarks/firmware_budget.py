"""The figures that the runtime is held to: measured, written into a file, and compared with it.

Everything here is exact, so a difference is a change of the code, the compiler or the image, never noise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psog.benchmarks.firmware_nets import NETS, NetName, make_image
from psog.errors import PsogError
from psog.firmware_export.budget import measurable_boards, measure_budget
from psog.firmware_export.packings import INT4, Packing
from psog.firmware_export.toolchain import board_target, compiler_version

FIGURES = (
    "instructions",
    "cycles_estimated",
    "flash_runtime_bytes",
    "flash_lean_bytes",
    "flash_calibration_bytes",
    "flash_model_bytes",
    "ram_bytes",
    "tune_ram_bytes",
    "stack_bytes",
    "tune_stack_bytes",
    "start_instructions",
)
_FIRST = next(iter(NETS))
_INT4: NetName = "dense64-dense64-int4"
READINGS = 4
SEED = 0
TOLERANCE = 0.02
"""Share by which a figure may differ from the file's."""


def measure_board(board: str) -> dict[str, dict[str, int | None]]:
    """The figures of every net on a board in its core's fastest packing, of the first in each other of eight
    bits or more, and of that with weights of four bits in the one for these."""
    fastest, *others = board_target(board).target.packings
    measured: dict[str, tuple[NetName, Packing]] = {name: (name, fastest) for name in NETS if name != _INT4}
    for packing in others:
        name: NetName = _INT4 if packing in INT4 else _FIRST
        measured[f"{name} as {packing}"] = (name, packing)
    found: dict[str, dict[str, int | None]] = {}
    for title, (name, packing) in measured.items():
        image = make_image(name, SEED)
        figures = measure_budget(board, image, packing=packing, readings=READINGS, seed=SEED)
        found[title] = {key: figures[key] for key in FIGURES}
    return found


def one_board_per_core(boards: Sequence[str]) -> list[str]:
    """The first board of each core: more would give the same figures."""
    cores = {board_target(board).target: board for board in reversed(boards)}
    return [board for board in boards if board in cores.values()]


def measure_figures() -> dict[str, Any]:
    """The content of the file: every net on a board of every core that can be measured here, by one compiler.

    Raises:
        ToolchainError: compiler or QEMU missing.
    """
    boards = one_board_per_core(measurable_boards())
    return {
        "compiler": compiler_version(board_target(boards[0]).target),
        "boards": {board: measure_board(board) for board in boards},
    }


def check_replaceable(path: Path) -> None:
    """Refuse to write figures over something else, or where there is no folder.

    Raises:
        PsogError: the path holds another file, or its folder does not exist.
    """
    if not path.parent.is_dir():
        raise PsogError(f"cannot write {path}: {path.parent} is no folder; make it first")
    if path.exists():
        read_figures(path)


def write_figures(path: Path, figures: dict[str, Any]) -> None:
    """Write the file."""
    path.write_text(json.dumps(figures, indent=2) + "\n", "ascii")


def read_figures(path: Path) -> dict[str, Any]:
    """The file's content.

    Raises:
        PsogError: it is not such a file.
    """
    try:
        figures = json.loads(path.read_text("ascii"))
        if figures.keys() == {"compiler", "boards"}:
            return dict(figures)
    except (OSError, ValueError, AttributeError):
        pass
    raise PsogError(
        f"{path} holds no figures of the firmware; name the file that psog bench firmware --update wrote, "
        "or one that does not exist"
    )


def differences(
    stored: dict[str, dict[str, int | None]], found: dict[str, dict[str, int | None]], board: str
) -> list[str]:
    """One line for each figure that is not within TOLERANCE of the file's, or is not in it."""
    return [
        f"{board}, {net}: {key} {_change(old.get(key), figures[key])}"
        for net, figures in found.items()
        for old in [stored.get(net, {})]
        for key in FIGURES
        if not _is_near(old.get(key), figures[key])
    ]


def _is_near(old: int | None, new: int | None) -> bool:
    if old is None or new is None:
        return old is new
    return abs(new - old) <= TOLERANCE * old


def _change(old: int | None, new: int | None) -> str:
    if old is None or new is None:
        return f"{old} in the file, now {new}"
    return f"{'grew' if new > old else 'fell'} from {old:,} to {new:,} ({(new - old) / old:+.1%})"
