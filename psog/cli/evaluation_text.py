"""What `psog evaluate` prints: accuracy, precision, data loss and latency in tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_STATISTICS = ("mean_deg", "median_deg", "p95_deg")


def print_quality(console: Console, document: Mapping[str, Any]) -> None:
    """Tables of what --json prints: a line for each recording, then over gaze and shift."""
    reports = dict(document["files"])
    if len(reports) > 1:
        reports["all"] = document["all"]
    cost = f"{document['macs']:,} MACs, {document['parameters']:,} parameters"
    _print(
        console,
        f"gaze error, degrees ({cost}); {document['conditions']}",
        ("", "float: mean", "95 %", "int8: mean", "median", "95 %"),
        [
            (name, *_numbers(r["float"], "mean_deg", "p95_deg"), *_numbers(r["int8"], *_STATISTICS))
            for name, r in reports.items()
        ],
    )
    _print(
        console,
        "quality of the gaze, int8",
        ("", "offset °", "RMS-S2S °", "STD °", "BCEA °²", "lost", "withheld", "latency"),
        [(name, *_quality(report)) for name, report in reports.items()],
    )
    overall = document["all"]
    for title, rows, name in (
        ("distance from straight ahead", overall["regions"], _ring),
        ("shift of the headset", overall["shifts"], _shift),
    ):
        if rows:
            cells = [(name(row), *_numbers(row, *_STATISTICS)) for row in rows]
            _print(console, f"error by {title}, degrees", ("", "mean", "median", "95 %"), cells)


def _quality(report: Mapping[str, Any]) -> list[str]:
    precision = report["precision"] or {}
    latency_ms = report["latency_ms"]
    return [
        *_numbers(report, "offset_deg"),
        *_numbers(precision, "rms_s2s_deg", "std_deg", "bcea_deg2", digits=4),
        _share(report["data_loss"]),
        _share(report["withheld"]),
        "–" if latency_ms is None else f"{latency_ms:.1f} ms",
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def _ring(row: Mapping[str, Any]) -> str:
    return f"{row['from_deg']:g}° to {row['to_deg']:g}°"


def _shift(row: Mapping[str, Any]) -> str:
    return f"{row['shift_mm']:g} mm"


def _numbers(row: Mapping[str, Any], *keys: str, digits: int = 3) -> list[str]:
    values = [row.get(key) for key in keys]
    return ["–" if value is None else f"{value:.{digits}f}" for value in values]


def _print(console: Console, title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.table import Table

    table = Table(title=title)
    for head in heads:
        table.add_column(head, justify="right" if head else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
