"""An evaluation as one HTML page that needs nothing else: figures, and every number in tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from psog.cli.evaluation_figures import map_figure, shift_figure, users_figure
from psog.data_quality import CELL_DEG

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2b3a; background: #fff;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem; }
dt { color: #51606e; } dd { margin: 0; font-size: 1.5rem; }
figure { margin: 2rem 0; } figure svg { width: 100%; height: auto; max-width: 46rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1.5rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #dde2e7; text-align: right; }
th:first-child { text-align: left; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load: nothing."""
_NOT_KNOWN = "not known"

Rows = Sequence[Mapping[str, Any]]


def evaluation_page(document: Mapping[str, Any]) -> str:
    """The page of what `psog evaluate --json` prints."""
    overall = document["all"]
    title = f"Gaze error of {document['model']} on {document['headset']}"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>",
            f"<h1>{escape(title)}</h1>",
            f"<p>{escape(_what(document))}</p>",
            _key_numbers(overall),
            *_figures(overall),
            "<h2>All numbers</h2>",
            *_tables(document),
            "</main></body></html>\n",
        ]
    )


def _what(document: Mapping[str, Any]) -> str:
    names = ", ".join(document["files"])
    return (
        f"On {names}: {document['all']['samples']:,} samples of {len(document['all']['users'])} users, "
        f"{document['conditions']}. The network has {document['macs']:,} MACs and {document['parameters']:,} "
        "parameters and is computed in int8, as on the device, unless it says float. Errors are Euclidean "
        "distances in degrees."
    )


def _key_numbers(report: Mapping[str, Any]) -> str:
    precision = report["precision"] or {}
    numbers = {
        "mean error": _degrees(report["int8"]["mean_deg"]),
        "median": _degrees(report["int8"]["median_deg"]),
        "95th percentile": _degrees(report["int8"]["p95_deg"]),
        "precision, RMS-S2S": _degrees(precision.get("rms_s2s_deg"), 3),
        "precision, STD": _degrees(precision.get("std_deg"), 3),
        "BCEA 68 %": _number(precision.get("bcea_deg2"), 4, "°²"),
        "data loss": f"{_share(report['data_loss'])} %",
        "latency": _number(report["latency_ms"], 1, " ms"),
    }
    return "<dl>" + "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in numbers.items()) + "</dl>"


def _figures(report: Mapping[str, Any]) -> Iterable[str]:
    worst = max(report["map"], key=lambda cell: float(cell["mean_deg"]))
    yield _figure(
        map_figure(report["map"], CELL_DEG),
        "Mean error over gaze",
        f"largest, {worst['mean_deg']:.2f}°, around {_way(worst)}",
    )
    if report["shifts"]:
        first, last = report["shifts"][0], report["shifts"][-1]
        yield _figure(
            shift_figure(report["shifts"]),
            "Error over shift of the headset",
            f"mean {first['mean_deg']:.2f}° at {first['shift_mm']:g} mm, "
            f"{last['mean_deg']:.2f}° at {last['shift_mm']:g} mm",
        )
    else:
        yield "<p>No figure of error over shift: the recordings do not tell how the headset sat.</p>"
    means = sorted(float(user["mean_deg"]) for user in report["users"])
    yield _figure(
        users_figure(report["users"]),
        "Error over users",
        f"{len(means)} users, mean error from {means[0]:.2f}° to {means[-1]:.2f}°",
    )


def _figure(svg: str, caption: str, summary: str) -> str:
    label = escape(f"{caption}: {summary}. The numbers are in a table below.")
    drawing = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return f"<figure>{drawing}<figcaption>{escape(f'{caption}: {summary}.')}</figcaption></figure>"


def _tables(document: Mapping[str, Any]) -> Iterable[str]:
    reports = dict(document["files"])
    if len(reports) > 1:
        reports["all"] = document["all"]
    yield _table(
        "Accuracy, degrees",
        ("recording", *(f"{form} {what}" for form in ("float", "int8") for what in _STATISTICS), "samples"),
        [
            (name, *(_number(r[form][key], 3) for form in ("float", "int8") for key in _KEYS), r["samples"])
            for name, r in reports.items()
        ],
    )
    yield _table(
        "Precision, data loss and latency",
        ("recording", *_QUALITIES),
        [(name, *_quality_cells(report)) for name, report in reports.items()],
    )
    overall = document["all"]
    yield _errors_table("Error by distance from straight ahead", "gaze / °", overall["regions"], _ring)
    yield _errors_table(f"Error by gaze, cells of {CELL_DEG:g}°", "right, up / °", overall["map"], _place)
    yield _errors_table("Error by shift", "shift / mm", overall["shifts"], lambda row: f"{row['shift_mm']:g}")
    yield _errors_table("Error by user", "user", overall["users"], lambda row: str(row["user"]))


_STATISTICS = ("mean", "median", "95th percentile")
_KEYS = ("mean_deg", "median_deg", "p95_deg")
_QUALITIES = (
    "RMS-S2S / °",
    "STD / °",
    "BCEA 68 % / °²",
    "of the eye: RMS-S2S / °",
    "of the eye: STD / °",
    "offset / °",
    "windows",
    "data loss / %",
    "withheld / %",
    "latency / ms",
)


def _quality_cells(report: Mapping[str, Any]) -> list[str]:
    precision, eye = report["precision"] or {}, report["eye_precision"] or {}
    return [
        *(_number(precision.get(key), 4) for key in ("rms_s2s_deg", "std_deg", "bcea_deg2")),
        *(_number(eye.get(key), 4) for key in ("rms_s2s_deg", "std_deg")),
        _number(report["offset_deg"], 3),
        str(report["windows"]),
        _share(report["data_loss"]),
        _share(report["withheld"]),
        _number(report["latency_ms"], 2),
    ]


def _errors_table(caption: str, first: str, rows: Rows, name: Any) -> str:
    if not rows:
        return ""
    cells = [(name(row), *(_number(row[key], 3) for key in _KEYS), row["samples"]) for row in rows]
    return _table(f"{caption}, degrees", (first, *_STATISTICS, "samples"), cells)


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "\n".join(
        f'<tr><th scope="row">{escape(str(row[0]))}</th>'
        + "".join(f"<td>{escape(str(cell))}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )


def _ring(row: Mapping[str, Any]) -> str:
    return f"{row['from_deg']:g} to {row['to_deg']:g}"


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['h_deg']:g}, {row['v_deg']:g}"


def _share(value: float | None) -> str:
    return _number(None if value is None else 100 * value, 2)


def _way(cell: Mapping[str, Any]) -> str:
    """Where a cell is, in words."""
    across = "right" if cell["h_deg"] > 0 else "left"
    along = "up" if cell["v_deg"] > 0 else "down"
    return f"{abs(cell['h_deg']):g}° {across} and {abs(cell['v_deg']):g}° {along}"


def _degrees(value: float | None, digits: int = 2) -> str:
    return _number(value, digits, "°")


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return _NOT_KNOWN if value is None else f"{value:.{digits}f}{unit}"
