"""The tables of `psog bench firmware`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psog.benchmarks.firmware_nets import PEER_NOTE

if TYPE_CHECKING:
    from rich.console import Console

_CYCLES_NOTE = (
    "Cycles are an estimate from the executed instructions and the timings in Arm's Cortex-M4 Technical "
    "Reference Manual (100166), memory without wait states."
)
_COLUMNS = (
    *("instructions", "tflm_instructions", "times_fewer", "cycles_estimated"),
    *("flash_model_bytes", "ram_bytes", "stack_bytes", "bit_exact"),
)
_WIDTH = 144  # of the table of all nets, also where it is piped


def print_boards(console: Console, found: dict[str, Any]) -> None:
    """One net: every figure, a column for each board."""
    from rich.table import Table

    boards = found["boards"]
    table = Table(title="network, head and calibration on each board (QEMU)")
    table.add_column(found["net"] or "")
    for board in boards:
        table.add_column(board, justify="right")
    for key, first in next(iter(boards.values())).items():
        values = [figures[key] for figures in boards.values()]
        if isinstance(first, dict):
            for part in first:
                table.add_row(f"  {_words(part)}", *(shown(value[part]) for value in values))
        else:
            table.add_row(_words(key), *map(shown, values))
    console.print(table)
    _print_notes(console, with_peer=found["net"] is not None)


def print_nets(console: Console, nets: dict[str, Any]) -> None:
    """Every net on every board, the main figures."""
    from rich.table import Table

    console.width = max(console.width, _WIDTH)
    for board in next(iter(nets.values()))["boards"]:
        table = Table(title=f"{board} (QEMU)")
        table.add_column("net", no_wrap=True)
        for key in _COLUMNS:
            table.add_column(_words(key), justify="right")
        for name, found in nets.items():
            figures = found["boards"][board]
            table.add_row(name, *(shown(figures[key]) for key in _COLUMNS))
        console.print(table)
    _print_notes(console, with_peer=True)


def shown(value: object) -> str:
    """A figure as the tables write it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _words(key: str) -> str:
    return key.replace("_", " ").replace("tflm", "TFLM + CMSIS-NN")


def _print_notes(console: Console, *, with_peer: bool) -> None:
    console.print(_CYCLES_NOTE, highlight=False)
    if with_peer:
        console.print(PEER_NOTE, highlight=False)
