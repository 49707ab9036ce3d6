"""An output that may be slow, in a thread of its own, so that others need not wait for it."""

from __future__ import annotations

import threading
from collections import deque

from psog.live.batch import Batch
from psog.live.outputs import Output

MOST_WAITING = 60_000
"""Readings that wait for a slow output: a minute at 1 kHz (a weak value)."""


class Apart:
    """Writes to another output from a thread. What does not fit into the queue is missed, newest first."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._waiting: deque[Batch] = deque()
        self._count = 0
        self._missed = 0
        self._closing = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="psog output", daemon=True)
        self._thread.start()

    @property
    def missed(self) -> int:
        """See Output."""
        return self._missed + self._output.missed

    def write(self, batch: Batch) -> None:
        """See Output. Raises what the output raised in its thread."""
        with self._changed:
            if self._error is not None:
                raise self._error
            if self._count + len(batch.t_us) > MOST_WAITING:
                self._missed += len(batch.t_us)
                return
            self._waiting.append(batch)
            self._count += len(batch.t_us)
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, then let go."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._output.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closing)
                if not self._waiting:
                    return
                batch = self._waiting.popleft()
                self._count -= len(batch.t_us)
            try:
                self._output.write(batch)
            except BaseException as error:  # raised by the next write
                with self._changed:
                    self._error = error
                return
