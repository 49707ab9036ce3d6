"""`psog view` as a program: an address that works as long as it runs, and clear words when it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from psog.cli.main import main
from psog.recording import read_recording
from tests.device.peer import peer

PROGRAM = [sys.executable, "-m", "psog", "view", "--no-browser"]


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def view(capsys) -> Iterator[Callable[..., tuple[int | str | None, str, str]]]:
    """Runs the verb in this process: how it ends (0, or the line it ends with), and what it printed."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*words: str) -> tuple[int | str | None, str, str]:
        code: int | str | None = 0
        try:
            main(["view", "--no-browser", *words])
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    yield run
    signal.signal(signal.SIGTERM, before)


def text_at(address: str) -> str:
    with urllib.request.urlopen(address) as answer:
        return answer.read().decode()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_page_is_there_until_it_is_stopped_and_nothing_is_left(sign):
    with peer(readings=100, sensors=2) as device:
        run = start("--port", device.port, "--json")
        assert run.stdout is not None
        address = json.loads(run.stdout.readline())["address"]
        assert "<title>psog live</title>" in text_at(address)
        run.send_signal(sign)
        out, err = run.communicate(timeout=60)
        assert (run.returncode, out, err) == (0, "", f"{address}\n")
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(address)
        deadline_s = time.monotonic() + 10
        while device.mask and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert device.mask == 0  # it streams no more


def test_a_headset_that_goes_for_good_ends_it_with_one_line():
    with peer(readings=100, sensors=2) as device:
        run = start("--port", device.port, "--json")
        assert run.stdout is not None
        run.stdout.readline()
        device.close()
        _, err = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "has gone" in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_port_of_the_page_that_is_taken_is_told(view):
    with peer(readings=100) as device, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told, out, err = view("--port", device.port, "--http-port", str(port))
    assert (out, err) == ("", "")
    assert str(told).startswith(
        f"psog view: the page cannot be served at 127.0.0.1, port {port}: Address already"
    )


def test_for_ever_is_not_too_long(view):
    with peer(readings=100, sensors=2) as device:
        stop = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
        stop.start()
        code, out, err = view("--port", device.port, "--seconds", "1e30")
    assert (code, out) == (0, "")
    assert err.startswith("http://") and err.count("\n") == 1


def test_a_page_that_the_network_can_reach_is_warned_of(view):
    with peer(readings=100, sensors=2) as device:
        code, _, err = view("--port", device.port, "--bind", "0.0.0.0", "--seconds", "0.1")
    assert code == 0
    assert "careful: anybody on the network can see and use it who has this address" in err


@pytest.mark.parametrize(
    ("options", "words", "message"),
    [
        ({"headset": ""}, [], "has no model; send one with psog flash"),
        ({"headset": "mine"}, [], "is a 'mine', which is not built in; give its description with --headset"),
        ({}, ["--headset", "grid15"], "is a 'ring16', --headset describes 'grid15'"),
        ({}, ["--seconds", "0"], "--seconds is 0; expected more than 0"),
        ({}, ["--bind", "here"], "cannot listen at 'here'; expected an address such as 127.0.0.1"),
        ({}, ["--force"], "--force replaces a recording; name it with --record"),
        ({}, ["--record", "/proc/recording"], "/proc/recording"),
        ({}, ["--model", "ring16"], "--model describes a virtual headset; add --virtual"),
    ],
)
def test_what_cannot_be_viewed_is_one_line_and_exit_1(view, options, words, message):
    with peer(readings=10, **options) as device:
        told, out, err = view("--port", device.port, *words)
    assert (out, err) == ("", "")
    assert message in str(told)
    assert "\n" not in str(told)


def test_what_is_viewed_can_be_recorded_without_the_sensors_readings(view, tmp_path):
    out = tmp_path / "recording"
    with peer(readings=300, sensors=2) as device:
        code, _, err = view("--port", device.port, "--seconds", "0.5", "--record", str(out))
    assert code == 0
    assert f"{out}: 300 readings in 0.3 s" in err
    recording = read_recording(out)
    assert recording.t_us.tolist() == list(range(1000, 301_000, 1000))
    assert recording.readings.shape[1] == 0
