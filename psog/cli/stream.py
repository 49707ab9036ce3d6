"""`psog stream`: live gaze as text, CSV or JSON lines."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psog.errors import DeviceError, LinkError, PsogError

if TYPE_CHECKING:
    from psog.device.client import Client
    from psog.device.samples import GazeSample

Format = Literal["text", "csv", "json"]


@dataclass(frozen=True)
class Command:
    """Live gaze as text, CSV or JSON lines, until Ctrl-C or as long as asked for.

    Exits with 1 when frames were lost or damaged on the way, and says how many.
    """

    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    format: Format = "text"
    """How to print a sample; CSV and JSON name t_us, seq, gaze_h_deg, gaze_v_deg, openness,
    expected_error_deg, valid."""
    json: bool = False
    """The same as --format json."""
    samples: int | None = None
    """Stop after this many samples."""
    seconds: float | None = None
    """Stop after this time, by the clock of the headset."""

    def run(self) -> None:
        from psog.cli.ports import headset_port
        from psog.device.client import open_headset

        for name, value in (("--samples", self.samples), ("--seconds", self.seconds)):
            if value is not None and not 0 < value < math.inf:
                raise PsogError(f"{name} is {value:g}; expected more than 0")
        port = headset_port(self.port)
        with open_headset(port) as headset:
            if not headset.info.headset:
                raise DeviceError(f"the headset at {port} has no model; send one with psog flash")
            with contextlib.suppress(KeyboardInterrupt):  # the usual way to end a stream without an end
                self._print_samples(headset)
        losses = headset.losses
        if losses.lost or losses.damaged:
            raise LinkError(f"the stream from {port} is incomplete: {losses}")

    def _print_samples(self, headset: Client) -> None:
        from psog.device.messages import Stream
        from psog.device.samples import GazeSample

        write = _WRITERS["json" if self.json else self.format]
        headset.stream(Stream.GAZE)
        if write is _csv_line:
            print(",".join(_KEYS))
        for sample in headset.samples(seconds=self.seconds, count=self.samples):
            if isinstance(sample, GazeSample):
                sys.stdout.write(write(sample) + "\n")
                sys.stdout.flush()


_KEYS = ("t_us", "seq", "gaze_h_deg", "gaze_v_deg", "openness", "expected_error_deg", "valid")


def _values(sample: GazeSample) -> dict[str, int | float | bool | None]:
    """The sample by key; 1e-4 deg is far below what a headset resolves, and no number stays empty."""
    numbers = {
        name: round(value, 4) if math.isfinite(value) else None
        for name, value in (
            ("gaze_h_deg", sample.gaze_h_deg),
            ("gaze_v_deg", sample.gaze_v_deg),
            ("openness", sample.openness),
            ("expected_error_deg", sample.expected_error_deg),
        )
    }
    return {"t_us": sample.t_us, "seq": sample.seq, **numbers, "valid": sample.valid}


def _json_line(sample: GazeSample) -> str:
    return json.dumps(_values(sample))


def _csv_line(sample: GazeSample) -> str:
    cells = (int(value) if isinstance(value, bool) else value for value in _values(sample).values())
    return ",".join("" if cell is None else str(cell) for cell in cells)


def _text_line(sample: GazeSample) -> str:
    state = "" if sample.valid else "  eye closed"
    return (
        f"{sample.t_us / 1e6:12.6f} s  right {sample.gaze_h_deg:+7.2f}°  up {sample.gaze_v_deg:+7.2f}°  "
        f"open {sample.openness:5.2f}  ± {sample.expected_error_deg:5.2f}°{state}"
    )


_WRITERS = {"text": _text_line, "csv": _csv_line, "json": _json_line}
