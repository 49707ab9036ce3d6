"""Talking to a board in a test: a small model, readings by number, calibrations, bare frames."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from psog.device import messages as m
from psog.device.answers import DeviceInfo
from psog.device.client import Client
from psog.device.error_codes import ERROR_TEXT, DeviceErrorCode
from psog.device.frames import Decoder, Frame, encode
from psog.device.identity import model_crc32
from psog.device.installing import _send_and_commit
from psog.device.layout import Message
from psog.device.messages import STILL_BIN_US, STILL_BINS, Stream
from psog.firmware_export.image import write_image
from psog.firmware_export.installing import image_for_headset
from psog.net.integer import IntegerNet
from psog.virtual.boards import Board
from tests.random_nets import random_net, random_readings

TARGETS = [
    (h + dh, v + dv)
    for h, v in ((-12.0, -9.0), (0.0, 9.0), (12.0, -9.0))
    for dh, dv in ((0, 0), (1, 0), (0, 1))
]
"""Three groups of neighbours: a random network says nothing of a target that is far from all others."""


def open_eyed(seed: int) -> tuple[IntegerNet, bytes]:
    """A network that takes every eye for open, and its image."""
    net, headset = random_net(seed, "same", pairable=True)
    net.head.weight[2] = 0
    net.head.weight[2, -1] = 0.9
    return net, write_image(net, headset)


NET, IMAGE = open_eyed(1)
OTHER_NET, OTHER_IMAGE = open_eyed(2)


def _looking(seed: int) -> np.ndarray:
    """(180, sensors): 20 readings of each of TARGETS, of an eye that looks there."""
    rng, normalisation = np.random.default_rng(seed), NET.normalisation
    along = rng.normal(0, 0.3, (2, len(normalisation.offset)))
    steps = np.repeat(np.array(TARGETS) / (12, 10), 20, axis=0) @ along
    steps[:, 2] += rng.normal(0, 0.01, len(steps))  # of one sensor: a random network makes much of little
    wire = normalisation.offset + steps * 128 * 2.0**normalisation.shift / normalisation.multiplier
    return wire.astype(np.uint16)


def _anything(count: int) -> np.ndarray:
    """(count, sensors) of no eye; no sensor is at the end of its range."""
    wire = random_readings(np.random.default_rng(1), NET.normalisation, count)
    return np.clip(wire, 256, 65_000)


ANYTHING = 180
"""From here on READINGS go with no target."""
OTHER_USER = 400
"""From here on they go with TARGETS again, of another eye."""
READINGS = np.concatenate([_looking(1), _anything(OTHER_USER - ANYTHING), _looking(2)])


def upload(headset: Client, image: bytes) -> DeviceInfo:
    """Install a model as the headset's core wants it."""
    return headset.upload(image_for_headset(image, headset.info))


def begin_trial(headset: Client, image: bytes) -> None:
    """Send a model and have it tried, without confirming it."""
    fitting = image_for_headset(image, headset.info)
    _send_and_commit(headset._talk, fitting, model_crc32(fitting), None)
    headset.hello()


def has(headset: Client, image: bytes) -> bool:
    """Whether that is the installed model."""
    fitting = image_for_headset(image, headset.info)
    return headset.info.model_crc32 == model_crc32(fitting)


def reading(index: int, values: np.ndarray | None = None, before_us: int = 0) -> bytes:
    """The frame of one of READINGS, stamped with its index in milliseconds, or with an earlier time."""
    wire = READINGS[index % len(READINGS)] if values is None else values
    t_us = (index * 1000 - before_us) % (1 << 64)
    payload = m.READING.pack({"t_us": t_us}, wire.astype("<u2").tobytes())
    return encode(Frame(m.READING.code, index & 0xFFFF, payload))


def feed(board: Board, first: int, count: int) -> None:
    board.sensors.write(b"".join(reading(i) for i in range(first, first + count)))


def wait_for(happened: Callable[[], bool]) -> None:
    """However busy this computer is."""
    deadline_s = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def come_to_rest(headset: Client, board: Board, index: int) -> None:
    """The time before one of READINGS, in which the eye looks there already: with that one it is at rest."""
    before = headset.status().readings
    for step in range(STILL_BINS, 0, -1):
        board.sensors.write(reading(index, before_us=STILL_BIN_US * step))
    wait_for(lambda: headset.status().readings == before + STILL_BINS)


def shine(board: Board, duty_percent: int = 6, current_ma: int = 3) -> None:
    """Feed a host board until its LEDs shine so; else as they do by themselves (leds.h)."""

    def happened() -> bool:
        feed(board, 0, 1)
        assert board.leds is not None
        return board.leds[0] == duty_percent << 16 | current_ma

    wait_for(happened)


def streamed(headset: Client, board: Board, what: Stream, first: int, count: int) -> dict[type, list[Any]]:
    """What the headset streams, by kind, of readings sent one after the other so that none is dropped."""
    headset.stream(what)
    headset.drop_samples()
    samples: dict[type, list[Any]] = defaultdict(list)
    for index in range(first, first + count):
        feed(board, index, 1)
        for sample in headset.samples(count=what.value.bit_count()):
            samples[type(sample)].append(sample)
    return samples


def gaze_deg(samples: list[Any]) -> list[tuple[float, float]]:
    return [(sample.gaze_h_deg, sample.gaze_v_deg) for sample in samples]


def add_target(
    headset: Client,
    board: Board,
    target_deg: tuple[float, float],
    first: int,
    *,
    samples: int,
    readings: int = 0,
) -> Any:
    """Readings that are sent when the device has said that it waits for them; its progress."""
    h_deg, v_deg = target_deg
    come_to_rest(headset, board, first)
    headset._talk.command(m.TUNE_TARGET, {"target_h_deg": h_deg, "target_v_deg": v_deg, "samples": samples})
    feed(board, first, readings or samples)
    return headset._talk.next_progress(time.monotonic() + 10)


def calibrate(
    headset: Client, board: Board, targets: list[tuple[float, float]] = TARGETS, first: int = 0
) -> None:
    """Take targets; the first one's readings begin at `first` of READINGS."""
    headset.tune_begin()
    for index, target_deg in enumerate(targets):
        assert add_target(headset, board, target_deg, first + 20 * index, samples=20) == {
            "added": 20,
            "rejected": 0,
            "saturated": 0,
            "moving": 0,
        }


def code(error: DeviceErrorCode) -> str:
    return ERROR_TEXT[error]


class Raw:
    """The port without a client: frames as they are."""

    def __init__(self, port: str) -> None:
        self.fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
        self.decoder = Decoder()
        self.waiting: list[Frame] = []

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def send(self, kind: int, sequence: int, payload: bytes) -> None:
        os.write(self.fd, encode(Frame(kind, sequence, payload)))

    def listen(self) -> None:
        """Wait for bytes."""
        self.waiting += self.decoder.feed(os.read(self.fd, 4096))

    def receive(self) -> tuple[Message, dict]:
        while not self.waiting:
            self.listen()
        frame = self.waiting.pop(0)
        message = m.BY_CODE[frame.type]
        return message, message.unpack(frame.payload)[0]

    def answer(self, kind: int, sequence: int, payload: bytes) -> int:
        """The error of the ACK that follows."""
        self.send(kind, sequence, payload)
        message, values = self.receive()
        assert message is m.ACK
        assert (values["reply_to"], values["command"]) == (sequence, kind)
        return values["error"]
