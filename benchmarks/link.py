"""`psog bench link`: 1 kHz through the virtual headset, on a good line and on a bad one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from psog.benchmarks.counting import counting
from psog.errors import LinkError, PsogError
from psog.firmware_export.boards import BoardName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from psog.benchmarks.link_check import LinkFigures
    from psog.net.integer import IntegerNet

RATE_HZ = 1000
CPU_PERCENT, P99_MS = 15, 5
"""What is asked of a good line: 15 % of a core, and 99 % of the samples within 5 ms."""
_ROWS = 500
_OPEN = 0.9  # openness above which no running level takes an eye for closing (LIDS_SHARE)
_MOST_SECONDS = 86_400.0
_LONGEST_PAUSE_S = 60.0
"""A minute of frames is what sequence numbers can count."""


@dataclass(frozen=True)
class Command:
    """A thousand readings a second to a client in a process of its own, which streams gaze.

    Known readings are sent one by one, and every sample is compared with what the integer model makes of its
    reading: on a good line; on one whose client is stopped for some seconds, so that the device must drop
    samples; and on one with bit errors, drops, duplicates and stalls, where samples are also compared with
    what the line let through. Exits with 1 when the good line loses a sample, a corrupt one is delivered, or
    a loss is not reported exactly; figures of time depend on the computer and decide nothing.
    """

    model: tyro.conf.Positional[Path] = Path("ring16")
    """Model folder, or a model that comes with psog."""
    board: BoardName = "host"
    """Where the firmware runs."""
    seconds: float = 120.0
    """Of the good line; 0 leaves it out."""
    pause_seconds: float = 5.0
    """How long the client stands still, in a run of twice that; 0 leaves it out."""
    faulty_seconds: float = 120.0
    """Of the bad line; 0 leaves it out."""
    seed: int = 0
    """Of the faults, and of the simulated wearer's readings."""
    json: bool = False
    """Print one JSON document."""

    def run(self) -> None:
        for name, value, most in (
            ("seconds", self.seconds, _MOST_SECONDS),
            ("pause-seconds", self.pause_seconds, _LONGEST_PAUSE_S),
            ("faulty-seconds", self.faulty_seconds, _MOST_SECONDS),
        ):
            if value != 0 and not 1 <= value <= most:
                raise PsogError(f"--{name} is {value:g}; expected 0, or 1 to {most:g}")
        if self.seed < 0:
            raise PsogError(f"--seed is {self.seed}; expected 0 or more")
        if self.seconds == self.pause_seconds == self.faulty_seconds == 0:
            raise PsogError("every line is left out; expected --seconds, --pause-seconds or --faulty-seconds")
        figures = self._measure()
        self._report(figures)
        _judge(figures)

    def _measure(self) -> dict[str, LinkFigures]:
        from psog.benchmarks.link_check import link_figures
        from psog.benchmarks.link_run import Line, run
        from psog.firmware_export.image import write_image
        from psog.headset import load_headset
        from psog.net.shipped import model_place
        from psog.net.store import load_model
        from psog.virtual.faults import Faults

        lines = {
            "good": (self.seconds, Line()),
            "paused": (2 * self.pause_seconds, Line(pause_s=self.pause_seconds)),
            "faulty": (self.faulty_seconds, Line(faults=Faults(), seed=self.seed)),
        }
        net = load_model(model_place(self.model)).net
        headset = load_headset(net.headset)
        wire, output = _open_eyed(net, self.seed)
        image = write_image(net, headset)
        found = {}
        for name, (seconds, line) in lines.items():
            if count := round(seconds * RATE_HZ):
                progress = counting(f"readings on the {name} line")
                found[name] = link_figures(
                    run(self.board, image, wire, count, line=line, progress=progress), output
                )
        return found

    def _report(self, figures: dict[str, LinkFigures]) -> None:
        if self.json:
            print(json.dumps({"board": self.board, **{name: asdict(each) for name, each in figures.items()}}))
            return
        print(f"{self.board:20}" + "".join(f"{name:>12}" for name in figures))
        columns = [asdict(each) for each in figures.values()]
        for what in columns[0]:
            print(f"{what:20}" + "".join(f"{column[what]:12,}" for column in columns))
        print(f"on an idle computer cpu_percent should be at most {CPU_PERCENT}, p99_ms at most {P99_MS}")


def _open_eyed(net: IntegerNet, seed: int) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Readings of a simulated wearer whose eye the model takes for open, and the head's output of each."""
    from psog.headset import load_headset
    from psog.virtual.wearer import Wearer

    wire = Wearer(load_headset(net.headset), seed).take(4 * _ROWS * 1_000_000 // RATE_HZ).wire
    output = net.apply_head(net.features(net.input(wire)))
    opened = output[:, 2] >= _OPEN
    if not opened.any():
        raise PsogError(f"the model takes no eye of wearer {seed} for open; choose another --seed")
    return wire[opened][:_ROWS], output[opened][:_ROWS]


def _judge(figures: dict[str, LinkFigures]) -> None:
    for name, each in figures.items():
        if not each.sound or (name == "good" and each.delivered < each.sent):
            raise LinkError(
                f"the {name} line: {each.corrupt} corrupt samples, {each.lost} frames lost and "
                f"{each.reported} reported, {each.delivered:,} samples of {each.sent:,} readings, "
                f"{each.processed:,} of them processed, in step by intact frame {each.resynchronised_by} "
                "after damage; expected no corrupt sample, no loss that is not reported and none on a good "
                "line, every reading processed, in step by the second"
            )
