"""`psog devices`, and commands that find their headset themselves."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from psog.device.running import Running, announced
from tests.device.peer import peer


@pytest.fixture
def psog(tmp_path):
    """Runs a psog command that sees only virtual headsets announced in tmp_path/psog."""
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    environment.pop("PSOG_USB", None)

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "psog", *words]
        env = {**environment, **more}
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)

    return run


def announce(tmp_path: Path, port: str) -> contextlib.AbstractContextManager[None]:
    return announced(tmp_path / "psog", Running(port, "host", "ring16"))


def test_devices_lists_what_runs(psog, tmp_path):
    with peer() as device, announce(tmp_path, device.port):
        found = json.loads(psog("devices", "--json").stdout)
        text = psog("devices").stdout
        assert device.carried_out == []
    expected = {
        "port": device.port,
        "kind": "virtual",
        "headset": True,
        "what": "virtual ring16 on host",
        "usb_id": None,
        "serial_number": None,
    }
    assert expected in found
    assert f"{device.port}  virtual ring16 on host" in text


def test_devices_opens_no_port(psog, tmp_path):
    code = (
        "import os, sys\n"
        "def watch(event, given):\n"
        "    if event == 'open' and str(given[0]).startswith(('/dev/tty', '/dev/pts')): os._exit(9)\n"
        "sys.addaudithook(watch)\n"
        "from psog.cli.main import main\n"
        "main(['devices', '--json'])"
    )
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    with peer() as device, announce(tmp_path, device.port):
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        opening = code.replace("main(['devices', '--json'])", f"open({device.port!r})")
        opened = subprocess.run([sys.executable, "-c", opening], env=environment)
    assert device.port in run.stdout
    assert opened.returncode == 9  # it would have been noticed


def test_the_only_headset_needs_no_name(psog, tmp_path):
    with peer(readings=5) as device, announce(tmp_path, device.port):
        run = psog("stream", "--json", "--samples", "5")
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.splitlines()) == 5
    assert run.stderr == f"{device.port}: virtual ring16 on host\n"


def test_of_several_headsets_one_must_be_named(psog, tmp_path):
    with (
        peer() as first,
        peer() as second,
        announce(tmp_path, first.port),
        announce(tmp_path, second.port),
    ):
        run = psog("stream")
    assert (run.returncode, run.stdout) == (1, "")
    assert "2 headsets are connected" in run.stderr
    assert first.port in run.stderr
    assert second.port in run.stderr
    assert first.carried_out == second.carried_out == []


@pytest.mark.parametrize("words", [["stream"], ["flash", "ring16"]])
def test_without_a_headset_it_is_said_what_to_do(psog, words):
    run = psog(*words)
    assert (run.returncode, run.stdout) == (1, "")
    assert "no headset is found" in run.stderr
    assert "--port" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_usb_ids_that_are_none_are_told(psog):
    run = psog("devices", PSOG_USB="ttyACM0")
    assert run.returncode == 1
    assert "'ttyACM0' is no USB id" in run.stderr
