"""`psog-calibrate` as people and programs use it."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from psog.calibration.profiles import load_profile, profile_names
from psog.cli.calibrate import main
from psog.device.client import open_headset
from psog.firmware_export.image_file import load_image
from psog.headset import load_headset
from psog.virtual.headset import VirtualHeadset
from tests.calibration.steady import SteadyEye
from tests.calibration.test_report import PROMISED_KEYS

PROGRAM = [sys.executable, "-m", "psog.cli.calibrate"]


@pytest.fixture
def port(tiny_model: Path, tmp_path: Path):
    """A virtual headset on the host board, eight times as fast as life."""
    eye = SteadyEye(load_headset("ring16"))
    with VirtualHeadset(
        "host", eye, image=load_image(tiny_model), flash=tmp_path / "flash", speed=8
    ) as virtual:
        yield virtual.port


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)


def is_calibrated(port: str) -> bool:
    with open_headset(port) as client:
        return client.info.calibrated


def read_until(stream, text: str) -> str:
    """What the stream says up to and with `text`; it may come without a newline."""
    found = ""
    while text not in found:
        part = os.read(stream.fileno(), 4096).decode()
        assert part, f"ended without {text!r}: {found}"
        found += part
    return found


@pytest.mark.parametrize(
    ("flags", "kept", "told"),
    [
        (["--yes"], True, "kept: stored"),
        (["--reject"], False, "not kept"),
        ([], True, "nobody to ask: keeping it, since it is more accurate"),
    ],
)
def test_flags_and_accuracy_decide_where_nobody_can_be_asked(port, flags, kept, told):
    done = run("--port", port, "--points", "9", *flags)
    assert done.returncode == 0, done.stderr
    assert told in done.stderr
    assert re.search(r"rms .* → .*; without the target itself \d+\.\d\d° \(worst \d+\.\d\d°\)", done.stderr)
    assert done.stdout == ""
    assert is_calibrated(port) is kept


def test_a_second_result_that_is_no_better_is_not_kept(port, tmp_path, monkeypatch):
    """The steady eye gives the same readings again, so the second fit is the first one."""
    monkeypatch.setenv("PSOG_PROFILES", str(tmp_path / "profiles"))
    flags = ("--port", port, "--points", "9", "--seed", "3", "--json")
    first, again = run(*flags, "--user", "first"), run(*flags, "--user", "again")
    found = json.loads(again.stdout)
    assert json.loads(first.stdout)["accepted"]
    assert found["before"] == "earlier calibration"
    assert found["before_deg"] == found["accuracy_deg"] == json.loads(first.stdout)["accuracy_deg"]
    assert not found["accepted"]
    assert "not kept: the calibration was not better than the one in use (" in again.stderr
    assert is_calibrated(port)
    assert load_profile(tmp_path / "profiles", "first").measured["grade"] == json.loads(first.stdout)["grade"]
    assert profile_names(tmp_path / "profiles") == ["first"]


@pytest.mark.parametrize(("answer", "kept"), [("n\n", False), ("what\n\n", True), ("\x04", False)])
def test_a_terminal_is_asked(port, answer, kept):
    terminal, stdin = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, "--terminal", "--port", port, "--points", "9"], stdin=stdin, stderr=subprocess.PIPE
    ) as asked:
        os.close(stdin)
        said = read_until(asked.stderr, "keep? [Y/n]")
        os.write(terminal, answer.encode())
        assert asked.stderr is not None
        said += asked.stderr.read().decode()
    os.close(terminal)
    assert asked.returncode == 0, said
    assert "Traceback" not in said
    assert is_calibrated(port) is kept


def test_a_terminal_pauses_and_takes_the_last_point_again(port, tmp_path):
    terminal, stdin = pty.openpty()
    report = tmp_path / "report.json"
    words = ["--terminal", "--port", port, "--points", "9", "--report", str(report)]
    with subprocess.Popen([*PROGRAM, *words], stdin=stdin, stderr=subprocess.PIPE) as asked:
        os.close(stdin)
        said = read_until(asked.stderr, "calibration  3/9")
        os.write(terminal, b"p")
        said += read_until(asked.stderr, "paused")
        os.write(terminal, b"xr")  # only Ctrl-C stops
        said += read_until(asked.stderr, "keep? [Y/n]")
        os.write(terminal, b"\n")
        assert asked.stderr is not None
        said += asked.stderr.read().decode()
    os.close(terminal)
    assert asked.returncode == 0, said
    assert json.loads(report.read_text())["retaken"] == 1
    assert is_calibrated(port)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_stopping_half_way_harms_nothing(port, sign):
    with subprocess.Popen(
        [*PROGRAM, "--port", port], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as stopped:
        said = read_until(stopped.stderr, "calibration  3/9")
        stopped.send_signal(sign)
        assert stopped.stderr is not None
        said += stopped.stderr.read().decode()
    assert stopped.returncode == 130
    assert "stopped: the headset goes on with what it had" in said
    assert "Traceback" not in said
    assert not is_calibrated(port)


@pytest.mark.slow
def test_virtual_headset_from_nothing_to_a_report(tiny_model, tmp_path):
    """The way everybody meets psog first: a simulated wearer, in real time."""
    report = tmp_path / "report.json"
    flash = tmp_path / "flash"
    done = run(
        *("--virtual", "--board", "host", "--model", str(tiny_model), "--user-seed", "1002", "--seed", "4"),
        *("--points", "9", "--json", "--report", str(report), "--flash", str(flash)),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) >= PROMISED_KEYS
    assert found == json.loads(report.read_text("utf-8"))
    assert (found["points"], found["seed"], found["board"]) == (9, 4, "host")
    assert found["accepted"] == (found["accuracy_deg"] < found["before_deg"])
    assert flash.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "/dev/null", "--virtual"], "give one of them"),
        (["--port", "/dev/null", "--model", "m"], "--model describes a virtual headset"),
        (["--port", "/dev/null", "--user-seed", "3"], "--user-seed describes a virtual headset"),
        (["--port", "/dev/null", "--yes", "--reject"], "contradict each other"),
        (["--port", "/dev/null", "--seed", "-1"], "--seed is -1"),
        (["--port", "/dev/null", "--report", "/nowhere/at/all.json"], "there is no folder /nowhere/at"),
        (["--port", "/dev/null", "--points", "7"], "see psog-calibrate --help"),
        (["--port", "/dev/null", "--user", "../x"], "profile"),
        (["--port", "/dev/null", "--html", "/nowhere/at/all.html"], "there is no folder /nowhere/at"),
        (["--port", "/dev/null", "--osc", "127.0.0.1:9000"], "add --targets external"),
        (["--port", "/dev/null", "--terminal", "--targets", "page"], "--terminal has no page"),
        (["--port", "/dev/null", "--distance-cm", "60"], "--distance-cm and --screen-cm belong together"),
        (["--port", "/dev/null", "--report", "/tmp"], "--report: /tmp is a folder; name a file"),
        (["--port", "/dev/null", "--html", "/dev/null/r.html"], "--html: there is no folder /dev/null"),
        (["--port", "/dev/null", "--yes", "--screen-deg", "0x9"], "--screen-deg is 0; expected more than 0"),
        (["--port", "/dev/null", "--yes", "--screen-deg", "400x90"], "expected at most 180"),
        (["--port", "/dev/null", "--yes", "--page-port", "70000"], "--page-port is 70000; expected 1 to"),
        (["--port", "/dev/null", "--yes", "--display", "-1"], "--display is -1; expected 1 or more"),
        (["--port", "/dev/null", "--terminal", "--display", "1"], "leave out --page-port and --display"),
        (["--port", "/dev/no-such-port"], "there is no such port"),
        (["--virtual", "--model", "/nowhere"], "cannot read /nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(words, told, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(words)
    assert isinstance(exit_.value.code, str), "the message; Python prints it and exits with 1"
    assert exit_.value.code.startswith("psog-calibrate: ")
    assert told in exit_.value.code
    assert "\n" not in exit_.value.code
    assert capsys.readouterr().out == ""


def test_a_profile_that_could_not_be_saved_is_told_before_anybody_looks(tmp_path, monkeypatch):
    taken = tmp_path / "file"
    taken.touch()
    monkeypatch.setenv("PSOG_PROFILES", str(taken))
    with pytest.raises(SystemExit, match=r"cannot make the folder .*/file: .*; name another by PSOG_"):
        main(["--port", "/dev/null", "--user", "ada"])


def test_a_description_of_another_headset_is_refused(port):
    done = run("--port", port, "--headset", "grid15")
    assert done.returncode == 1
    assert "is a 'ring16', --headset describes 'grid15'" in done.stderr


def test_a_busy_port_is_one_clear_line(port):
    with open_headset(port):
        done = run("--port", port)
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert "another program has it open" in done.stderr
