"""`psog record`: live gaze to a recording, which a power cut costs a second at most."""

from __future__ import annotations

import contextlib
import json
import math
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from psog.errors import DeviceError, LinkError, PsogError

if TYPE_CHECKING:
    from psog.device.answers import DeviceInfo
    from psog.device.reconnecting import ReconnectingHeadset
    from psog.headset import Headset
    from psog.live.batch import Batch
    from psog.live.finishing import Finished
    from psog.live.recorder import Recorder

_SHOW_EVERY_S = 0.5


@dataclass(frozen=True)
class Command:
    """Record live gaze until Ctrl-C or as long as asked for: Parquet and a manifest in a folder OUT.

    Gaze, openness, expected error, flags, times and events; no raw readings unless asked for, since they
    identify people. While it is being made, it is in OUT.unfinished, on the disk within half a second. A
    headset that is unplugged and comes back is recorded on, and the recording tells the gap.
    Exits with 1 when the headset was away, or frames were lost on the way, and says how many.
    """

    out: Positional[Path]
    """Folder to write."""
    port: str | None = None
    """Serial port of the headset; not needed where just one is connected (psog devices)."""
    sensors: bool = False
    """Record the raw readings too. They identify people: ask the wearer."""
    headset: str | None = None
    """With --sensors, the headset's TOML file, unless it is built in."""
    user: str | None = None
    """A name for the wearer, to be kept in the recording; none by default."""
    samples: int | None = None
    """Stop after this many readings."""
    seconds: float | None = None
    """Stop after this time, by the clock of the headset."""
    wait_s: float = 60.0
    """How long a headset that has gone is waited for; 0 ends the recording at once."""
    recover: bool = False
    """Finish a recording OUT that something cut short; nothing is recorded."""
    force: bool = False
    """Replace a recording that is there."""
    json: bool = False
    """Print {"out", "rows", "seconds", "sensors", "away_s", "losses"} as one JSON line at the end."""

    def run(self) -> None:
        for name, value in (("--samples", self.samples), ("--seconds", self.seconds)):
            if value is not None and not 0 < value < math.inf:
                raise PsogError(f"{name} is {value:g}; expected more than 0")
        if not self.wait_s >= 0:
            raise PsogError(f"--wait-s is {self.wait_s:g}; expected 0 or more")
        if self.headset is not None and not self.sensors:
            raise PsogError("--headset says how readings are to be read; pass --sensors to record them")
        if self.user is not None and not (self.user.strip() and self.user.isprintable()):
            raise PsogError(f"--user is {self.user!r}; expected a name on one line")
        if self.recover:
            from psog.live.finishing import recover

            self._tell(recover(self.out, force=self.force))
            return
        self._record()

    def _record(self) -> None:
        from psog.cli.ports import headset_port, virtual_ports
        from psog.device.reconnecting import ReconnectingHeadset
        from psog.live.recorder import Recorder

        port = headset_port(self.port)
        with ReconnectingHeadset(port, patience_s=self.wait_s, virtual=virtual_ports) as headset:
            if not headset.info.headset:
                raise DeviceError(f"the headset at {port} has no model; send one with psog flash")
            sensors = self._sensors_of(headset.info, port) if self.sensors else None
            recorder = Recorder(self.out, headset.info, sensors=sensors, user=self.user, force=self.force)
            why = ""
            with recorder, _ends_at_a_signal(headset):
                try:
                    self._take(headset, recorder)
                except LinkError as error:
                    if not recorder.rows:
                        raise
                    why = str(error)  # what came before is a recording all the same
                recorder.losses = losses = headset.losses
                headset.close()  # what it goes on to send while the recording is finished is not of it
            away_s = headset.away_s
        self._tell(recorder.finished)
        if losses.lost or losses.damaged or away_s or why:
            away = f"away {len(away_s)} × ({sum(away_s):.1f} s), " if away_s else ""
            raise LinkError(f"the recording {self.out} is incomplete: {away}{losses}{why and f'; {why}'}")

    def _sensors_of(self, info: DeviceInfo, port: str) -> Headset:
        from psog.cli.virtual_headset import described_headset

        if not info.sensors:
            raise DeviceError(f"the headset at {port} replays a recording without readings; omit --sensors")
        return described_headset(info, port, self.headset)

    def _take(self, headset: ReconnectingHeadset, recorder: Recorder) -> None:
        from rich.console import Console

        from psog.device.reconnecting import Back, Gone
        from psog.live.batch import Batch, batches

        left, console = _Left(self.samples, self.seconds), Console(stderr=True)
        with console.status("waiting for the first reading") as status:
            shown_s = -math.inf
            for item in batches(headset, sensors=self.sensors):
                recorder.losses = headset.losses
                recorder.add(left.take(item) if isinstance(item, Batch) else item)
                if isinstance(item, Back):
                    left.away(item.away_s)
                    console.print(f"it is back after {item.away_s:.1f} s", highlight=False)
                elif isinstance(item, Gone):
                    console.print(
                        f"the headset has gone; waiting up to {self.wait_s:g} s for it", highlight=False
                    )
                if left.nothing:
                    return
                if time.monotonic() - shown_s >= _SHOW_EVERY_S:
                    shown_s = time.monotonic()
                    status.update(f"{recorder.rows:,} readings, {headset.losses.lost} lost; Ctrl-C ends it")

    def _tell(self, finished: Finished) -> None:
        if self.json:
            print(json.dumps({"out": str(self.out), **finished._asdict()}))
        else:
            kept = f" with readings of {finished.sensors} sensors" if finished.sensors else ""
            print(f"{self.out}: {finished.rows:,} readings in {finished.seconds:.1f} s{kept}")


class _Left:
    """How much is still to be recorded."""

    def __init__(self, samples: int | None, seconds: float | None) -> None:
        self._samples = samples
        self._end_us = None if seconds is None else round(seconds * 1e6)
        self._spent_us = 0
        self._last_us: int | None = None
        self.nothing = False

    def take(self, batch: Batch) -> Batch:
        """Those of the readings that still belong to it."""
        import numpy as np

        from psog.live.batch import Batch

        first_us = int(batch.t_us[0]) if self._last_us is None else self._last_us
        spent_us = self._spent_us + batch.t_us - first_us
        count = len(batch.t_us) if self._samples is None else min(self._samples, len(batch.t_us))
        if self._end_us is not None:
            count = min(count, int(np.searchsorted(spent_us, self._end_us)))
            self.nothing = count < len(batch.t_us)
        if self._samples is not None:
            self._samples -= count
            self.nothing = self.nothing or self._samples == 0
        if count:
            self._spent_us, self._last_us = int(spent_us[count - 1]), int(batch.t_us[count - 1])
        return Batch._make(None if column is None else column[:count] for column in batch)

    def away(self, away_s: float) -> None:
        """The headset was away; its clock may have begun anew."""
        self._spent_us += round(away_s * 1e6)
        self._last_us = None


@contextlib.contextmanager
def _ends_at_a_signal(headset: ReconnectingHeadset) -> Iterator[None]:
    """Ctrl-C, or the system's request to stop, ends the stream, and not the program in the midst of it.
    A second one does that."""

    def stop(_number: int, _frame: object) -> None:
        put_back()
        headset.stop()

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        put_back()
