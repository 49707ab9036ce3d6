"""Feeder: plays the sensors and the display of a virtual headset, on the board's sensor bus."""

from __future__ import annotations

import threading
import time

from psog.device.frames import SEQUENCE_MODULUS, Frame, encode
from psog.device.link import Link
from psog.device.messages import DISPLAY, READING
from psog.virtual.source import Readings, Source, Target

BATCH_S = 0.004
"""Readings are sent this often: short against the 15 ms a display frame takes, long against the 0.1 ms that
waking up costs."""
_WAKE_S = 0.2
"""A signal that arrives just before a thread falls asleep is seen when it wakes, so waiting has an end."""
_LARGEST_LAG_S = 0.05
"""Behind by more than this, the feeder does not catch up: device time then passes slower than asked for,
which harms less than a burst that the device's link cannot carry."""


class Feeder:
    """Sends a source's readings in real time, in a thread, until the source ends or `stop`.

    Args:
        bus: the board's sensor bus.
        source: what the sensors read; called only from the feeder's thread.
        speed: device seconds per second.
        batch_s: how often readings are sent.
    """

    def __init__(self, bus: Link, source: Source, speed: float = 1.0, batch_s: float = BATCH_S) -> None:
        self._bus = bus
        self._source = source
        self._speed = speed
        self._batch_s = batch_s
        self._seq = 0
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="psog feeder", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Stop sending. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the source has ended; false when it has not by then.

        Raises:
            LinkError: the board has gone; or whatever else went wrong in the thread.
        """
        ended = self._ended.wait(_WAKE_S if timeout_s is None else timeout_s)
        while timeout_s is None and not ended:
            ended = self._ended.wait(_WAKE_S)
        if self._error is not None:
            raise self._error
        return ended

    def _run(self) -> None:
        try:
            self._feed()
        except Exception as error:  # handed to whoever waits
            self._error = error
        finally:
            self._ended.set()

    def _feed(self) -> None:
        elapsed_us = 0.0
        due_s = time.monotonic()
        while not self._stopping.is_set():
            self._watch_display()
            elapsed_us += self._batch_s * self._speed * 1e6
            readings = self._source.take(round(elapsed_us))
            if readings is None:
                return
            self._send(readings)
            due_s += self._batch_s
            lag_s = time.monotonic() - due_s
            if lag_s < 0:
                self._stopping.wait(-lag_s)
            elif lag_s > _LARGEST_LAG_S:
                due_s += lag_s

    def _send(self, readings: Readings) -> None:
        frames = []
        for t_us, wire in zip(readings.t_us.tolist(), readings.wire.astype("<u2"), strict=True):
            payload = READING.pack({"t_us": t_us}, wire.tobytes())
            frames.append(encode(Frame(READING.code, self._seq, payload)))
            self._seq = (self._seq + 1) % SEQUENCE_MODULUS
        if frames:
            self._bus.send_bytes(b"".join(frames))

    def _watch_display(self) -> None:
        while (frame := self._bus.receive(0.0)) is not None:
            if frame.type == DISPLAY.code:
                values, _ = DISPLAY.unpack(frame.payload)
                shown = Target(values["target_h_deg"], values["target_v_deg"])
                self._source.show(shown if values["visible"] else None)
