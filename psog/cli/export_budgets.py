"""What `psog export` prints of each board's budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_FIGURES = {
    "weights packed as": "packing",
    "instructions": "instructions",
    "cycles, estimated": "cycles_estimated",
    "flash, runtime": "flash_runtime_bytes",
    "flash, lean runtime": "flash_lean_bytes",
    "flash, calibration": "flash_calibration_bytes",
    "flash, model": "flash_model_bytes",
    "RAM": "ram_bytes",
    "RAM, calibration": "tune_ram_bytes",
    "stack": "stack_bytes",
    "stack, calibration": "tune_stack_bytes",
}
_WIDTH = 100  # of the table, also where it is piped


def print_budgets(console: Console, boards: dict[str, dict[str, Any]]) -> None:
    """A table with a column for each board, then what does not fit and what the estimates rest on."""
    from rich.table import Table

    measured = {board: budget for board, budget in boards.items() if "refused" not in budget}
    if measured:
        console.width = max(console.width, _WIDTH)
        table = Table("measured in QEMU", *[_right(board) for board in measured])
        for title, key in _FIGURES.items():
            table.add_row(title, *(_shown(budget[key]) for budget in measured.values()))
        for title, row in _estimates(measured).items():
            table.add_row(title, *row)
        console.print(table)
        for line in _notes(measured):
            console.print(line, highlight=False, soft_wrap=True)
    for budget in boards.values():
        if "refused" in budget:
            console.print(budget["refused"], highlight=False, soft_wrap=True)


def _right(title: str) -> Any:
    from rich.table import Column

    return Column(title, justify="right")


def _estimates(measured: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {"time, estimated": [], "share of a period": [], "energy, estimated": []}
    for budget in measured.values():
        found = budget["estimate"]
        if found is None:
            cells = ["–"] * len(rows)
        else:
            reach = "" if found["reachable"] else ": not reachable"
            energy = found["energy_uj"]
            cells = [
                f"{found['time_us']:,.0f} µs",
                f"{found['share_of_period']:.1%} at {found['rate_hz']:g} Hz{reach}",
                "–" if energy is None else f"{energy:.1f} µJ",
            ]
        for row, cell in zip(rows.values(), cells, strict=True):
            row.append(cell)
    return rows


def _notes(measured: dict[str, dict[str, Any]]) -> list[str]:
    """What else a board could run, and which part time and energy are estimated for."""
    lines = []
    for board, budget in measured.items():
        for packing, other in budget["other_packings"].items():
            lines.append(
                f"{board} with weights as {packing}: {other['instructions']:,} instructions, "
                f"{other['flash_model_bytes']:,} bytes of model"
            )
        found = budget["estimate"]
        if found is not None:
            lines.append(
                f"{board} stands for {found['part']} ({found['core']}): {found['clock_mhz']:g} MHz, "
                f"{found['time_from']}; {found['energy_source'] or 'no energy without a published current'}"
            )
    return lines


def _shown(value: object) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
