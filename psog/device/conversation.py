"""Question and answer with a headset while it streams: retries, matching of replies, nothing lost between."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from psog.device.error_codes import ERROR_TEXT, DeviceErrorCode
from psog.device.frames import SEQUENCE_MODULUS, Frame, encode
from psog.device.layout import Message
from psog.device.link import Link
from psog.device.messages import ACK, HELLO, HELLO_REQUEST, PROTOCOL_VERSION, TIME_REQUEST, TUNE_PROGRESS
from psog.device.samples import SAMPLE_OF
from psog.device.timekeeping import TimeKeeper
from psog.errors import DeviceError, LinkError, ProtocolError

TRIES = 3
"""A frame in a hundred lost both ways leaves 8 in a million commands unanswered after three tries."""

_TIME_TRIES = 8
"""Probes before the first sample, so that it has a host time already (a weak value)."""

Values = Mapping[str, Any]

BYTES = "bytes"
"""Under this name the values of a report have its tail."""


class CommandRefusedError(DeviceError):
    """The headset answered a command with an error; `code` says which (DeviceErrorCode or its number)."""

    def __init__(self, port: str, command: str, code: int) -> None:
        known = code in DeviceErrorCode.__members__.values()
        self.code = DeviceErrorCode(code) if known else code
        text = ERROR_TEXT[DeviceErrorCode(code)] if known else f"error {code}, unknown to this psog"
        super().__init__(f"the headset at {port} refused {command}: {text}")


class Conversation:
    """Commands and their answers over a link; what is streamed meanwhile waits in order.

    Args:
        link: the open link; the conversation does not close it.
        timeout_s: how long one answer may take before the command is repeated.
    """

    def __init__(self, link: Link, timeout_s: float) -> None:
        self.link = link
        self.timeout_s = timeout_s
        self._seq = secrets.randbelow(SEQUENCE_MODULUS)
        self._streamed: deque[Frame] = deque()
        self._progress: deque[Values] = deque()
        self._keeper: TimeKeeper | None = None

    def command(
        self,
        message: Message,
        values: Values | None = None,
        tail: bytes = b"",
        *,
        report: Message | None = None,
        timeout_s: float | None = None,
        tries: int = TRIES,
    ) -> Values:
        """Send a command until it is acknowledged; the values of its `report` (BYTES: its tail), or nothing.

        Raises:
            CommandRefusedError: the headset answers with an error.
            LinkError: no answer, or the port has gone.
            ProtocolError: an answer of the wrong length.
        """
        seq = self._next_seq()
        frame = Frame(message.code, seq, message.pack(values or {}, tail))
        limit_s = self.timeout_s if timeout_s is None else timeout_s
        for _ in range(tries):
            self.link.send(frame)
            answer = self._answer(seq, message, report, time.monotonic() + limit_s)
            if answer is not None:
                return answer
        raise LinkError(
            f"the headset at {self.link.port} does not answer {message.name} "
            f"({tries} × {limit_s:g} s); check the cable, restart the headset"
        )

    def hello(self, timeout_s: float | None = None, tries: int = TRIES) -> Values:
        """The values of HELLO.

        Raises:
            LinkError: nothing that speaks the protocol answers.
            ProtocolError: the other end speaks another version.
        """
        seq = self._next_seq()
        frame = Frame(HELLO_REQUEST.code, seq, HELLO_REQUEST.pack({"protocol": PROTOCOL_VERSION}))
        limit_s = self.timeout_s if timeout_s is None else timeout_s
        for _ in range(tries):
            self.link.send(frame)
            deadline_s = time.monotonic() + limit_s
            while (reply := self._next_reply(deadline_s)) is not None:
                if reply.type == HELLO.code:
                    self._check_version(reply.payload)
                    values, _ = HELLO.unpack(reply.payload)
                    if values["reply_to"] == seq:
                        return values
        raise LinkError(
            f"nothing at {self.link.port} answers as a psog headset ({tries} × {limit_s:g} s); "
            "check that this is the headset's port"
        )

    def next_streamed(self, deadline_s: float) -> Frame | None:
        """The next frame of a stream, or None when none comes by `deadline_s` (time.monotonic)."""
        self._keep_time()
        while not self._streamed:
            frame = self.link.receive(deadline_s)
            if frame is None:
                return None
            self._sort(frame)
            self._keep_time()
        return self._streamed.popleft()

    def return_streamed(self, frame: Frame) -> None:
        """Put back the frame that `next_streamed` gave last."""
        self._streamed.appendleft(frame)

    def take_streamed(self) -> list[Frame]:
        """Every frame of a stream that has arrived; waits for none."""
        try:
            while (frame := self.link.receive(0.0)) is not None:
                self._sort(frame)
            self._keep_time()
        except LinkError:
            if not self._streamed:
                raise  # else it will be raised again, once what came before has been taken
        frames = list(self._streamed)
        self._streamed.clear()
        return frames

    def keep_time(self, keeper: TimeKeeper) -> None:
        """Ask for the device's time now, and again whenever samples are asked for."""
        self._keeper = keeper
        self.link.watch = keeper.answered
        for _ in range(_TIME_TRIES):
            self._ask_time(keeper)
            deadline_s = time.monotonic() + self.timeout_s
            while keeper.is_waiting and (frame := self.link.receive(deadline_s)) is not None:
                self._sort(frame)
            if keeper.refused or keeper.is_waiting:
                break  # it has had no reading yet, or an answer was lost

    def drop_samples(self) -> None:
        """Forget every sample that has arrived."""
        now_s = time.monotonic()
        while (frame := self.link.receive(now_s)) is not None:
            self._sort(frame)
        self._streamed.clear()

    def next_progress(self, deadline_s: float) -> Values | None:
        """The values of the next TUNE_PROGRESS, or None when none comes by `deadline_s`."""
        while not self._progress and time.monotonic() < deadline_s:
            frame = self.link.receive(deadline_s)
            if frame is not None:
                self._sort(frame)
        return self._progress.popleft() if self._progress else None

    def drop_progress(self) -> None:
        """Forget every TUNE_PROGRESS that has arrived."""
        self._progress.clear()

    def _keep_time(self) -> None:
        """Only between commands: a device answers just the last one again when that is repeated."""
        if self._keeper is None:
            return
        if not self._keeper.is_waiting:
            self.link.in_haste.clear()
        if self._keeper.is_due():
            self._ask_time(self._keeper)

    def _ask_time(self, keeper: TimeKeeper) -> None:
        seq = self._next_seq()
        encoded = encode(Frame(TIME_REQUEST.code, seq, TIME_REQUEST.pack({})))
        keeper.asking(seq)
        self.link.in_haste.set()  # a pause before the answer is read would count as a long way
        with contextlib.suppress(LinkError):  # who receives is told, after all that came before
            self.link.send_bytes(encoded)

    def _answer(self, seq: int, message: Message, report: Message | None, deadline_s: float) -> Values | None:
        found: Values | None = None if report else {}
        while (frame := self._next_reply(deadline_s)) is not None:
            if report and frame.type == report.code:
                values, tail = report.unpack(frame.payload)
                if report.tail:
                    values[BYTES] = tail
                found = values if values["reply_to"] == seq else found
            elif frame.type == ACK.code:
                values, _ = ACK.unpack(frame.payload)
                if (values["reply_to"], values["command"]) != (seq, message.code):
                    continue  # the second answer to a command that was repeated
                if values["error"] != DeviceErrorCode.OK:
                    raise CommandRefusedError(self.link.port, message.name, values["error"])
                return found  # None when the report was lost: ask again
        return None

    def _next_reply(self, deadline_s: float) -> Frame | None:
        """The next frame that is neither streamed nor a progress report; None at the deadline."""
        while time.monotonic() < deadline_s:
            frame = self.link.receive(deadline_s)
            if frame is not None and not self._sort(frame):
                return frame
        return None

    def _sort(self, frame: Frame) -> bool:
        """Queue a streamed frame or a progress report; false for everything else."""
        if frame.type in SAMPLE_OF:
            self._streamed.append(frame)
            return True
        if frame.type == TUNE_PROGRESS.code:
            self._progress.append(TUNE_PROGRESS.unpack(frame.payload)[0])
            return True
        return False

    def _check_version(self, payload: bytes) -> None:
        """The version stands at the same place in every version; nothing else is sure before it is known."""
        version = int.from_bytes(payload[2:4], "little")
        if version != PROTOCOL_VERSION:
            raise ProtocolError(
                f"the headset at {self.link.port} speaks protocol version {version}, "
                f"this psog speaks version {PROTOCOL_VERSION}; update the older of the two"
            )

    def _next_seq(self) -> int:
        self._seq = (self._seq + 1) % SEQUENCE_MODULUS
        return self._seq
