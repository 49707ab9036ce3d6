"""`psog stream`: live gaze as lines, and to other programs."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psog.errors import DeviceError, LinkError, PsogError

if TYPE_CHECKING:
    from psog.device.answers import DeviceInfo
    from psog.device.reconnecting import ReconnectingHeadset
    from psog.live.outputs import Output

Format = Literal["text", "csv", "json"]


@dataclass(frozen=True)
class Command:
    """Live gaze as text, CSV or JSON lines, and to other programs, until Ctrl-C or as long as asked for.

    A headset that is unplugged and comes back streams on; what it read meanwhile is missing. Exits with 1
    when it was away, or frames were lost or damaged on the way, and says how many. docs/streaming.md has
    the formats of --lsl, --osc and --udp.
    """

    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    format: Format | None = None
    """How to print a sample; CSV and JSON name t_us, seq, gaze_h_deg, gaze_v_deg, openness,
    expected_error_deg, valid, host_time_s (this computer's monotonic clock when it was read). Unless given,
    text, and nothing where gaze goes elsewhere."""
    json: bool = False
    """The same as --format json."""
    lsl: str | None = None
    """Also open a stream of the Lab Streaming Layer, of type Gaze, with this name."""
    osc: str | None = None
    """Also send OSC bundles to this HOST:PORT."""
    udp: str | None = None
    """Also send every reading to this HOST:PORT, as one datagram of JSON."""
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
            # Ctrl-C is the usual way to end a stream without an end.
            with self._outputs(headset.info) as outputs, contextlib.suppress(KeyboardInterrupt):
                self._pass_on(headset, outputs)
        losses, away_s = headset.losses, headset.away_s
        missed = sum(output.missed for output in outputs)
        if missed:
            print(f"{missed} readings could not be passed on in time", file=sys.stderr, flush=True)
        if losses.lost or losses.damaged or away_s:
            away = f"away {len(away_s)} × ({sum(away_s):.1f} s), " if away_s else ""
            raise LinkError(f"the stream from {port} is incomplete: {away}{losses}")

    def _pass_on(self, headset: ReconnectingHeadset, outputs: list[Output]) -> None:
        from psog.device.reconnecting import Back, Gone
        from psog.live.batch import batches, limited

        for item in limited(batches(headset), self.samples, self.seconds):
            if isinstance(item, Gone):
                remark = f"the headset has gone; waiting up to {self.wait_s:g} s for it"
                print(remark, file=sys.stderr, flush=True)
            elif isinstance(item, Back):
                print(f"it is back after {item.away_s:.1f} s", file=sys.stderr, flush=True)
            else:
                for output in outputs:
                    output.write(item)

    @contextlib.contextmanager
    def _outputs(self, info: DeviceInfo) -> Iterator[list[Output]]:
        """All that were asked for. Whoever reads lines may stop without the others having to."""
        from psog.live.outputs.apart import Apart
        from psog.live.outputs.lines import Lines

        with contextlib.ExitStack() as cleanup:
            outputs: list[Output] = []
            for output in self._to_programs(info):
                cleanup.callback(output.close)
                outputs.append(output)
            form = "json" if self.json else self.format
            if form is not None or not outputs:
                printer = Lines(sys.stdout, form or "text")
                lines: Output = Apart(printer) if outputs else printer
                cleanup.callback(lines.close)
                outputs.append(lines)
            yield outputs

    def _to_programs(self, info: DeviceInfo) -> Iterator[Output]:
        if self.osc is not None:
            from psog.live.outputs.osc import Osc

            yield Osc(self.osc)
        if self.udp is not None:
            from psog.live.outputs.udp import Udp

            yield Udp(self.udp)
        if self.lsl is not None:
            from psog.live.outputs.lsl import Lsl

            yield Lsl(self.lsl, info, _rate_hz(info.headset))


def _rate_hz(headset: str) -> float:
    """Readings a second; 0, which LSL takes for irregular, of a headset that is not built in."""
    from psog.errors import HeadsetError
    from psog.headset import load_headset

    try:
        return load_headset(headset).rate_hz
    except HeadsetError:
        return 0.0
