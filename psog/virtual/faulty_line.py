"""A serial line that spoils what it carries: clients open its port instead of the headset's."""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty
from collections import deque
from types import TracebackType

from psog.virtual.faults import Faults, FaultyFrames, Note, Piece

_READ_BYTES = 4096


class FaultyLine:
    """Carries bytes between `port` and a port of its own, both ways, with faults. A context manager.

    Like any line it holds little: while one end takes nothing, it takes nothing from the other.

    Args:
        port: the headset's.
        faults: of both directions.
        note: told, in the line's thread, what became of each frame from the headset.
    """

    def __init__(self, port: str, faults: Faults, seed: int, note: Note | None = None) -> None:
        self._headset = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._headset)
        self._ours, self._clients = pty.openpty()
        tty.setraw(self._clients)
        self.port = os.ttyname(self._clients)
        for end in (self._headset, self._ours):
            os.set_blocking(end, False)
        self._stop_read, self._stop_write = os.pipe()
        self._directions = (
            _Direction(self._headset, self._ours, FaultyFrames(faults, seed, "to host", note)),
            _Direction(self._ours, self._headset, FaultyFrames(faults, seed, "to headset")),
        )
        self._thread = threading.Thread(target=self._carry, name="psog faulty line", daemon=True)
        self._thread.start()

    def __enter__(self) -> FaultyLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the line away. Idempotent."""
        if not self._stop_write:
            return
        os.write(self._stop_write, b"x")
        self._thread.join()
        for end in (self._headset, self._ours, self._clients, self._stop_read, self._stop_write):
            os.close(end)
        self._stop_write = 0

    def _carry(self) -> None:
        try:
            while True:
                now_s = time.monotonic()
                sources = [d.source for d in self._directions if d.wants_bytes()]
                sinks = [d.sink for d in self._directions if d.can_send(now_s)]
                pauses_s = [d.due_s - now_s for d in self._directions if d.due_s > now_s]
                ready, free, _ = select.select(
                    [self._stop_read, *sources], sinks, [], min(pauses_s, default=None)
                )
                if self._stop_read in ready:
                    return
                for direction in self._directions:
                    if direction.source in ready:
                        direction.take()
                    if direction.sink in free:
                        direction.send()
        except OSError:
            pass  # one end has gone; the other finds a silent line, as with a cut cable


class _Direction:
    """What goes one way, and waits."""

    def __init__(self, source: int, sink: int, frames: FaultyFrames) -> None:
        self.source = source
        self.sink = sink
        self.due_s = 0.0
        self._frames = frames
        self._pieces: deque[Piece] = deque()

    def wants_bytes(self) -> bool:
        return not self._pieces

    def can_send(self, now_s: float) -> bool:
        return bool(self._pieces) and now_s >= self.due_s

    def take(self) -> None:
        self._pieces += self._frames.feed(os.read(self.source, _READ_BYTES))
        self._wait_for_first()

    def send(self) -> None:
        """Send what may go now: the first piece, and what follows it without a pause."""
        pieces = [self._pieces.popleft().data]
        while self._pieces and not self._pieces[0].pause_s:
            pieces.append(self._pieces.popleft().data)
        data = b"".join(pieces)
        rest = data[os.write(self.sink, data) :] if data else b""
        if rest:
            self._pieces.appendleft(Piece(0.0, rest))
        else:
            self._wait_for_first()

    def _wait_for_first(self) -> None:
        if self._pieces and self._pieces[0].pause_s:
            self.due_s = time.monotonic() + self._pieces[0].pause_s
