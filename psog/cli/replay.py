"""`psog replay`: a recorded headset on a port that any client can open."""

from __future__ import annotations

import contextlib
import json
import math
import signal
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from psog.errors import PsogError


@dataclass(frozen=True)
class Command:
    """Play a live recording on a port as the headset did that it is of; prints the port to open.

    It begins when a program asks for the stream, stands still while none does, and ends with the recording's
    end. Simulated recordings and third-party readings: psog virtual --recording, through the firmware.
    """

    recording: Positional[Path]
    """Folder that psog record wrote."""
    speed: float = 1.0
    """Recorded seconds per second, any above 0; inf is as fast as it is read. At another speed than 1 the
    headset tells no time, so samples have no host time."""
    loop: bool = False
    """Begin the recording again at its end."""
    json: bool = False
    """Print {"port", "board", "headset"} as one JSON line."""

    def run(self) -> None:
        from rich.console import Console

        from psog.cli.announcing import announced
        from psog.device.running import Running
        from psog.live.replay import ReplayedHeadset

        if not self.speed > 0:
            raise PsogError(f"--speed is {self.speed:g}; expected more than 0")
        # A stop by the system ends as Ctrl-C does: through every clean-up.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with ReplayedHeadset(self.recording, speed=self.speed, loop=self.loop) as replayed:
            found = Running(replayed.port, "a recording", replayed.headset)
            with announced(found), contextlib.suppress(KeyboardInterrupt):
                print(json.dumps(found._asdict()) if self.json else found.port, flush=True)
                speed = "as fast as it is read" if self.speed == math.inf else f"at {self.speed:g}×"
                remark = f"{self.recording} {speed}, headset {found.headset}; Ctrl-C ends it"
                Console(stderr=True).print(remark, highlight=False, soft_wrap=True)
                replayed.wait()
