"""`examples/client.py`, written from SPEC.md alone, against the real firmware and a peer that misbehaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from psog.firmware_export.image import write_image
from psog.headset import load_headset
from psog.recording import Recording
from psog.virtual.headset import VirtualHeadset
from psog.virtual.source import RecordedReadings
from tests.device.peer import peer
from tests.random_nets import random_net

CLIENT = Path(__file__).resolve().parents[2] / "examples" / "client.py"


def client(port: str, seconds: str) -> tuple[int, list[str], list[str]]:
    """Exit code and the lines on stdout and stderr; -I keeps psog's checkout off its path."""
    run = subprocess.run(
        [sys.executable, "-I", str(CLIENT), port, seconds], capture_output=True, text=True, timeout=60
    )
    return run.returncode, run.stdout.splitlines(), run.stderr.splitlines()


def test_it_prints_the_gaze_of_the_real_firmware_and_nothing_is_lost():
    """At a fifth of the speed, so that no pause of a busy computer fills the line."""
    net, headset = random_net(1, "same", load_headset("grid15"), pairable=True)
    counts = np.random.default_rng(4).uniform(500, 3000, (100, 15)).astype(np.float32)
    source = RecordedReadings(Recording("grid15", 1000 * np.arange(100), counts), headset, loop=True)
    with VirtualHeadset("host", source, image=write_image(net, headset), speed=0.2) as virtual:
        code, out, err = client(virtual.port, "0.5")
    assert code == 0, err
    who, losses, counted = err
    assert who.startswith("grid15 on host, firmware ")
    assert losses.endswith(" frames, 0 lost, 0 damaged")
    assert "0 bad, 0 bad frames, 0 dropped; " in counted
    times_us = [int(line.split()[0]) for line in out]
    assert times_us == list(range(times_us[0], times_us[0] + 1000 * len(out), 1000))
    assert {len(line.split()) for line in out} == {6}


def test_damaged_and_lost_frames_are_counted():
    def wire(index: int, data: bytes) -> bytes:
        if index == 8:
            return b""
        return data[:3] + bytes([data[3] ^ 1 or 2]) + data[4:] if index in (5, 6, 7) else data

    with peer(readings=30, wire=wire, clock_us=lambda: 31_000) as device:
        code, out, err = client(device.port, "0.3")
    assert code == 0
    assert len(out) == 26
    assert out[0] == "1000 0.001 -1.000 1.00 2.00 valid"
    assert ", 4 lost, 3 damaged" in err[1]
    assert err[2].endswith("5 readings, 1 bad, 2 bad frames, 3 dropped; 31000 us")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": 99}, "speaks protocol 99"),
        ({"silent": True}, "no headset answers 0x01"),
        ({"headset": ""}, "has no model"),
        ({"readings": 0}, "refuses 0x32: STATE"),
    ],
)
def test_what_goes_wrong_is_said_in_one_last_line(options, message):
    with peer(**options) as device:
        code, _, err = client(device.port, "0.1")
    assert code == 1
    assert message in err[-1]
    assert "Traceback" not in "".join(err)


@pytest.mark.parametrize(("port", "why"), [("/dev/null", "ioctl"), ("/dev/ttyACM-none", "No such file")])
def test_a_port_with_nothing_behind_it_is_one_line(port, why):
    code, out, err = client(port, "1")
    assert (code, out, len(err)) == (1, [], 1)
    assert why in err[0]
