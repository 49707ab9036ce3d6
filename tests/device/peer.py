"""A headset made of Python on a real pty: speaks the protocol, and misbehaves when told to."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterator
from typing import Any

from psog.device import messages as m
from psog.device.error_codes import DeviceErrorCode
from psog.device.frames import Decoder, Frame, encode
from psog.device.identity import model_crc32
from psog.device.layout import Message
from psog.device.messages import BY_CODE, Stream

Wire = Callable[[int, bytes], bytes]
"""What becomes of the n-th encoded frame the peer sends."""


class Peer:
    """Answers like a headset until closed.

    Args:
        version: protocol version it says it speaks.
        silent: read everything, answer nothing.
        wire: applied to every encoded frame before it is sent; b"" loses it.
        refuse: error codes by message name.
        deaf_to: how often the first transmissions of a command, by name, are not answered.
        headset: of the installed model; "" for none. sensors: how many it says it has.
        readings: how many it has as soon as anything is streamed.
        gaze_h_deg: what it streams; t_us / 1e6 when None.
        clock_us: what its clock shows; None for a device without a reading yet.
    """

    def __init__(
        self,
        *,
        version: int = m.PROTOCOL_VERSION,
        silent: bool = False,
        wire: Wire = lambda _index, data: data,
        refuse: dict[str, DeviceErrorCode] | None = None,
        deaf_to: dict[str, int] | None = None,
        headset: str = "ring16",
        sensors: int = 16,
        readings: int = 0,
        gaze_h_deg: float | None = None,
        clock_us: Callable[[], int] | None = None,
    ) -> None:
        self.clock_us = clock_us
        self.readings = readings
        self.gaze_h_deg = gaze_h_deg
        self.headset = headset
        self.sensors = sensors
        self.version = version
        self.silent = silent
        self.wire = wire
        self.refuse = refuse or {}
        self.deaf_to = dict(deaf_to or {})
        self.carried_out: list[tuple[str, dict[str, Any]]] = []
        self.installed = self.before = b""
        self.uploading = bytearray()
        self.announced: dict[str, Any] = {}
        self.trial = False
        self.expected = b""  # what an upload must have brought; b"" for anything
        self.blind = False  # reads its sensors, but has no gaze
        self.dies_of = b""  # a model with which it answers nothing
        self.statuses = 0
        self.mask = Stream(0)
        self.target = (0.0, 0.0, False)
        self._sent = 0
        self._seq = 0
        self._t_us = 0
        self._last: tuple[int, int, bytes] | None = None
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._stop_read, self._stop_write = os.pipe()
        self._sending = threading.Lock()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Unplug."""
        if self._thread.is_alive():
            os.write(self._stop_write, b"x")
            self._thread.join()
            for descriptor in (self._master, self._slave, self._stop_read, self._stop_write):
                os.close(descriptor)

    def send(self, message: Message, tail: bytes = b"", **values: Any) -> None:
        """Send one frame, counted whether the wire loses it or not."""
        with self._sending:
            data = self.wire(self._sent, encode(Frame(message.code, self._seq, message.pack(values, tail))))
            self._sent += 1
            self._seq = (self._seq + 1) % 65536
            os.write(self._master, data)

    def send_raw(self, data: bytes) -> None:
        os.write(self._master, data)

    def read_sensors(self, count: int) -> None:
        """Pretend to have `count` readings, 1 ms apart, and stream what is asked for."""
        for _ in range(0 if self.blind else count):
            self._t_us += 1000
            h_deg = self._t_us / 1e6 if self.gaze_h_deg is None else self.gaze_h_deg
            gaze = {"gaze_h_deg": h_deg, "gaze_v_deg": -1.0, "openness": 1.0}
            gaze |= {"expected_error_deg": 2.0, "flags": int(m.GazeFlag.VALID | m.GazeFlag.STILL)}
            if self.mask & Stream.GAZE:
                self.send(m.GAZE, t_us=self._t_us, **gaze)
            if self.mask & Stream.TRIAL:
                self.send(m.TRIAL, t_us=self._t_us, **gaze)
            if self.mask & Stream.FEATURES:
                self.send(m.FEATURES, bytes([1, 255]), t_us=self._t_us)
            if self.mask & Stream.SENSORS:
                self.send(m.SENSORS, b"\x01\x00\xff\xff", t_us=self._t_us)

    def _serve(self) -> None:
        decoder = Decoder()
        while True:
            ready, _, _ = select.select([self._master, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            for frame in decoder.feed(os.read(self._master, 4096)):
                if not self.silent:
                    self._handle(frame)

    def _handle(self, frame: Frame) -> None:
        message = BY_CODE[frame.type]
        if self.deaf_to.get(message.name, 0):
            self.deaf_to[message.name] -= 1
            return
        if self.dies_of and self.installed == self.dies_of:
            return
        if message is m.HELLO_REQUEST:
            self._hello(frame.seq)
            return
        repeated = self._last == frame
        self._last = frame
        values, tail = message.unpack(frame.payload)
        error = self.refuse.get(message.name, DeviceErrorCode.OK)
        if not error and not repeated:
            self.carried_out.append((message.name, values))
            error = self._carry_out(message, values, tail)
        if not error and message is m.STATUS_REQUEST:
            self.statuses += self.blind
            counts = {"readings": 5 + self.statuses, "bad_readings": 1, "bad_frames": 2, "dropped": 3}
            self.send(m.STATUS, reply_to=frame.seq, hung_restarts=0, **counts)
        if not error and message is m.MODEL_BEGIN:
            self.send(m.MODEL_OFFSET, reply_to=frame.seq, offset=len(self.uploading))
        if not error and message is m.TIME_REQUEST:
            if self.clock_us is None:
                error = DeviceErrorCode.STATE
            else:
                self.send(m.TIME, reply_to=frame.seq, t_us=self.clock_us())
        if not error and message is m.TUNE_SOLVE:
            errors = {"before_deg": 4.0, "after_deg": 1.0, "left_out_deg": 1.5, "left_out_worst_deg": 2.0}
            errors |= {"in_use_deg": 3.0, "unexplained": 0.125}
            self.send(m.TUNE_RESULT, reply_to=frame.seq, samples=90, targets=9, verdict=0, **errors)
        self.send(m.ACK, reply_to=frame.seq, command=message.code, error=int(error))
        if not error and not repeated and message is m.TUNE_TARGET:
            self.read_sensors(values["samples"])
            self.send(m.TUNE_PROGRESS, added=values["samples"], rejected=1, saturated=0, moving=0)
        if not error and not repeated and message is m.STREAM_SET and self.mask:
            self.read_sensors(self.readings)

    def _carry_out(self, message: Message, values: dict[str, Any], tail: bytes) -> DeviceErrorCode:
        if message is m.STREAM_SET:
            self.mask = Stream(values["mask"])
        elif message is m.MODEL_BEGIN:
            if values != self.announced:
                self.uploading = bytearray()
            self.announced = values
        elif message is m.MODEL_DATA:
            if values["offset"] != len(self.uploading):
                return DeviceErrorCode.RANGE
            self.uploading += tail
        elif message is m.MODEL_COMMIT:
            image = bytes(self.uploading)
            trailer = model_crc32(image)
            damaged = self.expected not in (b"", image)
            if damaged or (len(image), trailer) != (self.announced["image_bytes"], self.announced["crc32"]):
                self.announced = {}
                return DeviceErrorCode.CRC
            self.before, self.installed, self.trial, self.announced = self.installed, image, True, {}
        elif message is m.MODEL_CONFIRM:
            self.trial = False
        elif message is m.RESTART:
            self.mask = Stream(0)
            if self.trial:
                self.installed, self.trial = self.before, False
        elif message is m.TARGET_SHOW:
            self.target = (values["target_h_deg"], values["target_v_deg"], bool(values["visible"]))
        return DeviceErrorCode.OK

    def _hello(self, seq: int) -> None:
        self.send(
            m.HELLO,
            reply_to=seq,
            protocol=self.version,
            firmware=256,
            board="peer",
            headset=self.headset,
            sensors=self.sensors,
            features=2,
            model_crc32=model_crc32(self.installed),
            calibrated=0,
            paired=0,
            image_room=1 << 20,
            model_version=0,
            trial=int(self.trial),
            development=1,
            standardised=0,
        )


@contextlib.contextmanager
def peer(**options: Any) -> Iterator[Peer]:
    """A Peer that is closed at the end."""
    one = Peer(**options)
    try:
        yield one
    finally:
        one.close()
