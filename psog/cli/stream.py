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
    from psog.device.reconnecting import ReconnectingHeadset
    from psog.device.samples import GazeSample

Format = Literal["text", "csv", "json"]


@dataclass(frozen=True)
class Command:
    """Live gaze as text, CSV or JSON lines, until Ctrl-C or as long as asked for.

    A headset that is unplugged and comes back streams on; what it read meanwhile is missing. Exits with 1
    when it was away, or frames were lost or damaged on the way, and says how many.
    """

    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    format: Format = "text"
    """How to print a sample; CSV and JSON name t_us, seq, gaze_h_deg, gaze_v_deg, openness,
    expected_error_deg, valid, host_time_s (this computer's monotonic clock when it was read)."""
    json: bool = False
    """The same as --format json."""
    samples: int | None = None
    """Stop after this many samples."""
    seconds: float | None = None
    """Stop after this time, by the clock of the headset."""
    wait_s: float = 60.0
    """How long a headset that has gone is waited for; 0 ends the stream at once."""

    def run(self) -> None:
        from psog.cli.ports import headset_port, virtual_ports
        from psog.device.reconnecting import ReconnectingHeadset

        for name, value in (("--samples", self.samples), ("--seconds", self.seconds)):
            if value is not None and not 0 < value < math.inf:
                raise PsogError(f"{name} is {value:g}; expected more than 0")
        if not self.wait_s >= 0:
            raise PsogError(f"--wait-s is {self.wait_s:g}; expected 0 or more")
        port = headset_port(self.port)
        with ReconnectingHeadset(port, patience_s=self.wait_s, virtual=virtual_ports) as headset:
            if not headset.info.headset:
                raise DeviceError(f"the headset at {port} has no model; send one with psog flash")
            with contextlib.suppress(KeyboardInterrupt):  # the usual way to end a stream without an end
                self._print_samples(headset)
        losses, away_s = headset.losses, headset.away_s
        if losses.lost or losses.damaged or away_s:
            away = f"away {len(away_s)} × ({sum(away_s):.1f} s), " if away_s else ""
            raise LinkError(f"the stream from {port} is incomplete: {away}{losses}")

    def _print_samples(self, headset: ReconnectingHeadset) -> None:
        from psog.device.messages import Stream
        from psog.device.reconnecting import Back, Gone
        from psog.device.samples import GazeSample

        write = _WRITERS["json" if self.json else self.format]
        if write is not _text_line:
            headset.keep_time()
        headset.stream(Stream.GAZE)
        if write is _csv_line:
            print(",".join(_KEYS))
        for item in headset.samples(seconds=self.seconds, count=self.samples):
            if isinstance(item, GazeSample):
                sys.stdout.write(write(item, headset.host_time_s(item.t_us)) + "\n")
                sys.stdout.flush()
            elif isinstance(item, Gone):
                remark = f"the headset has gone; waiting up to {self.wait_s:g} s for it"
                print(remark, file=sys.stderr, flush=True)
            elif isinstance(item, Back):
                print(f"it is back after {item.away_s:.1f} s", file=sys.stderr, flush=True)


_KEYS = ("t_us", "seq", "gaze_h_deg", "gaze_v_deg", "openness", "expected_error_deg", "valid", "host_time_s")


def _values(sample: GazeSample, host_time_s: float | None) -> dict[str, int | float | bool | None]:
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
    known = {"t_us": sample.t_us, "seq": sample.seq, **numbers, "valid": sample.valid}
    return {**known, "host_time_s": None if host_time_s is None else round(host_time_s, 6)}


def _json_line(sample: GazeSample, host_time_s: float | None) -> str:
    return json.dumps(_values(sample, host_time_s))


def _csv_line(sample: GazeSample, host_time_s: float | None) -> str:
    cells = (
        int(value) if isinstance(value, bool) else value for value in _values(sample, host_time_s).values()
    )
    return ",".join("" if cell is None else str(cell) for cell in cells)


def _text_line(sample: GazeSample, host_time_s: float | None) -> str:
    state = "" if sample.valid else "  eye closed"
    return (
        f"{sample.t_us / 1e6:12.6f} s  right {sample.gaze_h_deg:+7.2f}°  up {sample.gaze_v_deg:+7.2f}°  "
        f"open {sample.openness:5.2f}  ± {sample.expected_error_deg:5.2f}°{state}"
    )


_WRITERS = {"text": _text_line, "csv": _csv_line, "json": _json_line}
