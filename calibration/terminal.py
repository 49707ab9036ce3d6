"""A session told on a terminal: a line per target, then a picture and a table."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from psog.calibration.events import (
    Abandoned,
    CommandRefused,
    Decided,
    Event,
    Fitted,
    Judged,
    PointJudged,
    PointTaken,
    Stands,
    TargetShown,
)
from psog.calibration.flow import State
from psog.calibration.picture import field_picture
from psog.calibration.quality import Grade, Quality

_GRADE_STYLE: dict[Grade, str] = {"good": "bold green", "fair": "bold yellow", "poor": "bold red"}


class TerminalFollower:
    """An observer that writes what happens to a console.

    Args:
        field_deg: half width and half height of the gaze field, for the picture.
    """

    def __init__(self, console: Console, field_deg: tuple[float, float]) -> None:
        self._console = console
        self._field_deg = field_deg

    def __call__(self, event: Event) -> None:
        match event:
            case TargetShown(target, number, total):
                self._say(f"{target.purpose:<11} {number:>2}/{total}  look at {target!s:<14}", end="")
            case PointTaken():
                precision = "" if event.rms_s2s_deg is None else f", noise {event.rms_s2s_deg:.2f}° RMS-S2S"
                left_out = _passed_over(event.rejected + event.saturated + event.moving)
                self._say(f"  {event.used} readings{left_out}{precision}")
            case PointJudged(before, after):
                self._say(f"  error {before.mean_deg:.2f}° → {after.mean_deg:.2f}°{_passed_over(after.lost)}")
            case Fitted(samples, targets, before_deg, after_deg, left_out_deg, worst_deg, in_use_deg):
                self._say(
                    f"fitted on the device: {samples} readings of {targets} targets, "
                    f"rms {before_deg:.2f}° → {after_deg:.2f}°; "
                    f"without the target itself {left_out_deg:.2f}° (worst {worst_deg:.2f}°), "
                    f"what is in use {in_use_deg:.2f}°"
                )
            case Judged(before, after):
                self._show(before, after)
            case Stands(State.PAUSED, note):
                self._say(f"\npaused{': ' + note if note else ''}")
            case CommandRefused(why):
                self._say(f"\n{why}")
            case Decided(accepted=True):
                self._say("kept: stored in the headset")
            case Decided(refusal=refusal):
                self._say(f"not kept: {refusal or 'the headset goes on with what it had'}")
            case Abandoned(reason):
                # An error is told by whoever catches it, on a line of its own.
                self._say("" if reason else "\nstopped: the headset goes on with what it had")

    def _show(self, before: Quality, after: Quality) -> None:
        self._console.print()
        colour = self._console.color_system is not None
        picture = field_picture(after.targets, self._field_deg, colour=colour)
        half_width_deg, half_height_deg = self._field_deg
        title = f"± {half_width_deg:g}° × ± {half_height_deg:g}°: targets +, gaze as dots"
        self._console.print(Panel.fit(picture, title=title))
        self._console.print(_table(before, after))
        style = _GRADE_STYLE[after.grade]
        self._console.print(
            f"accuracy {before.accuracy_deg:.2f}° → {after.accuracy_deg:.2f}° "
            f"(worst target {after.worst_deg:.2f}°), precision {after.precision_rms_s2s_deg:.2f}° RMS-S2S, "
            f"{after.precision_std_deg:.2f}° STD: [{style}]{after.grade}[/{style}]",
            highlight=False,
            soft_wrap=True,
        )

    def _say(self, text: str, end: str = "\n") -> None:
        self._console.print(text, end=end, highlight=False, markup=False, soft_wrap=True)


def _passed_over(readings: int) -> str:
    return f", {readings} left out" if readings else ""


def _table(before: Quality, after: Quality) -> Table:
    table = Table(title="validation targets", title_justify="left", box=SIMPLE)
    for heading in ("target", "before", "after", "max", "SD", "RMS-S2S", "STD", "left out"):
        table.add_column(heading, justify="right")
    for old, new in zip(before.targets, after.targets, strict=True):
        table.add_row(
            str(new.target),
            *(f"{deg:.2f}°" for deg in (old.mean_deg, new.mean_deg, new.max_deg, new.sd_deg)),
            *(f"{deg:.2f}°" for deg in (new.rms_s2s_deg, new.std_deg)),
            f"{new.data_loss:.0%}",
        )
    return table
