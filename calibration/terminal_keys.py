"""Keys pressed in a terminal while a calibration goes on: pause, go on, take the last point again."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Iterator

from psog.calibration.flow import Abort, State
from psog.calibration.guide import Guide
from psog.calibration.keys import command_for

_POLL_S = 0.1
_NAMES = {" ": "space"}


class TerminalKeys:
    """What is typed on standard input, a terminal, for a guide.

    Keys are psog.calibration.keys', but for those that stop: Ctrl-C does that, as always. None is echoed.
    """

    def __init__(self) -> None:
        self._stdin = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._stdin)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def of(self, guide: Guide) -> Iterator[None]:
        """Give the guide what is typed in this context, until `stop`."""
        tty.setcbreak(self._stdin)
        self._thread = threading.Thread(target=self._attend, args=(guide,), name="psog keys", daemon=True)
        self._thread.start()
        try:
            yield
        finally:
            self.stop()

    def stop(self) -> None:
        """Leave the terminal as it was, for a question. Idempotent."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        termios.tcsetattr(self._stdin, termios.TCSADRAIN, self._before)

    def _attend(self, guide: Guide) -> None:
        while not self._over.is_set():
            ready, _, _ = select.select([self._stdin], [], [], _POLL_S)
            if not ready or guide.flow.state is State.RESULT:
                self._over.wait(_POLL_S)  # what is typed now is an answer
                continue
            typed = os.read(self._stdin, 1).decode("ascii", "replace")
            if not typed:
                return  # no more input will come
            command = command_for(_NAMES.get(typed, typed), guide.flow.state)
            if command is not None and not isinstance(command, Abort):
                guide.give(command)
