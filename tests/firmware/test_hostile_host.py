"""The firmware under the sanitizers while host and sensors send it whatever they can think of."""

import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from psog.device import messages as m
from psog.device.frames import Decoder, Frame, encode
from psog.device.identity import model_crc32
from psog.firmware_export.toolchain import available_boards, build_board
from tests.firmware.device import IMAGE, OTHER_IMAGE, reading
from tests.firmware_export.images import repaired

pytestmark = pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")


@contextmanager
def sanitized_board(flash) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Link and sensor bus of a host board that ends with an error as soon as a sanitizer finds something."""
    link, board_link = socket.socketpair()
    sensors, board_sensors = socket.socketpair()
    program = build_board("host", sanitize=True)
    ends = [str(board_link.fileno()), str(board_sensors.fileno())]
    process = subprocess.Popen(
        [str(program), "--link-fd", ends[0], "--sensor-fd", ends[1], "--flash", str(flash)],
        pass_fds=[int(end) for end in ends],
        stderr=subprocess.PIPE,
        text=True,
    )
    board_link.close()
    board_sensors.close()
    try:
        with link, sensors:
            link.settimeout(30)
            yield link, sensors
        complaint = process.communicate(timeout=30)[1]
        assert (process.returncode, complaint) == (0, "")
    finally:
        process.kill()
        process.communicate()


class Host:
    """Sends frames and reads until each command is answered, so that none is dropped."""

    def __init__(self, link: socket.socket) -> None:
        self.link, self.decoder, self.sequence = link, Decoder(), 0

    def command(self, kind: int, payload: bytes) -> bytes:
        """Payload of the ACK or HELLO."""
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.link.sendall(encode(Frame(kind, self.sequence, payload)))
        while True:
            for frame in self.decoder.feed(self.link.recv(65536)):
                answer = frame.type in (m.ACK.code, m.HELLO.code)
                if answer and frame.payload[:2] == self.sequence.to_bytes(2, "little"):
                    return frame.payload

    def upload(self, image: bytes, pieces: list[bytes]) -> None:
        begin = {"image_bytes": len(image), "crc32": model_crc32(image)}
        self.command(m.MODEL_BEGIN.code, m.MODEL_BEGIN.pack(begin))
        offset = 0
        for piece in pieces:
            self.command(m.MODEL_DATA.code, m.MODEL_DATA.pack({"offset": offset}, piece))
            offset += len(piece)
        self.command(m.MODEL_COMMIT.code, b"")
        self.command(m.MODEL_CONFIRM.code, b"")


def pieces_of(image: bytes) -> list[bytes]:
    return [image[at : at + 192] for at in range(0, len(image), 192)]


def random_payload(rng: random.Random, message: m.Message) -> bytes:
    """Mostly of the right length, with values from anywhere; sometimes not."""
    size = message.layout.size + (rng.randrange(193) if message.tail else 0)
    payload = bytearray(rng.choice((rng.randbytes(size), bytes(size))))
    if message.tail and rng.random() < 0.9:
        payload[message.layout.size - 1] = min(size - message.layout.size, 255)
    if rng.random() < 0.1:
        payload = payload[: rng.randrange(size + 1)] + rng.randbytes(rng.randrange(20))
    return bytes(payload[: m.MAX_PAYLOAD])


def test_random_commands_readings_and_noise_find_nothing(tmp_path):
    rng = random.Random(6)
    commands = [message for message in m.COMMANDS if message is not m.RESTART]
    with sanitized_board(tmp_path / "flash") as (link, sensors):
        host = Host(link)
        host.upload(IMAGE, pieces_of(IMAGE))
        for _ in range(6000):
            message = rng.choice(commands)
            host.command(message.code, random_payload(rng, message))
            if rng.random() < 0.5:
                sensors.sendall(reading(rng.randrange(400)))
            if rng.random() < 0.2:
                sensors.sendall(rng.randbytes(rng.randrange(300)))
                link.sendall(rng.randbytes(rng.randrange(300)) + b"\0")
        host.command(m.STATUS_REQUEST.code, b"")


def test_damaged_uploads_find_nothing_and_leave_a_model(tmp_path):
    rng = random.Random(7)
    with sanitized_board(tmp_path / "flash") as (link, _):
        host = Host(link)
        host.upload(IMAGE, pieces_of(IMAGE))
        for _ in range(60):
            damaged = bytearray(OTHER_IMAGE)
            for _ in range(rng.choice((1, 3, 30))):
                damaged[rng.randrange(len(damaged) - 68)] ^= 1 << rng.randrange(8)
            if rng.random() < 0.5:  # soundly signed, so that the tables themselves are looked at
                damaged = repaired(damaged)
            host.upload(bytes(damaged), pieces_of(damaged)[: rng.choice((3, None))])
        hello = m.HELLO.unpack(host.command(m.HELLO_REQUEST.code, b"\1\0"))[0]
        assert hello["model_crc32"] != 0
