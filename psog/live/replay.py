"""A recorded headset on a port of its own: it answers and streams what it did, for any program."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import pty
import select
import struct
import termios
import threading
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Any

from psog.device import messages
from psog.device.error_codes import DeviceErrorCode
from psog.device.frames import Decoder, Frame, encode
from psog.device.layout import Message
from psog.device.messages import BY_CODE, Stream
from psog.errors import ProtocolError, RecordingError
from psog.live.replay_rows import Row, rows_of
from psog.manifest import Manifest, read_manifest

_LONGEST_WAIT_S = 0.5
_AT_ONCE_S = 0.002
"""Readings due within this are sent together: hundreds of times a second is often enough to wake up."""
_SETTLED_S = 0.3
"""How long a port must have had nothing to read to be read to its end: the system hands bytes on in a moment
of its own, and what it still holds when a pseudo-terminal closes is lost (a weak value)."""
_MOST_PENDING_BYTES = 16_384
"""Frames for a port that nobody reads fast enough: replay waits for the reader, and loses nothing."""


class ReplayedHeadset:
    """Answers HELLO, STREAM_SET, STATUS and TIME as the recorded headset; a client opens `port`.

    A context manager. The recording runs while somebody has something streamed, and stands still otherwise.
    A reader that is too slow is waited for. Times that the headset was away are left out.

    Args:
        folder: a live recording.
        speed: recorded seconds per second; math.inf is as fast as it is read. At another speed than 1 its
            clock is no clock, and TIME is refused.
        loop: begin again at the end; time goes on.
    Attributes:
        sent: readings that were streamed.

    Raises:
        RecordingError: not a live recording, or one without rows.
    """

    def __init__(self, folder: Path, *, speed: float = 1.0, loop: bool = False) -> None:
        self._manifest = read_manifest(folder)
        self._hello = _hello(self._manifest, folder)
        self._streams = Stream.GAZE | (Stream.SENSORS if self._manifest.sensors else Stream(0))
        self._failure: RecordingError | None = None
        self._speed = speed
        self._rows = rows_of(folder, self._manifest, loop=loop)
        self._next: Row | None = next(self._rows)
        self._mask = Stream(0)
        self._began_s = 0.0
        self._due_us = 0
        self._last: Row | None = None
        self.sent = 0
        self._seq = 0
        self._pending = bytearray()
        self._read_s: float | None = None  # when all of it had been read

    def __enter__(self) -> ReplayedHeadset:
        with contextlib.ExitStack() as undo:
            self._port, self._theirs = pty.openpty()
            undo.callback(os.close, self._theirs)
            undo.callback(os.close, self._port)
            tty.setraw(self._theirs)
            os.set_blocking(self._port, False)
            self.port = os.ttyname(self._theirs)
            stop_read, self._stop = os.pipe()
            undo.callback(os.close, stop_read)
            undo.callback(os.close, self._stop)
            self._ended = threading.Event()
            self._thread = threading.Thread(
                target=self._serve, args=(stop_read,), name=f"psog {self.port}", daemon=True
            )
            self._thread.start()
            undo.callback(self._thread.join)
            undo.callback(os.write, self._stop, b"x")
            self._cleanup = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    @property
    def headset(self) -> str:
        """Name of the headset."""
        return self._manifest.headset

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the last reading has been read; false when it has not by then.

        Raises:
            RecordingError: the recording could not be read to its end.
        """
        ended = self._ended.wait(timeout_s)
        if self._failure is not None:
            raise self._failure
        return ended

    def _serve(self, stop: int) -> None:
        try:
            self._serve_until(stop)
        except RecordingError as error:
            self._failure = error
            self._ended.set()

    def _serve_until(self, stop: int) -> None:
        decoder = Decoder()
        while True:
            writing = [self._port] if self._pending else []
            ready, _, _ = select.select([self._port, stop], writing, [], self._patience_s())
            if stop in ready:
                return
            if self._port in ready:
                for frame in decoder.feed(os.read(self._port, 4096)):
                    self._answer(frame)
            self._play()
            with contextlib.suppress(BlockingIOError):
                del self._pending[: os.write(self._port, self._pending) if self._pending else 0]
            self._watch_for_end()

    def _watch_for_end(self) -> None:
        """It has ended a while after all readings had been read; answers that wait later do not count."""
        if self._next is not None:
            self._read_s = None
        elif self._read_s is None:
            if not self._pending and not self._unread():
                self._read_s = time.monotonic()
        elif time.monotonic() - self._read_s > _SETTLED_S:
            self._ended.set()

    def _patience_s(self) -> float:
        """How long there is nothing to do but to answer."""
        if not self._mask or len(self._pending) >= _MOST_PENDING_BYTES:
            return _LONGEST_WAIT_S
        if self._next is None:
            return _LONGEST_WAIT_S if self._ended.is_set() else _SETTLED_S / 10
        if self._speed == math.inf:
            return 0.0
        wait_s = (self._next.due_us - self._now_us()) * 1e-6 / self._speed
        return min(max(wait_s, _AT_ONCE_S), _LONGEST_WAIT_S)

    def _now_us(self) -> float:
        """What the recorded clock shows, after the first reading."""
        if self._speed == math.inf:
            return math.inf
        return self._due_us + (time.monotonic() - self._began_s) * 1e6 * self._speed

    def _play(self) -> None:
        now_us = self._now_us() if self._mask else -math.inf
        while self._next is not None and self._next.due_us <= now_us:
            if len(self._pending) >= _MOST_PENDING_BYTES:
                return
            row = self._next
            if self._mask & Stream.GAZE:
                self._send(messages.GAZE.code, row.gaze)
            if self._mask & Stream.SENSORS:
                self._send(messages.SENSORS.code, row.sensors)
            self._last, self._next = row, next(self._rows, None)
            self.sent += 1

    def _send(self, code: int, payload: bytes) -> None:
        self._pending += encode(Frame(code, self._seq, payload))
        self._seq = (self._seq + 1) % 65536

    def _report(self, message: Message, **values: Any) -> None:
        self._send(message.code, message.pack(values))

    def _answer(self, frame: Frame) -> None:
        message = BY_CODE.get(frame.type)
        if message is messages.HELLO_REQUEST:
            self._report(messages.HELLO, reply_to=frame.seq, **self._hello)
        elif message is not None:
            error = self._carried_out(message, frame)
            self._report(messages.ACK, reply_to=frame.seq, command=message.code, error=int(error))

    def _carried_out(self, message: Message, frame: Frame) -> DeviceErrorCode:
        try:
            values, _ = message.unpack(frame.payload)
        except ProtocolError:
            return DeviceErrorCode.LENGTH
        if message is messages.STREAM_SET:
            if values["mask"] & ~self._streams:
                return DeviceErrorCode.RANGE
            self._set_streams(Stream(values["mask"]))
        elif message is messages.STATUS_REQUEST:
            counts = dict.fromkeys((field.name for field in messages.STATUS.fields), 0)
            self._report(messages.STATUS, **{**counts, "reply_to": frame.seq, "readings": self.sent})
        elif message is messages.TIME_REQUEST:
            if self._last is None or not self._mask or self._speed != 1:
                return DeviceErrorCode.STATE
            t_us = self._last.t_us + max(round(self._now_us()) - self._last.due_us, 0)
            self._report(messages.TIME, reply_to=frame.seq, t_us=t_us)
        else:
            return DeviceErrorCode.UNKNOWN
        return DeviceErrorCode.OK

    def _set_streams(self, wanted: Stream) -> None:
        if wanted and not self._mask:
            self._began_s = time.monotonic()
        elif self._mask and not wanted:
            self._due_us = self._next.due_us if self._next else 0  # where it will go on
        self._mask = wanted

    def _unread(self) -> int:
        """Bytes at the port that nobody has read."""
        answer = fcntl.ioctl(self._theirs, termios.FIONREAD, bytes(4))
        return int(struct.unpack("i", answer)[0])


def _hello(manifest: Manifest, folder: Path) -> dict[str, Any]:
    """What the recorded headset said of itself; one whose readings were not kept has no sensors to show."""
    device = manifest.provenance.get("device")
    if not manifest.estimated or not isinstance(device, dict):
        raise RecordingError(
            f"{folder} is not what a headset streamed; play its readings through the firmware with "
            f"psog virtual --recording {folder}"
        )
    known = {field.name: device.get(field.name, 0) for field in messages.HELLO.fields}
    known |= {"headset": manifest.headset, "sensors": manifest.sensors}
    known |= {"protocol": messages.PROTOCOL_VERSION}
    del known["reply_to"]
    try:
        messages.HELLO.pack({"reply_to": 0, **known})
    except (struct.error, TypeError, ValueError) as error:
        raise RecordingError(
            f"{folder}: its manifest describes no headset: {error}; copy it again"
        ) from error
    return known
