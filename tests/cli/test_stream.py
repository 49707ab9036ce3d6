"""`psog stream` against a peer on a real pty: what it prints, and what it says when things go wrong."""

from __future__ import annotations

import csv
import json
import re
import socket
import subprocess
import sys
import time

import pytest

from psog.benchmarks.cable import Cable
from psog.device.messages import PROTOCOL_VERSION
from psog.device.transport import SerialTransport
from tests.device.peer import peer


def start(port: str, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "psog", "stream", "--port", port, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stream(port: str, *words: str) -> tuple[int, str, str]:
    run = start(port, *words)
    out, err = run.communicate(timeout=60)
    return run.returncode, out, err


def test_json_lines_have_the_promised_keys():
    with peer(readings=30) as device:
        code, out, err = stream(device.port, "--json", "--samples", "20")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [line["t_us"] for line in lines] == list(range(1000, 21000, 1000))
    assert set(lines[0]) == {
        "t_us",
        "seq",
        "gaze_h_deg",
        "gaze_v_deg",
        "openness",
        "expected_error_deg",
        "valid",
        "host_time_s",
    }
    assert (lines[0]["valid"], lines[0]["host_time_s"]) == (True, None)


def test_json_lines_have_host_times_of_a_device_that_tells_its_time():
    began_s = time.monotonic()
    with peer(readings=30, clock_us=lambda: round((time.monotonic() - began_s) * 1e6)) as device:
        code, out, _ = stream(device.port, "--json", "--samples", "20")
    times_s = [json.loads(line)["host_time_s"] for line in out.splitlines()]
    assert code == 0
    assert times_s == sorted(times_s)
    assert times_s[-1] < time.monotonic()


def test_a_headset_that_comes_back_streams_on_and_the_gap_is_told(tmp_path):
    with peer(readings=30) as device, Cable(device.port, tmp_path / "headset") as cable:
        run = start(str(cable.link), "--json", "--samples", "60")
        assert run.stdout is not None
        first = [run.stdout.readline() for _ in range(30)]
        cable.pull(0)
        cable.plug()
        rest, err = run.communicate(timeout=60)
    assert [json.loads(line)["t_us"] for line in [*first, *rest.splitlines()]] == list(
        range(1000, 61000, 1000)
    )
    assert run.returncode == 1
    gone, back, verdict = err.splitlines()
    assert gone == "the headset has gone; waiting up to 60 s for it"
    assert re.fullmatch(r"it is back after \d+\.\d s", back)
    assert f"the stream from {cable.link} is incomplete: away 1 ×" in verdict


def test_a_headset_that_stays_away_is_not_waited_for_for_ever(tmp_path):
    with peer(readings=30) as device, Cable(device.port, tmp_path / "headset") as cable:
        run = start(str(cable.link), "--json", "--wait-s", "0.2")
        assert run.stdout is not None
        run.stdout.readline()
        cable.pull(0)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "has not come back in 0.2 s" in err.splitlines()[-1]


def test_csv_has_a_header_and_the_same_values():
    with peer(readings=30) as device:
        _, out, _ = stream(device.port, "--format", "csv", "--seconds", "0.02")
    rows = list(csv.DictReader(out.splitlines()))
    assert len(rows) == 20
    assert (rows[4]["t_us"], rows[4]["gaze_h_deg"], rows[4]["valid"]) == ("5000", "0.005", "1")


def test_text_is_for_people():
    with peer(readings=30) as device:
        _, out, _ = stream(device.port, "--samples", "1")
    assert out == "    0.001000 s  right   +0.00°  up   -1.00°  open  1.00  ±  2.00°\n"


def test_gaze_that_is_no_number_is_null():
    with peer(readings=3, gaze_h_deg=float("nan")) as device:
        _, out, _ = stream(device.port, "--json", "--samples", "1")
    assert json.loads(out, parse_constant=pytest.fail)["gaze_h_deg"] is None


def test_damaged_and_lost_frames_are_told_and_exit_1():
    def wire(index: int, data: bytes) -> bytes:
        if index == 8:
            return b""
        return data[:3] + bytes([data[3] ^ 1 or 2]) + data[4:] if index in (5, 6, 7) else data

    with peer(readings=30, wire=wire) as device:
        code, out, err = stream(device.port, "--samples", "26")
    assert code == 1
    assert len(out.splitlines()) == 26
    incomplete = f"psog stream: the stream from {device.port} is incomplete: 3 frames damaged, 4 lost of"
    assert re.fullmatch(rf"{incomplete} \d+\n", err)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": 99}, f"speaks protocol version 99, this psog speaks version {PROTOCOL_VERSION}"),
        ({"silent": True}, "answers as a psog headset"),
        ({"headset": ""}, "has no model; send one with psog flash"),
        ({"readings": 0}, "sent no sample for 2 s"),
    ],
)
def test_headset_that_cannot_stream_is_one_line_and_exit_1(options, message):
    with peer(**options) as device:
        code, out, err = stream(device.port, "--samples", "5")
    assert (code, out) == (1, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_missing_port_is_one_line_and_exit_1(tmp_path):
    code, out, err = stream(str(tmp_path / "ttyACM0"))
    assert (code, out) == (1, "")
    assert "there is no such port" in err
    assert len(err.splitlines()) == 1


def test_busy_port_is_one_line_and_exit_1():
    with peer() as device:
        first = SerialTransport(device.port)
        code, _, err = stream(device.port)
        first.close()
    assert code == 1
    assert "another program has it open" in err


def test_unplugging_in_the_middle_is_one_line_and_exit_1():
    with peer(readings=100) as device:
        run = start(device.port, "--json")
        assert run.stdout is not None
        first = run.stdout.readline()
        device.close()
        _, err = run.communicate(timeout=60)
    assert json.loads(first)["t_us"] == 1000
    assert run.returncode == 1
    assert "has gone" in err
    assert len(err.splitlines()) == 1


def test_a_length_that_makes_no_sense_is_refused():
    code, _, err = stream("/dev/null", "--samples", "0")
    assert code == 1
    assert "--samples is 0; expected more than 0" in err


@pytest.mark.parametrize(("option", "address"), [("--osc", "localhost"), ("--udp", "localhost:70000")])
def test_what_is_no_address_is_refused(option, address):
    with peer() as device:
        code, out, err = stream(device.port, option, address)
    assert (code, out) == (1, "")
    assert err == (
        f"psog stream: {address!r} is no address to send to; expected HOST:PORT, as in 127.0.0.1:9000\n"
    )


def test_gaze_goes_to_several_programs_at_once():
    with (
        peer(readings=30) as device,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as osc,
    ):
        for receiver in (udp, osc):
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(20)
        places = [f"127.0.0.1:{receiver.getsockname()[1]}" for receiver in (udp, osc)]
        words = ("--udp", places[0], "--osc", places[1], "--format", "csv", "--samples", "20")
        code, out, err = stream(device.port, *words)
        datagrams = [json.loads(udp.recv(2000)) for _ in range(20)]
        bundle = osc.recv(2000)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 21
    assert [reading["t_us"] for reading in datagrams] == list(range(1000, 21000, 1000))
    assert bundle.startswith(b"#bundle\0")


def test_nothing_is_printed_where_gaze_goes_elsewhere():
    with peer(readings=30) as device:
        assert stream(device.port, "--udp", "127.0.0.1:9", "--samples", "20") == (0, "", "")
