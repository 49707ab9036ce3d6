"""`psog bench unplug`: pulls a virtual headset's cable out again and again, after any byte."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psog.errors import LinkError, PsogError
from psog.firmware_export.boards import BoardName

if TYPE_CHECKING:
    from psog.benchmarks.cable import Cable
    from psog.device.reconnecting import ReconnectingHeadset

NOTICE_BAR_S, RETURN_BAR_S = 1.0, 2.0
_MOST_BYTES = 4000
_LONGEST_OUT_S = 0.2


@dataclass(frozen=True)
class Command:
    """Stream through a cable that is pulled out after a random byte and plugged in again, many times.

    Exits with 1 when a file descriptor or thread is left over; when going was noticed later than 1 s after,
    or samples came later than 2 s after plugging in; or when an error is not a LinkError.
    """

    cycles: int = 1000
    """How often."""
    seed: int = 0
    """After which byte, and for how long."""
    board: BoardName = "host"
    """Where the firmware runs."""
    json: bool = False
    """Print {"cycles", "noticed_s", "returned_s", "descriptors", "threads"}, times with p50 and most."""

    def run(self) -> None:
        if self.cycles < 1:
            raise PsogError(f"--cycles is {self.cycles}; expected 1 or more")
        found = unplug_often(self.cycles, self.seed, self.board)
        if self.json:
            print(json.dumps(found))
        else:
            for key, value in found.items():
                print(f"{key:<12} {value}")
        if found["descriptors"] or found["threads"]:
            raise LinkError(f"left over: {found['descriptors']} descriptors, {found['threads']} threads")
        for key, bar_s in (("noticed_s", NOTICE_BAR_S), ("returned_s", RETURN_BAR_S)):
            if found[key]["most"] > bar_s:
                raise LinkError(f"{key} was {found[key]['most']:.2f} s once; expected at most {bar_s:g} s")


def unplug_often(cycles: int, seed: int, board: str) -> dict[str, Any]:
    """Pull the cable out `cycles` times, wait for samples each time; times, and what was left over.

    Raises:
        LinkError: the headset did not come back.
    """
    from psog.benchmarks.cable import Cable
    from psog.device.messages import Stream
    from psog.device.reconnecting import ReconnectingHeadset
    from psog.firmware_export.image_file import load_image
    from psog.headset import load_headset
    from psog.sim.streams import stream
    from psog.virtual.headset import VirtualHeadset
    from psog.virtual.wearer import Wearer

    random = stream(seed, "unplug")
    wearer, image = Wearer(load_headset("ring16"), 1000), load_image(Path("ring16"))
    noticed_s, returned_s = [], []
    with (
        tempfile.TemporaryDirectory(prefix="psog-") as folder,
        VirtualHeadset(board, wearer, image=image) as virtual,
        Cable(virtual.port, Path(folder) / "headset") as cable,
        ReconnectingHeadset(str(cable.link), patience_s=60) as headset,
    ):
        headset.stream(Stream.GAZE)
        next(headset.samples())
        before = _in_use()
        for _ in range(cycles):
            times = _cycle(
                cable, headset, int(random.integers(_MOST_BYTES)), random.uniform(0, _LONGEST_OUT_S)
            )
            noticed_s.append(times[0])
            returned_s.append(times[1])
        descriptors, threads = (now - then for now, then in zip(_in_use(), before, strict=True))
    return {
        "cycles": cycles,
        "noticed_s": _summary(noticed_s),
        "returned_s": _summary(returned_s),
        "descriptors": descriptors,
        "threads": threads,
    }


def _cycle(cable: Cable, headset: ReconnectingHeadset, after_bytes: int, out_s: float) -> tuple[float, float]:
    """Seconds until going was noticed, and from plugging in to the first sample."""
    from psog.device.reconnecting import Back, Gone

    plugged_s: list[float] = []

    def plug_again() -> None:
        plugged_s.append(time.monotonic())
        cable.plug()

    pulling = threading.Thread(target=cable.pull, args=(after_bytes,))
    pulling.start()
    timer = threading.Timer(out_s, plug_again)
    gone_s, came_back = 0.0, False
    for item in headset.samples():
        if isinstance(item, Gone):
            gone_s = time.monotonic()
            pulling.join()
            timer.start()
        elif isinstance(item, Back):
            came_back = True
        elif came_back:
            break
    back_s = time.monotonic()
    timer.join()
    return gone_s - cable.pulled_s, back_s - plugged_s[0]


def _in_use() -> tuple[int, int]:
    """Open file descriptors and running threads of this process."""
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


def _summary(times_s: list[float]) -> dict[str, float]:
    return {"p50": round(sorted(times_s)[len(times_s) // 2], 4), "most": round(max(times_s), 4)}
