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
_OTHERS = "other_packings"
_COLUMNS = {
    "packing": "packing",
    "instructions": "instructions",
    "tflm_instructions": "TFLM + CMSIS-NN",
    "times_fewer": "times fewer",
    "cycles_estimated": "est. cycles",
    "flash_model_bytes": "image",
    "ram_bytes": "RAM",
    "stack_bytes": "stack",
    "bit_exact": "exact",
}
_WIDTH = 136  # of the table of all nets, also where it is piped


def print_boards(console: Console, found: dict[str, Any]) -> None:
    """One net: every figure, a column for each board and packing."""
    from rich.table import Table

    console.width = max(console.width, _WIDTH)
    measured = _measured(found["boards"])
    table = Table(title="network, head and calibration on each board (QEMU)")
    table.add_column(found["net"] or "", no_wrap=True)
    for board, _ in measured:
        table.add_column(board, justify="right")
    for key, first in measured[-1][1].items():
        values = [figures[key] for _, figures in measured]
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
        for title in _COLUMNS.values():
            table.add_column(title, justify="right")
        for name, found in nets.items():
            for _, figures in _measured({board: found["boards"][board]}):
                table.add_row(name, *(shown(figures[key]) for key in _COLUMNS))
        console.print(table)
    _print_notes(console, with_peer=True)


def _measured(boards: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Board and figures, packing by packing."""
    return [
        (board, figures)
        for board, fastest in boards.items()
        for figures in (
            {key: value for key, value in fastest.items() if key != _OTHERS},
            *fastest[_OTHERS].values(),
        )
    ]


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
