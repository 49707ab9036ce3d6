"""`psog virtual` as a program: a port that works as long as it runs, and nothing left behind afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from psog.device.client import open_headset
from psog.device.messages import Stream
from psog.device.running import Running
from psog.device.running import running as running_headsets
from psog.firmware_export.image import write_image
from psog.headset import load_headset
from psog.recording import Recording, write_recording
from tests.random_nets import random_net

PSOG = [sys.executable, "-m", "psog"]


@pytest.fixture
def model(tmp_path) -> Path:
    """A .psog image for grid15."""
    net, headset = random_net(1, "same", load_headset("grid15"), pairable=True)
    path = tmp_path / "gaze.psog"
    path.write_bytes(write_image(net, headset))
    return path


@pytest.fixture
def recording(tmp_path) -> Path:
    """A tenth of a second of grid15."""
    counts = np.random.default_rng(4).uniform(500, 3000, (100, 15)).astype(np.float32)
    folder = tmp_path / "recording"
    write_recording(Recording("grid15", 1000 * np.arange(100, dtype=np.int64), counts), folder)
    return folder


def start(*words: str | Path) -> subprocess.Popen[str]:
    command = [*PSOG, "virtual", "--board", "host", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def running(*words: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    run = start(*words, "--json")
    assert run.stdout is not None
    line = run.stdout.readline()
    try:
        yield run, json.loads(line)["port"]
    finally:
        run.terminate()
        run.communicate(timeout=60)


def children(run: subprocess.Popen[str]) -> list[Path]:
    pids = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    return [Path("/proc") / pid for pid in pids]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_no_process_behind(model, recording, how):
    with running("--model", model, "--recording", recording, "--loop") as (run, port):
        firmware = children(run)
        assert firmware
        with open_headset(port) as headset:
            headset.stream(Stream.GAZE)
            times = [sample.t_us for sample in headset.samples(count=250)]
        assert times == list(range(times[0], times[0] + 250_000, 1000))
        run.send_signal(how)
        _, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
        assert not any(process.exists() for process in firmware)  # nor is its terminal held, then


def test_it_is_found_as_long_as_it_runs(model, recording, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with running("--model", model, "--recording", recording, "--loop") as (_, port):
        assert running_headsets(tmp_path / "psog") == [Running(port, "host", "grid15")]
    assert running_headsets(tmp_path / "psog") == []


def test_it_ends_with_its_recording(model, recording):
    run = start("--model", model, "--recording", recording)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert out.startswith("/dev/pts/")
    assert len(out.splitlines()) == 1


def test_simulated_wearer_looks_at_what_the_display_shows(tmp_path):
    """A model that has learnt nothing still tells whether the eye rests or has moved."""
    net, headset = random_net(3, "dense", load_headset("ring16"), pairable=True)
    path = tmp_path / "ring.psog"
    path.write_bytes(write_image(net, headset))
    with running("--model", path, "--user-seed", "5") as (_, port), open_headset(port) as device:
        device.stream(Stream.SENSORS)
        readings = []
        for target in ((-12.0, 0.0), (12.0, 0.0), (-12.0, 0.0)):
            device.show_target(*target)
            device.drop_samples()
            settled = list(device.samples(seconds=0.8))[-100:]
            readings.append(np.median([sample.readings for sample in settled], axis=0))
    left, right, left_again = readings
    assert np.abs(right - left).mean() > 5 * np.abs(left_again - left).mean()


def test_flash_file_keeps_the_model(model, recording, tmp_path):
    flash = tmp_path / "flash"
    words = ("--headset", "grid15", "--recording", recording, "--loop", "--flash", flash)
    with running("--model", model, *words) as (_, port), open_headset(port) as headset:
        first = headset.info.model_crc32
    with running(*words) as (_, port), open_headset(port) as headset:
        assert headset.info.model_crc32 == first != 0


def test_firmware_that_ends_is_told(model, recording):
    with running("--model", model, "--recording", recording, "--loop") as (run, _):
        pid = int(children(run)[0].name)
        subprocess.run(["kill", "-KILL", str(pid)], check=True)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "the virtual headset has stopped" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--headset", "ring16"], "made for headset 'grid15', this one is 'ring16'"),
        (["--speed", "0"], "--speed is 0"),
        (["--loop"], "--loop repeats a recording"),
        (["--recording", "missing"], "cannot read missing"),
        (["--board", "toaster"], "toaster"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_1(model, words, message):
    command = [*PSOG, "virtual", "--model", str(model), *words]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout) == (1, "")
    assert message in run.stderr
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize("kind", ["truncated", "bit-flipped"])
def test_damaged_model_is_one_line_and_exit_1(model, kind):
    data = bytearray(model.read_bytes())
    if kind == "truncated":
        del data[-8:]
    else:
        data[200] ^= 1
    model.write_bytes(data)
    run = start("--model", model)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (1, "")
    assert len(err.splitlines()) == 1
