#!/usr/bin/env python3
"""A client of a headset, written from docs/SPEC.md alone: a pattern for one in another language.

    python examples/client.py /dev/ttyACM0 5 > gaze.txt

It says on stderr who the headset is, prints five seconds of gaze, a sample a line, and says what was lost.
It needs Python's standard library and a system with termios, and nothing of psog, whose own client
(`psog.device`) also reconnects, follows the device's clock and reads while the program is busy.
"""

import argparse
import os
import select
import struct
import sys
import termios
import time
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

PROTOCOL = 6
HELLO_REQUEST, STREAM_SET, STATUS_REQUEST, TIME_REQUEST = 0x01, 0x02, 0x31, 0x32
ACK, HELLO, STATUS, TIME, GAZE = 0x80, 0x81, 0x82, 0x84, 0x90
LAYOUTS = {ACK: "<HBh", HELLO: "<HHH16s16sHHIBBIIBBB", STATUS: "<HIIIIB", TIME: "<HQ", GAZE: "<QffffB"}
"""Payloads, field by field as in SPEC.md's table; < is little-endian without padding."""
STREAM_GAZE, VALID = 1, 1
NAMES = (
    "RANGE LENGTH STATE IMAGE HEADSET SELF_TEST FLASH NO_MODEL TOO_FEW UNKNOWN CRC CORE SIGNATURE ROLLBACK "
    "NOT_BETTER OTHER_MODEL LEAN"
)
ERRORS = {-number: name for number, name in enumerate(NAMES.split(), start=1)}
ANSWER_S, TRIES, SILENCE_S = 0.5, 3, 2.0
"""Weak values, far above the milliseconds that these commands, and the time between two samples, take."""


class ClientError(Exception):
    """What went wrong, in one line."""


class Frame(NamedTuple):
    """Type, sequence number and payload of a frame that is whole."""

    kind: int
    sequence: int
    payload: bytes


def encode(frame: Frame) -> bytes:
    """The frame as it travels. COBS: its length + 1 before each run without zeros; none here reaches 254."""
    body = struct.pack("<BBH", frame.kind, 0, frame.sequence) + frame.payload
    body += struct.pack("<I", zlib.crc32(body))
    return b"".join(bytes([len(run) + 1]) + run for run in body.split(b"\0")) + b"\0"


def decode(coded: bytes) -> Frame | None:
    """The frame of the bytes between two zeros; None if they are damaged."""
    runs = []
    while coded:
        if coded[0] > len(coded):
            return None
        runs.append(coded[1 : coded[0]])
        coded = coded[coded[0] :]
    body = b"\0".join(runs)
    if not 8 <= len(body) <= 216 or body[1] or zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], "little"):
        return None
    return Frame(body[0], int.from_bytes(body[2:4], "little"), body[4:-4])


def fields(frame: Frame) -> tuple[Any, ...]:
    """The payload's fields. Raises ClientError where another version's payload comes."""
    if frame.kind == HELLO and (protocol := int.from_bytes(frame.payload[2:4], "little")) != PROTOCOL:
        raise ClientError(f"the headset speaks protocol {protocol}, this client {PROTOCOL}")
    if len(frame.payload) != (size := struct.calcsize(LAYOUTS[frame.kind])):
        raise ClientError(f"message {frame.kind:#04x} has {len(frame.payload)} bytes, expected {size}")
    return struct.unpack(LAYOUTS[frame.kind], frame.payload)


def open_port(port: str) -> int:
    """A file descriptor on the port: 921,600 baud, 8N1, every byte as it is."""
    fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    settings = termios.tcgetattr(fd)
    settings[:4] = [0, 0, termios.CS8 | termios.CREAD | termios.CLOCAL, 0]  # no echo, no flow control
    settings[4:6] = [termios.B921600] * 2
    settings[6][termios.VMIN], settings[6][termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSAFLUSH, settings)
    return fd


class Headset:
    """A headset at the end of a port. `received`, `lost` and `damaged` count frames since its HELLO."""

    def __init__(self, port: str) -> None:
        self.fd = open_port(port)
        self.arrived = b""
        self.next_command = int.from_bytes(os.urandom(2), "little")
        self.last: int | None = None
        self.received = self.lost = self.damaged = 0
        os.write(self.fd, b"\0")  # ends what an earlier program may have left half sent
        hello = self.ask(HELLO_REQUEST, struct.pack("<H", PROTOCOL), report=HELLO)
        _, _, self.firmware, board, headset = hello[:5]
        self.board = board.rstrip(b"\0").decode("utf-8", "replace")
        self.headset = headset.rstrip(b"\0").decode("utf-8", "replace")
        self.received = self.lost = self.damaged = 0

    def frame(self, until_s: float) -> Frame | None:
        """The next whole frame; None if none comes before `until_s`, a time.monotonic()."""
        while (left_s := until_s - time.monotonic()) > 0:
            coded, zero, rest = self.arrived.partition(b"\0")
            if zero:
                self.arrived = rest
                frame = decode(coded)
                if frame and self.is_new(frame.sequence):
                    return frame
                self.damaged += coded != b"" and frame is None
            elif select.select([self.fd], [], [], left_s)[0]:
                if not (more := os.read(self.fd, 4096)):
                    raise ClientError("the headset has gone")
                self.arrived += more
        return None

    def is_new(self, sequence: int) -> bool:
        """Counts a frame and those missing before it. A line may bring one twice: the second is no news."""
        ahead = 1 if self.last is None else (sequence - self.last) % 65536
        self.last = sequence
        self.received += ahead > 0
        self.lost += max(ahead - 1, 0)
        return ahead > 0

    def ask(self, command: int, payload: bytes = b"", report: int = ACK) -> tuple[Any, ...]:
        """The fields of a command's report, or of its ACK; what is streamed meanwhile goes by."""
        sequence, self.next_command = self.next_command, (self.next_command + 1) % 65536
        last = HELLO if command == HELLO_REQUEST else ACK  # of the answer's frames
        for _ in range(TRIES):
            os.write(self.fd, encode(Frame(command, sequence, payload)))
            until_s = time.monotonic() + ANSWER_S
            told = None
            while frame := self.frame(until_s):
                if frame.kind not in (ACK, report) or frame.payload[:2] != struct.pack("<H", sequence):
                    continue
                if frame.kind == ACK and (error := fields(frame)[2]):
                    raise ClientError(f"the headset refuses {command:#04x}: {ERRORS.get(error, error)}")
                if frame.kind == report:
                    told = fields(frame)
                if frame.kind == last and told:  # a report that did not arrive is asked for again
                    return told
        raise ClientError(f"no headset answers {command:#04x}, asked {TRIES} times for {ANSWER_S:g} s")

    def gaze(self, seconds: float) -> Iterator[tuple[Any, ...]]:
        """The fields of each GAZE frame until the time is over."""
        end_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < end_s:
            frame = self.frame(min(end_s, now_s + SILENCE_S))
            if frame is None and time.monotonic() < end_s:
                raise ClientError(f"the headset sent nothing for {SILENCE_S:g} s; are its sensors read?")
            if frame and frame.kind == GAZE:
                yield fields(frame)


def run(port: str, seconds: float) -> None:
    """Who the headset is, gaze for so many seconds, and what came of it."""
    device = Headset(port)
    version = f"{device.firmware >> 8}.{device.firmware & 255}"
    print(f"{device.headset or 'no model'} on {device.board}, firmware {version}", file=sys.stderr)
    if not device.headset:
        raise ClientError("the headset has no model and so no gaze")
    device.ask(STREAM_SET, bytes([STREAM_GAZE]))
    for t_us, right_deg, up_deg, openness, error_deg, flags in device.gaze(seconds):
        valid = "valid" if flags & VALID else "not-valid"
        print(f"{t_us} {right_deg:.3f} {up_deg:.3f} {openness:.2f} {error_deg:.2f} {valid}", flush=True)
    device.ask(STREAM_SET, bytes([0]))
    _, readings, bad_readings, bad_frames, dropped, _ = device.ask(STATUS_REQUEST, report=STATUS)
    _, now_us = device.ask(TIME_REQUEST, report=TIME)
    print(f"{device.received} frames, {device.lost} lost, {device.damaged} damaged", file=sys.stderr)
    told = f"{readings} readings, {bad_readings} bad, {bad_frames} bad frames, {dropped} dropped; {now_us} us"
    print(f"since its start the headset counts {told}", file=sys.stderr)


def main() -> int:
    """Exit code 0, or 1 after a line that says why."""
    parser = argparse.ArgumentParser(description="Print t_us right_deg up_deg openness error_deg valid.")
    parser.add_argument("port", help="serial port or pseudo-terminal")
    parser.add_argument("seconds", type=float, nargs="?", default=5.0)
    words = parser.parse_args()
    try:
        run(words.port, words.seconds)
    except (KeyboardInterrupt, BrokenPipeError):  # the stream ends with the next program's STREAM_SET
        os._exit(1)
    except (ClientError, OSError, termios.error) as error:
        print(f"client: {words.port}: {error.args[-1]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
