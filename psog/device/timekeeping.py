"""Probes for the device's clock: when to ask, and which answer belongs to which question."""

from __future__ import annotations

import time
from collections import deque

from psog.device.clock import DeviceClock, Probe
from psog.device.frames import Frame
from psog.device.messages import ACK, TIME, TIME_REQUEST
from psog.errors import ProtocolError

FIRST_PROBES = 300
_FIRST_EVERY_S = 0.01
"""At first a probe every 10 ms, so that both directions have had a quick passage after a second; then
twenty a second, 1 % of a serial link's bytes (weak values)."""
_EVERY_S = 0.05
_LOST_AFTER_S = 1.0


class TimeKeeper:
    """Asks a headset for its time now and then, one question at a time, and teaches its DeviceClock.

    `answered` is called by the thread that receives, everything else by the one that asks.
    """

    def __init__(self) -> None:
        self.clock = DeviceClock()
        self.refused = False
        self._left = FIRST_PROBES
        self._waiting = False
        self._asked: tuple[int, float] | None = None  # sequence number, when
        self._answers: deque[tuple[int, float, int | None]] = deque()  # of what, when, device time
        now_s = time.monotonic()
        self._wall_minus_host_s = time.time() - (now_s + time.monotonic()) / 2

    def is_due(self) -> bool:
        """Whether it is time for the next probe."""
        self._take_answers()
        if self._asked is None:
            return True
        _, asked_s = self._asked
        every_s = _FIRST_EVERY_S if self._left > 0 else _EVERY_S
        return time.monotonic() - asked_s >= (_LOST_AFTER_S if self.is_waiting else every_s)

    @property
    def is_waiting(self) -> bool:
        """Whether the last question has no answer yet."""
        self._take_answers()
        return self._waiting

    def asking(self, seq: int) -> None:
        """A question with this sequence number is about to be sent."""
        self._asked, self._waiting = (seq, time.monotonic()), True
        self._left -= 1

    def answered(self, frame: Frame, arrived_s: float) -> None:
        """A frame has arrived; it may be an answer."""
        try:
            if frame.type == TIME.code:
                values, _ = TIME.unpack(frame.payload)
                self._answers.append((values["reply_to"], arrived_s, values["t_us"]))
            elif frame.type == ACK.code:
                values, _ = ACK.unpack(frame.payload)
                if values["command"] == TIME_REQUEST.code and values["error"]:
                    self._answers.append((values["reply_to"], arrived_s, None))
        except ProtocolError:
            pass  # whoever waits for the frame says so

    def host_time_s(self, t_us: int) -> float | None:
        """Host time (time.monotonic) of a device time; None while it is not known. See DeviceClock."""
        self._take_answers()
        return self.clock.host_time_s(t_us, time.monotonic())

    def wall_time_s(self, t_us: int) -> float | None:
        """The same as seconds since 1970, by the computer's clock as it stood when this began."""
        host_s = self.host_time_s(t_us)
        return None if host_s is None else host_s + self._wall_minus_host_s

    def _take_answers(self) -> None:
        while self._answers:
            seq, arrived_s, t_us = self._answers.popleft()
            if self._asked is None or seq != self._asked[0]:
                continue  # it came after it was given up
            self._waiting, self.refused = False, t_us is None
            if t_us is not None and not self.clock.add(Probe(self._asked[1], arrived_s, t_us)):
                self._left = FIRST_PROBES  # another clock, to be learnt anew
