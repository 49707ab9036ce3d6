"""How the demo shows itself: numbered steps with their times, and one table at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


class Steps:
    """Prints each step with what came of it and how long it took.

    Attributes:
        seconds: by name of the step, in order.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[Callable[[str], None]]:
        """Time one step; the callback takes what came of it."""
        outcome: list[str] = []
        number = len(self.seconds) + 1
        began_s = time.monotonic()
        with self.console.status(f"{number} {name}: {what}"):
            yield outcome.append
        took_s = time.monotonic() - began_s
        self.seconds[name] = round(took_s, 2)
        self.console.print(
            f" {number:>2} [bold]{name:<10}[/] {what:<52} {' '.join(outcome):<42} {took_s:6.1f} s",
            soft_wrap=True,
        )


def print_result(console: Console, result: dict[str, Any], out: Path) -> None:
    """The demo's table, what it costs on the device, and what to do next."""
    from rich.table import Table

    errors, unseen = result["gaze_error_deg"], result["unseen_users"]["int8"]
    slip = f"{result['slip_mm']:g}"
    table = Table(title="gaze error, degrees")
    table.add_column(no_wrap=True)
    for heading in ("not calibrated", "after 9 points", f"after a {slip} mm slip"):
        table.add_column(heading, justify="right")
    live = [errors[name] for name in ("uncalibrated", "calibrated", "slipped")]
    table.add_row("this wearer, live", *(f"{value:.2f}" for value in live))
    population = [unseen["uncalibrated"], unseen["slips"]["0"], unseen["slips"][slip]]
    for name, key in (("median", "median_deg"), ("95th perc.", "p95_deg")):
        row = f"{result['unseen_users']['users']} unseen users, {name}"
        table.add_row(row, *(f"{value[key]:.2f}" for value in population))
    console.print(table)
    console.print(f"network: {result['macs']:,} MACs, {result['parameters']:,} parameters, int8")
    budget = result["budget"]
    if budget is None:
        console.print("instructions, flash and RAM are counted in QEMU, which is not installed here")
    else:
        console.print(
            f"{budget['board']}: {budget['instructions']:,} instructions an inference · flash "
            f"{budget['flash_runtime_bytes']:,} bytes of runtime, {budget['flash_model_bytes']:,} of model · "
            f"RAM {budget['ram_bytes']:,} bytes, {budget['tune_ram_bytes']:,} more while calibrating · "
            f"stack {budget['stack_bytes']:,} bytes",
            soft_wrap=True,
        )
    console.print(f"all of it took {sum(result['seconds'].values()):.0f} s; numbers and models are in {out}/")
    model = out / "model"
    suggestions = {
        f"psog-calibrate --virtual --model {model}": "watch a calibration, point by point",
        f"psog view --virtual --model {model}": "look at it live, in the browser",
        f"psog virtual --model {model}": "a virtual headset that any program can open",
        f"psog show {result['headset']} --out eye.png": "the simulated eye and its sensors",
    }
    width = max(map(len, suggestions))
    console.print("\nnext:")
    for command, what in suggestions.items():
        console.print(f"  {command:<{width}}  {what}", soft_wrap=True)
