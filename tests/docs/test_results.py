"""The tables of the results page are what the kept results of benchmarks say."""

import subprocess
import sys
from pathlib import Path

import pytest

from psog.benchmarks.tables import Table

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "results.md"


def test_the_page_has_the_tables_of_what_is_kept():
    before = PAGE.read_text("utf-8")
    run = subprocess.run([sys.executable, "scripts/results"], cwd=ROOT, capture_output=True, text=True)
    after = PAGE.read_text("utf-8")
    if after != before:
        PAGE.write_text(before, "utf-8")
    assert run.returncode == 0, run.stderr
    assert after == before


def test_a_benchmark_that_does_not_exist_is_named():
    run = subprocess.run(
        [sys.executable, "scripts/results", "nothing"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert "psog bench has no 'nothing'" in run.stderr


def test_a_table_as_markdown():
    table = Table("errors, degrees", ("way", "0 mm"), [("a|b", "1.20")], note="Two seeds.")
    assert table.markdown() == (
        "errors, degrees:\n\n| way | 0 mm |\n| --- | ---: |\n| a\\|b | 1.20 |\n\nTwo seeds.\n"
    )


def test_a_table_in_a_terminal_shows_brackets_as_they_are():
    from rich.console import Console

    console = Console(width=60)
    with console.capture() as shown:
        console.print(Table("of two", ("a way [b]x[/b]",), [("[red]",)]).rich())
    text = shown.get()
    assert "a way [b]x[/b]" in text and "[red]" in text


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="a row of 1 cells under 2 headings"):
        Table("", ("a", "b"), [("1",)])
