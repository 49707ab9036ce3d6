"""A table of a benchmark, for the terminal and for the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table as RichTable


@dataclass(frozen=True)
class Table:
    """Rows of text under headings.

    Attributes:
        title: what the figures are, with their unit.
        columns: headings; the first column is set left, the others right.
        rows: each as long as `columns`; plain text without markup.
        note: a sentence below it, or nothing.

    Raises:
        ValueError: a row of another length.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells under {len(self.columns)} headings: {row}")

    def rich(self) -> RichTable:
        """For a terminal."""
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(title=Text(self.title), caption=Text(self.note) if self.note else None)
        for number, heading in enumerate(self.columns):
            table.add_column(Text(heading), justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def markdown(self) -> str:
        """For a page of the documentation, with a line's end after each line."""
        lines = [self.columns, ["---", *["---:"] * (len(self.columns) - 1)], *self.rows]
        cells = [[cell.replace("|", r"\|") for cell in line] for line in lines]
        table = "".join(f"| {' | '.join(line)} |\n" for line in cells)
        return f"{self.title}:\n\n{table}" + (f"\n{self.note}\n" if self.note else "")
