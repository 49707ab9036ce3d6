"""One run of `psog bench link`: known readings through a virtual headset to a client in its own process."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.link_client import DELIVERED, Received, receive
from psog.device.frames import Frame
from psog.device.messages import GAZE
from psog.errors import LinkError
from psog.virtual.faults import Fate, Faults
from psog.virtual.faulty_line import FaultyLine
from psog.virtual.headset import VirtualHeadset
from psog.virtual.source import Readings, Target

PERIOD_S = 0.001
_LOOK_EVERY_S = 0.5

Progress = Callable[[int, int], None]
"""Called with readings sent and readings in all."""


class KnownReadings:
    """A thousand readings a second, the same rows over and over, each stamped with when it is sent.

    Attributes:
        sent_us: time.monotonic of each reading, microseconds; it increases.

    Args:
        wire: (n, sensors) uint16 rows.
        count: readings in all.
    """

    def __init__(self, wire: NDArray[np.uint16], count: int) -> None:
        self.sent_us = array("q")
        self._wire = wire
        self._count = count

    def take(self, elapsed_us: int) -> Readings | None:
        """One reading a call: the feeder calls once a period, late ones too."""
        number = len(self.sent_us)
        if number == self._count:
            return None
        now_us = time.monotonic_ns() // 1000
        self.sent_us.append(max(now_us, self.sent_us[-1] + 1) if number else now_us)
        row = number % len(self._wire)
        return Readings(np.array(self.sent_us[-1:], np.int64), self._wire[row : row + 1])

    def show(self, target: Target | None) -> None:
        """The readings are what they are."""


@dataclass(frozen=True)
class Line:
    """What stands between board and client.

    Attributes:
        pause_s: how long the client's process is stopped, once a quarter of the readings are out.
        faults: of the line; None for none.
        seed: of the faults.
    """

    pause_s: float = 0.0
    faults: Faults | None = None
    seed: int = 0


@dataclass
class Ledger:
    """What a faulty line did to each frame from the headset, in order.

    Attributes:
        seq: sequence numbers.
        arrived, unharmed, streamed: 1 or 0 for each frame; see Fate; whether it is a GAZE.
        payloads: of the GAZE frames that arrived, one after the other.
        vanished, repeated, bit_errors: how many frames, frames and bits.
    """

    seq: array[int] = field(default_factory=lambda: array("H"))
    arrived: bytearray = field(default_factory=bytearray)
    unharmed: bytearray = field(default_factory=bytearray)
    streamed: bytearray = field(default_factory=bytearray)
    payloads: bytearray = field(default_factory=bytearray)
    vanished: int = 0
    repeated: int = 0
    bit_errors: int = 0

    def note(self, frame: Frame, fate: Fate) -> None:
        """Write down one frame."""
        self.seq.append(frame.seq)
        self.arrived.append(fate.arrived)
        self.unharmed.append(fate.unharmed)
        self.streamed.append(frame.type == GAZE.code)
        if fate.arrived and frame.type == GAZE.code:
            self.payloads += frame.payload
        self.vanished += fate.copies == 0
        self.repeated += fate.copies > 1
        self.bit_errors += fate.bit_errors


@dataclass(frozen=True)
class Run:
    """What there is to compare after a run.

    Attributes:
        sent_us: (n,) int64 when each reading was sent.
        delivered: (m,) DELIVERED, in the order of delivery.
        received: what the client says.
        ledger: what the line did; None for a line without faults.
        load: load average of the computer at the end, over a minute.
    """

    sent_us: NDArray[np.int64]
    delivered: NDArray[np.void]
    received: Received
    ledger: Ledger | None
    load: float


def run(
    board: str,
    image: bytes,
    wire: NDArray[np.uint16],
    count: int,
    *,
    line: Line,
    progress: Progress = lambda _sent, _all: None,
) -> Run:
    """Send `count` readings at 1 kHz through a board to a client that streams GAZE.

    Args:
        image: the model on the board.
        wire: (n, sensors) uint16 rows to send over and over.
    Raises:
        LinkError: board or client ended before its time, or no sample came.
        ToolchainError: the board cannot be built or started.
    """
    source = KnownReadings(wire, count)
    ledger = Ledger() if line.faults else None
    pause_s = line.pause_s
    with contextlib.ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="psog-")))
        virtual = cleanup.enter_context(
            VirtualHeadset(board, source, image=image, paused=True, batch_s=PERIOD_S)
        )
        port = virtual.port
        if line.faults and ledger:
            port = cleanup.enter_context(FaultyLine(port, line.faults, line.seed, ledger.note)).port
        client = cleanup.enter_context(_Client(port, folder / "delivered"))
        client.hear()
        virtual.start_sensors()
        while not virtual.wait(_LOOK_EVERY_S) and not client.has_spoken():
            progress(len(source.sent_us), count)
            if pause_s and 4 * len(source.sent_us) >= count:
                client.pause(pause_s)
                pause_s = 0.0
        progress(len(source.sent_us), count)
        client.end()
        received = client.hear()
        delivered = np.fromfile(folder / "delivered", DELIVERED)
    if received is None or len(source.sent_us) < count:
        raise LinkError("the client of psog bench link ended before the readings did; run it again")
    if received.wall_s <= 0:
        raise LinkError("the client of psog bench link was given no two samples; run it for longer")
    load = round(os.getloadavg()[0], 2)
    return Run(np.array(source.sent_us, np.int64), delivered, received, ledger, load)


class _Client:
    """A client in a process of its own. A context manager."""

    def __init__(self, port: str, file: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=receive, args=(port, file, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> _Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._connection.close()

    def hear(self) -> Received | None:
        """What it says next, when it says it: None that it listens, Received at the end.

        Raises:
            LinkError: it failed.
        """
        try:
            said: Received | str | None = self._connection.recv()
        except EOFError:
            said = "its process has ended"
        if isinstance(said, str):
            raise LinkError(f"the client of psog bench link failed: {said}")
        return said

    def has_spoken(self) -> bool:
        """Whether `hear` would not wait."""
        return self._connection.poll()

    def end(self) -> None:
        """Tell it that the sensors have ended."""
        self._connection.send(None)

    def pause(self, seconds: float) -> None:
        """Stop its process for a while, all of it."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(self._process.pid, signal.SIGCONT)
