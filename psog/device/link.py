"""Frames over a transport: a thread reads all the time, so that a slow program loses nothing."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

from psog.device.frames import Decoder, Frame, encode
from psog.device.losses import LossCounter, Losses
from psog.errors import LinkError

_MAX_BACKLOG = 250_000
"""Frames kept for a program that does not fetch them: one minute at 1 kHz with all four streams."""


class Transport(Protocol):
    """What carries the bytes: a serial port, or the sensor bus of a virtual headset.

    One thread may read while another writes; every failure is a LinkError.
    """

    port: str

    def read(self) -> bytes:
        """What has arrived, at least one byte; waits for it. Empty after `cancel_read`."""

    def write(self, data: bytes) -> None:
        """Send all of `data`."""

    def cancel_read(self) -> None:
        """Make a waiting `read` return."""

    def close(self) -> None:
        """Give the port back. Idempotent."""


class Link:
    """Sends frames, and receives them in the background with exact loss counting.

    Args:
        transport: an open port; the link closes it.

    Attributes:
        watch: called with every frame and when it arrived (time.monotonic), by the thread that reads.
        linger_s: pause between two reads. To wake for every frame is most of what a thousand a second cost.
        in_haste: while it is set there are no pauses, and one in progress ends.
    """

    watch: Callable[[Frame, float], None] | None = None
    linger_s: float = 0.0

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._frames: queue.SimpleQueue[Frame | LinkError] = queue.SimpleQueue()
        self._failure: LinkError | None = None
        self._decoder = Decoder()
        self._counter = LossCounter()
        self._damaged_before = 0
        self._closing = threading.Event()
        self.in_haste = threading.Event()
        self._reader = threading.Thread(target=self._read, name=f"psog {transport.port}", daemon=True)
        self._reader.start()

    @property
    def port(self) -> str:
        return self._transport.port

    @property
    def losses(self) -> Losses:
        """What came of the frames the headset sent."""
        counter = self._counter
        damaged = self._decoder.damaged - self._damaged_before
        return Losses(counter.received, counter.lost, damaged, counter.restarts)

    def forget_losses(self) -> None:
        """Count anew, from the next frame on: after opening, and after a restart that was asked for."""
        self._counter = LossCounter()
        self._damaged_before = self._decoder.damaged

    def send(self, frame: Frame) -> None:
        """Send one frame.

        Raises:
            LinkError: the port has gone or takes no data.
        """
        self._transport.write(encode(frame))

    def send_bytes(self, encoded: bytes) -> None:
        """Send frames that are encoded already, in one write. Raises as `send`."""
        self._transport.write(encoded)

    def receive(self, deadline_s: float) -> Frame | None:
        """The next frame, or None when none has come by `deadline_s` (time.monotonic).

        Raises:
            LinkError: the port has gone; everything that arrived before has been delivered.
        """
        if self._failure is not None:
            raise LinkError(str(self._failure))
        try:
            item = self._frames.get(timeout=max(deadline_s - time.monotonic(), 0.0))
        except queue.Empty:
            return None
        if isinstance(item, LinkError):
            self._failure = item
            raise LinkError(str(item))
        return item

    def close(self) -> None:
        """Stop reading and give the port back. Idempotent."""
        self._closing.set()
        self.in_haste.set()
        self._transport.cancel_read()
        self._reader.join()
        self._transport.close()

    def _read(self) -> None:
        try:
            while not self._closing.is_set():
                data = self._transport.read()
                arrived_s = time.monotonic()
                for frame in self._decoder.feed(data):
                    if self._counter.accept(frame):
                        if self.watch is not None:
                            self.watch(frame, arrived_s)
                        self._frames.put(frame)
                if self._frames.qsize() > _MAX_BACKLOG:
                    raise LinkError(
                        f"{_MAX_BACKLOG} frames from {self.port} wait to be fetched; "
                        "fetch samples faster or stream less"
                    )
                if self.linger_s:
                    self.in_haste.wait(self.linger_s)
        except LinkError as error:
            self._frames.put(error)
