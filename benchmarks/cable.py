"""A cable between a virtual headset and its port that can be pulled out, after any byte."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import termios
import threading
import time
import tty
from pathlib import Path
from types import TracebackType

_READ_BYTES = 4096
_PATIENCE_S = 0.1
"""How long room is waited for. A terminal that is being read has none for an instant now and then."""


class Cable:
    """Carries bytes between a headset's port and `link`, a name that is there while it is plugged in.

    A context manager, plugged in from the beginning.

    Args:
        port: the headset's.
        link: symbolic link to make.
    """

    def __init__(self, port: str, link: Path) -> None:
        self._headset = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._headset)
        self.link = link
        self._plugged = False
        self._pulled_s = 0.0
        self._left: int | None = None
        self.plug()

    def __enter__(self) -> Cable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pull(0)
        os.close(self._headset)

    def plug(self) -> None:
        """Plug it in: the link leads to a new terminal."""
        termios.tcflush(self._headset, termios.TCIOFLUSH)
        self._plugged = True
        self._left = None
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="psog cable", daemon=True)
        self._thread.start()
        self.link.symlink_to(os.ttyname(self._slave))

    def pull(self, after_bytes: int) -> None:
        """Pull it out once so many more bytes have reached the host; returns when that has happened."""
        if not self._plugged:
            return
        self._left = after_bytes
        os.write(self._wake_write, b"x")
        self._thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._plugged = False

    @property
    def pulled_s(self) -> float:
        """When it was pulled out last (time.monotonic)."""
        return self._pulled_s

    def _carry(self) -> None:
        while self._left != 0:
            ready, _, _ = select.select([self._headset, self._master, self._wake_read], [], [])
            if self._wake_read in ready:
                os.read(self._wake_read, 1)
            if self._master in ready:
                os.write(self._headset, os.read(self._master, _READ_BYTES))
            if self._headset in ready:
                self._to_host(os.read(self._headset, _READ_BYTES))
        self.link.unlink()
        self._pulled_s = time.monotonic()
        os.close(self._master)
        os.close(self._slave)

    def _to_host(self, data: bytes) -> None:
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        _, free, _ = select.select([], [self._master], [], _PATIENCE_S)
        if free:  # else nobody reads: what does not fit falls beside the cable
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, data)
