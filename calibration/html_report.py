"""A calibration's report as one HTML file: nothing is loaded, and no script runs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from psog.calibration.drawing import drawing, svg
from psog.calibration.report import CalibrationReport, write_whole

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
svg { width: 100% } table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #8886 }
caption { text-align: left; font-weight: 600 } th:first-child, td:first-child { text-align: left }
.field, .target { fill: none; stroke: #888 } .target { stroke: #1a7f4b; stroke-width: 2.5 }
.centre { fill: #1a7f4b } .gaze { fill: #1779c4 } .off { stroke: currentColor; stroke-width: 2 }
.was { fill: none; stroke: #888; stroke-dasharray: 4 3 } text { fill: currentColor; font-size: 17px }
text.worst { font-weight: 700 }
"""
_COLUMNS = {
    "before": "before_mean_deg",
    "mean": "mean_deg",
    "max": "max_deg",
    "SD": "sd_deg",
    "RMS-S2S": "precision_rms_s2s_deg",
    "STD": "precision_std_deg",
    "BCEA (deg²)": "bcea_deg2",
}


def html_report(report: CalibrationReport) -> str:
    """The whole file."""
    found = report.to_json()
    field_deg = report.plan.field_deg
    title = (
        f"{str(found['grade']).capitalize()} — {found['accuracy_deg']:.2f}° (was {found['before_deg']:.2f}°)"
    )
    picture = svg(
        drawing(report.before, report.after, field_deg),
        field_deg,
        "targets as rings, where the eye landed as dots; dashed: where it landed before",
    )
    parts = [
        f"<h1>{title}</h1>",
        f"<p>{escape(_decision(report))}</p>",
        picture,
        "<p>Rings: targets. Dots: where the eye landed with this calibration. Dashed: before, by "
        f"{escape(found['before'])}. ± {field_deg[0]:g}° × ± {field_deg[1]:g}°.</p>",
        _table("Validation targets", ["target", *_COLUMNS, "left out"], _validation(found)),
        _table("Calibration targets", _TAKEN, _calibration(found)),
        _table("Session", ["", ""], _session(found)),
    ]
    head = f'<meta charset="utf-8"><title>psog calibration</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def write_html_report(report: CalibrationReport, path: Path) -> None:
    """Write the file; it appears complete or not at all.

    Raises:
        CalibrationError: it cannot be written.
    """
    write_whole(html_report(report), path, "--html")


_TAKEN = ["target", "readings", "eye closed", "too much light", "moving", "RMS-S2S", "STD"]


def _decision(report: CalibrationReport) -> str:
    if report.accepted:
        return "Kept: stored in the headset."
    return f"Not kept: {report.refusal or 'the headset goes on with what it had'}."


def _validation(found: dict[str, Any]) -> list[list[str]]:
    return [
        [_place(target), *(_number(target[key]) for key in _COLUMNS.values()), f"{target['data_loss']:.0%}"]
        for target in found["validation_targets"]
    ]


def _calibration(found: dict[str, Any]) -> list[list[str]]:
    return [
        [
            _place(target),
            *(str(target[key]) for key in ("used", "rejected", "saturated", "moving")),
            *(_number(target[key]) for key in ("precision_rms_s2s_deg", "precision_std_deg")),
        ]
        for target in found["calibration_targets"]
    ]


def _session(found: dict[str, Any]) -> list[list[str]]:
    rows = {
        "headset": f"{found['headset']} on {found['board']}, model {found['model_crc32']}",
        "accuracy": f"{found['accuracy_deg']:.2f}°, worst target {found['accuracy_worst_deg']:.2f}°",
        "precision": f"{found['precision_rms_s2s_deg']:.2f}° RMS-S2S, {found['precision_std_deg']:.2f}° STD, "
        f"BCEA {_number(found['bcea_deg2'])} deg²",
        "targets": f"{found['points']} and {len(found['validation_targets'])} to validate, "
        f"{found['retaken']} done again, order drawn from seed {found['seed']}",
        "each target by the others": f"{found['fit']['left_out_rms_deg']:.2f}° rms, "
        f"worst {found['fit']['left_out_worst_rms_deg']:.2f}°",
        "time": f"{found['seconds']:.1f} s",
    }
    return [[name, text] for name, text in rows.items()]


def _table(caption: str, headings: Sequence[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><tr>{head}</tr>{body}</table>"


def _place(target: dict[str, Any]) -> str:
    return f"{target['h_deg']:+.1f}°, {target['v_deg']:+.1f}°"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
