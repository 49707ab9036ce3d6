"""`psog record` and `psog replay` as programs: what they leave behind, whatever ends them."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
import time

import pytest

from psog.benchmarks.cable import Cable
from psog.live.recorder import Recorder
from psog.live.replay import ReplayedHeadset
from psog.recording import read_recording
from tests.device.peer import peer
from tests.live.rows import INFO, made_up


def psog(*words, **options):
    command = [sys.executable, "-m", "psog", *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/", **options
    )


def ended(run):
    out, err = run.communicate(timeout=60)
    return run.returncode, out, err


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten seconds of readings."""
    with Recorder(tmp_path_factory.mktemp("recorded") / "r", INFO) as recorder:
        recorder.add(made_up(0, 10_000))
    return recorder._out


def wait_for_readings(out, count):
    """Until so many are on the disk."""
    readings = out.with_name(out.name + ".unfinished") / "readings.arrows"
    while not readings.exists() or readings.stat().st_size < 30 * count:
        time.sleep(0.02)


def test_a_recording_is_as_long_as_asked_for(tmp_path, folder):
    with ReplayedHeadset(folder, speed=10) as replayed:
        run = psog("record", tmp_path / "r", "--port", replayed.port, "--seconds", "2", "--json")
        code, out, err = ended(run)
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["rows"], told["seconds"], told["sensors"], told["away_s"]) == (2000, 1.999, 0, [])
    assert read_recording(tmp_path / "r").t_us.tolist() == made_up(0, 2000).t_us.tolist()


def test_ctrl_c_ends_a_recording_well(tmp_path, folder):
    with ReplayedHeadset(folder) as replayed:
        run = psog("record", tmp_path / "r", "--port", replayed.port)
        wait_for_readings(tmp_path / "r", 300)
        run.send_signal(signal.SIGINT)
        code, out, err = ended(run)
    assert (code, err) == (0, "")
    recording = read_recording(tmp_path / "r")
    assert re.fullmatch(rf"{tmp_path / 'r'}: {len(recording):,} readings in \d+\.\d s\n", out)
    assert recording.provenance["cut_short"] is False


def test_kill_costs_a_second_at_most_and_the_rest_is_recovered(tmp_path, folder):
    for attempt in range(3):  # a computer that stands still for a while proves nothing
        out = tmp_path / f"r{attempt}"
        with ReplayedHeadset(folder) as replayed:
            run = psog("record", out, "--port", replayed.port)
            wait_for_readings(out, 1000)
            run.kill()
            sent = replayed.sent
            ended(run)
        code, _, err = ended(psog("replay", out))
        assert code == 1
        assert "psog record --recover finishes it" in err
        code, told, _ = ended(psog("record", out, "--recover", "--json"))
        assert code == 0
        rows = json.loads(told)["rows"]
        assert read_recording(out).t_us.tolist() == made_up(0, rows).t_us.tolist()
        if sent - rows < 1000:
            return
    pytest.fail(f"{sent - rows} readings of a second's 1000 and more are lost")


def test_a_full_disk_is_one_line_and_what_came_is_recovered(tmp_path, folder):
    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    with ReplayedHeadset(folder, speed=4) as replayed:
        code, out, err = ended(
            psog("record", tmp_path / "r", "--port", replayed.port, preexec_fn=little_room)
        )
    assert (code, out) == (1, "")
    out = tmp_path / "r"
    assert err == (
        f"psog record: cannot go on recording to {out}: File too large; what came before is kept in "
        f"{out}.unfinished: make room, then psog record --recover {out}\n"
    )
    assert ended(psog("record", tmp_path / "r", "--recover"))[0] == 0
    rows = len(read_recording(tmp_path / "r"))
    assert 0 < rows < 2000
    assert read_recording(tmp_path / "r").t_us.tolist() == made_up(0, rows).t_us.tolist()


def test_a_headset_that_comes_back_is_recorded_on_and_the_gap_is_told(tmp_path):
    with peer(readings=500) as device, Cable(device.port, tmp_path / "headset") as cable:
        run = psog("record", tmp_path / "r", "--port", cable.link, "--samples", "1000")
        wait_for_readings(tmp_path / "r", 500)
        cable.pull(0)
        cable.plug()
        code, _, err = ended(run)
    assert code == 1
    recording = read_recording(tmp_path / "r")
    assert len(recording) == 1000
    assert recording.columns["session"].tolist() == [0] * 500 + [1] * 500
    (gap,) = recording.provenance["gaps"]
    assert gap["row"] == 500
    assert re.search(rf"recording {tmp_path / 'r'} is incomplete: away 1 × \(\d+\.\d s\)", err)


def test_a_recording_without_readings_can_be_viewed(folder):
    with ReplayedHeadset(folder) as replayed:
        words = ("--port", replayed.port, "--no-browser", "--json", "--seconds", "0.3")
        code, out, err = ended(psog("view", *words))
    assert code == 0, err
    assert json.loads(out)["address"].startswith("http://127.0.0.1:")


def test_readings_that_a_replay_does_not_have_cannot_be_recorded(tmp_path, folder):
    with ReplayedHeadset(folder) as replayed:
        code, out, err = ended(psog("record", tmp_path / "r", "--port", replayed.port, "--sensors"))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "replays a recording without readings; omit --sensors" in err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--samples", "0"), "--samples is 0; expected more than 0"),
        (("--recover",), "there is nothing to recover"),
        (("--headset", "mine.toml"), "pass --sensors to record them"),
        (("--user", "a\nb"), "--user is 'a\\nb'; expected a name on one line"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, words, message):
    code, out, err = ended(psog("record", tmp_path / "r", *words))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert message in err


def test_a_replay_is_found_by_itself_and_recorded_to_its_end(tmp_path, folder):
    run_folder = tmp_path / "run"
    run_folder.mkdir()
    environment = {"XDG_RUNTIME_DIR": str(run_folder), "PATH": ""}
    with psog("replay", folder, "--speed", "inf", "--json", env=environment) as replay:
        port = json.loads(replay.stdout.readline())["port"]
        code, _, err = ended(psog("record", tmp_path / "again", "--wait-s", "0", env=environment))
    assert f"{port}: virtual ring16 on a recording" in err
    assert (code, replay.returncode) == (1, 0)  # the headset had gone; what it sent is there
    assert "has not come back in 0 s" in err
    assert read_recording(tmp_path / "again").t_us.tolist() == made_up(0, 10_000).t_us.tolist()
    assert list((run_folder / "psog").iterdir()) == []
