"""`psog flash` on the real firmware: what is sound gets installed, everything else leaves the old model."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from psog.device import messages
from psog.device.client import open_headset
from psog.device.conversation import CommandRefusedError, Conversation
from psog.device.error_codes import DeviceErrorCode
from psog.device.identity import model_crc32
from psog.device.link import Link
from psog.device.transport import SerialTransport
from psog.firmware_export.image import write_image
from psog.headset import load_headset
from psog.recording import Recording
from psog.virtual.headset import VirtualHeadset
from psog.virtual.source import RecordedReadings
from tests.random_nets import random_net


def image(headset: str, seed: int = 1) -> bytes:
    net, described = random_net(seed, "same", load_headset(headset))
    return write_image(net, described)


@pytest.fixture
def device() -> Iterator[VirtualHeadset]:
    """A headset with a grid15 model, whose sensors have been read."""
    headset = load_headset("grid15")
    readings = np.full((20, headset.sensor_count), 1000.0, np.float32)
    source = RecordedReadings(Recording("grid15", 1000 * np.arange(20), readings), headset, loop=True)
    with VirtualHeadset("host", source, image=image("grid15")) as virtual:
        yield virtual


def flash(*words: str | Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "psog", "flash", *map(str, words)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return run.returncode, run.stdout, run.stderr


def installed(device: VirtualHeadset) -> int:
    with open_headset(device.port) as headset:
        return headset.info.model_crc32


def test_sound_image_is_installed(device, tmp_path):
    new = image("grid15", seed=2)
    path = tmp_path / "gaze.psog"
    path.write_bytes(new)
    code, out, err = flash(path, "--port", device.port, "--json")
    assert code == 0, err
    assert json.loads(out) == {
        "port": device.port,
        "board": "host",
        "headset": "grid15",
        "model_crc32": f"{model_crc32(new):08x}",
        "bytes": len(new),
        "resumed_at": 0,
        "confirmed": True,
    }
    assert installed(device) == model_crc32(new)


def damaged(kind: str) -> bytes:
    whole = bytearray(image("grid15", seed=2))
    if kind == "truncated":
        return bytes(whole[:-100])
    if kind == "empty":
        return b""
    whole[len(whole) // 2] ^= 0x10
    return bytes(whole)


@pytest.mark.parametrize("kind", ["truncated", "bit-flipped", "empty"])
def test_damaged_image_is_refused_before_it_is_sent(device, tmp_path, kind):
    path = tmp_path / "gaze.psog"
    path.write_bytes(damaged(kind))
    code, out, err = flash(path, "--port", device.port)
    assert (code, out) == (1, "")
    assert "gaze.psog" in err
    assert len(err.splitlines()) == 1
    assert installed(device) == model_crc32(image("grid15"))


@pytest.mark.parametrize(
    ("kind", "code"), [("truncated", DeviceErrorCode.SIGNATURE), ("bit-flipped", DeviceErrorCode.SIGNATURE)]
)
def test_device_refuses_a_damaged_image_itself(device, kind, code):
    """The host's check is for the message; the device relies on its own."""
    with open_headset(device.port) as headset:
        with pytest.raises(CommandRefusedError) as caught:
            headset.upload(damaged(kind))
        assert headset.hello().model_crc32 == model_crc32(image("grid15"))
    assert caught.value.code is code


def test_model_of_another_headset_is_refused(device, tmp_path):
    path = tmp_path / "ring.psog"
    path.write_bytes(image("ring16"))
    code, _, err = flash(path, "--port", device.port)
    assert code == 1
    assert "made for headset 'ring16', this one is 'grid15'" in err
    assert len(err.splitlines()) == 1
    assert installed(device) == model_crc32(image("grid15"))


def test_device_refuses_a_model_for_other_sensors_itself(device, tmp_path):
    path = tmp_path / "ring.psog"
    path.write_bytes(image("ring16"))
    code, _, err = flash(path, "--port", device.port, "--other-headset")
    assert code == 1
    assert "the model is made for another headset" in err
    assert installed(device) == model_crc32(image("grid15"))


def test_upload_that_stops_half_way_leaves_the_old_model(device):
    new = image("grid15", seed=2)
    with open_headset(device.port) as headset, pytest.raises(InterruptedError):
        headset.upload(new, stop_half_way)
    assert installed(device) == model_crc32(image("grid15"))
    with open_headset(device.port) as headset:
        assert headset.restart().model_crc32 == model_crc32(image("grid15"))


def test_upload_that_broke_off_goes_on_where_it_did(device, tmp_path):
    new = image("grid15", seed=2)
    path = tmp_path / "gaze.psog"
    path.write_bytes(new)
    with open_headset(device.port) as headset, pytest.raises(InterruptedError):
        headset.upload(new, stop_half_way)
    code, out, err = flash(path, "--port", device.port)
    assert code == 0, err
    resumed = -(-(len(new) // 2 + 1) // 192) * 192
    assert out.endswith(f"confirmed, resumed at {resumed:,} of {len(new):,} bytes\n")
    with open_headset(device.port) as headset:
        assert headset.restart().model_crc32 == model_crc32(new)


def stop_half_way(done: int, total: int) -> None:
    if done > total / 2:
        raise InterruptedError


def test_piece_out_of_place_is_refused(device):
    new = image("grid15", seed=2)
    link = Link(SerialTransport(device.port))
    talk = Conversation(link, timeout_s=1.0)
    talk.command(messages.MODEL_BEGIN, {"image_bytes": len(new), "crc32": 0})
    with pytest.raises(CommandRefusedError):
        talk.command(messages.MODEL_DATA, {"offset": 192}, new[192:384])
    link.close()


def test_missing_model_is_one_line(tmp_path):
    code, _, err = flash(tmp_path / "nothing.psog", "--port", "/dev/null")
    assert code == 1
    assert "cannot read" in err
    assert len(err.splitlines()) == 1
