"""What other programs receive of live gaze: each output with a receiver that is not psog's."""

from __future__ import annotations

import io
import json
import socket
import threading
import time

import numpy as np
import pytest
from pythonosc.osc_packet import OscPacket

from psog.device.answers import DeviceInfo
from psog.errors import OutputError
from psog.live.batch import Batch
from psog.live.outputs import apart
from psog.live.outputs.apart import Apart
from psog.live.outputs.datagrams import Datagrams, parse_address
from psog.live.outputs.lines import Lines
from psog.live.outputs.osc import Osc
from psog.live.outputs.udp import Udp

INFO = DeviceInfo(*(None for _ in DeviceInfo._fields))._replace(  # type: ignore[arg-type]
    board="host", headset="ring16", sensors=16, model_crc32=7
)


def batch(count=10, host_time_s=None):
    """Readings 1 ms apart; number k looks k/10 degrees right."""
    index = np.arange(count)
    gaze_deg = np.stack([index / 10, -index / 5], 1).astype(np.float32)
    ones = np.ones(count, np.float32)
    flags = np.where(index == 3, 0, 1).astype(np.uint8)
    host = np.full(count, np.nan) if host_time_s is None else host_time_s + index / 1000
    return Batch(1000 + 1000 * index, index.astype(np.uint16), gaze_deg, ones, 2 * ones, flags, host, None)


@pytest.fixture
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as open_socket:
        open_socket.bind(("127.0.0.1", 0))
        open_socket.settimeout(20)
        yield open_socket


def place(receiver):
    return f"127.0.0.1:{receiver.getsockname()[1]}"


def test_udp_sends_a_json_object_for_every_reading(receiver):
    output = Udp(place(receiver))
    output.write(batch(5, host_time_s=3.0))
    output.close()
    received = [json.loads(receiver.recv(2000)) for _ in range(5)]
    assert output.missed == 0
    assert received[3] == {
        "t_us": 4000,
        "seq": 3,
        "gaze_h_deg": 0.3,
        "gaze_v_deg": -0.6,
        "openness": 1.0,
        "expected_error_deg": 2.0,
        "valid": False,
        "host_time_s": 3.003,
    }


def test_osc_sends_bundles_that_an_osc_library_reads(receiver):
    output = Osc(place(receiver))
    now_s = time.monotonic()
    output.write(batch(30, host_time_s=now_s))
    output.close()
    packets = [OscPacket(receiver.recv(2000)) for _ in range(2)]
    messages = [timed.message for packet in packets for timed in packet.messages]
    assert [message.address for message in messages] == ["/psog/gaze"] * 30
    assert messages[3].params == [4000, pytest.approx(0.3), pytest.approx(-0.6), 1.0, 2.0, 0]
    assert messages[29].params == [30_000, pytest.approx(2.9), pytest.approx(-5.8), 1.0, 2.0, 1]
    # Of a time that has passed the library says that it is now; the tag itself is the last reading's.
    tag_s = output._time_tag(now_s)
    assert int.from_bytes(tag_s, "big") / (1 << 32) - 2_208_988_800 == pytest.approx(time.time(), abs=20)


def test_osc_without_a_known_time_says_at_once(receiver):
    output = Osc(place(receiver))
    output.write(batch(2))
    output.close()
    assert receiver.recv(2000)[8:16] == bytes([0, 0, 0, 0, 0, 0, 0, 1])


def test_a_receiver_that_does_not_listen_stops_nobody(receiver):
    address = place(receiver)
    receiver.close()
    for output in (Udp(address), Osc(address)):
        for _ in range(50):
            output.write(batch())
        output.close()
        assert output.missed == 0  # whether anybody receives is not known


def test_a_full_network_is_counted_and_not_waited_for(receiver, monkeypatch):
    output = Udp(place(receiver))

    class Full:
        def sendto(self, datagram, address):
            raise BlockingIOError

        def close(self):
            pass

    output._datagrams._socket.close()
    monkeypatch.setattr(output._datagrams, "_socket", Full())
    output.write(batch(10))
    assert output.missed == 10


def test_addresses():
    assert parse_address("host.example:9000") == ("host.example", 9000)
    assert parse_address("[::1]:9000") == ("::1", 9000)
    for text in ("localhost", "localhost:0", "localhost:http", ":9000", "localhost:70000", "localhost:-1"):
        with pytest.raises(OutputError, match="is no address to send to; expected HOST:PORT"):
            parse_address(text)
    with pytest.raises(OutputError, match=r"cannot send to no-such-host\.invalid:9"):
        Datagrams("no-such-host.invalid:9")


class Slow:
    """An output that takes nothing until it is told to."""

    missed = 0

    def __init__(self):
        self.go = threading.Event()
        self.taken = 0

    def write(self, given):
        self.go.wait(20)
        self.taken += len(given.t_us)

    def close(self):
        pass


def test_a_slow_output_lets_the_others_go_on_and_what_it_missed_is_counted(monkeypatch):
    monkeypatch.setattr(apart, "MOST_WAITING", 100)
    slow = Slow()
    output = Apart(slow)
    for _ in range(50):
        output.write(batch(10))
    assert output.missed >= 380
    slow.go.set()
    output.close()
    assert slow.taken + output.missed == 500


def test_an_output_that_fails_apart_is_not_silent():
    class Broken(Slow):
        def write(self, given):
            raise BrokenPipeError

    output = Apart(Broken())
    with pytest.raises(BrokenPipeError):
        for _ in range(1000):
            output.write(batch(1))
            time.sleep(0.001)
    output.close()


def test_csv_begins_with_its_header_and_leaves_unknown_numbers_empty():
    out = io.StringIO()
    Lines(out, "csv").write(batch(2))
    header, first, second = out.getvalue().splitlines()
    assert header == "t_us,seq,gaze_h_deg,gaze_v_deg,openness,expected_error_deg,valid,host_time_s"
    assert (first, second) == ("1000,0,0.0,0.0,1.0,2.0,1,", "2000,1,0.1,-0.2,1.0,2.0,1,")


@pytest.fixture
def pylsl(tmp_path, monkeypatch):
    """Lab Streaming Layer on this computer alone; skips where its library cannot be loaded."""
    config = tmp_path / "lsl.cfg"
    config.write_text(
        "[multicast]\nResolveScope = machine\nListenAddress = 127.0.0.1\n"
        "[lab]\nKnownPeers = {127.0.0.1}\n[log]\nlevel = -3\n"
    )
    monkeypatch.setenv("LSLAPICFG", str(config))
    try:
        import pylsl
    except (ImportError, RuntimeError, OSError) as error:
        pytest.skip(f"liblsl cannot be loaded: {error}")
    return pylsl


def test_an_lsl_inlet_receives_gaze_as_xdf_describes_it(pylsl):
    from psog.live.outputs.lsl import CHANNELS, Lsl

    name = f"psog test {time.monotonic_ns()}"
    output = Lsl(name, INFO, 1000.0)
    found = pylsl.resolve_byprop("name", name, timeout=10)
    assert len(found) == 1, "the stream is not found"
    inlet = pylsl.StreamInlet(found[0])
    info = inlet.info(timeout=10)
    assert (info.type(), info.channel_count(), info.nominal_srate()) == ("Gaze", len(CHANNELS), 1000.0)
    described, channel = [], info.desc().child("channels").child("channel")
    while not channel.empty():
        described.append(tuple(channel.child_value(key) for key in ("label", "type", "unit", "eye")))
        channel = channel.next_sibling("channel")
    assert described == [(*channel, "right") for channel in CHANNELS]
    inlet.open_stream(timeout=10)
    now_s = time.monotonic()
    output.write(batch(5))  # at a time that is not known
    output.write(batch(200, host_time_s=now_s))
    values, stamps_s = [], []
    while len(values) < 200:
        chunk, stamps = inlet.pull_chunk(timeout=10, max_samples=200 - len(values))
        assert chunk, "nothing comes"
        values += chunk
        stamps_s += stamps
    inlet.close_stream()
    output.close()
    assert output.missed == 5
    np.testing.assert_allclose(np.array(values)[:, 0], np.arange(200) / 10, rtol=1e-6)
    assert np.array(values)[3].tolist() == pytest.approx([0.3, -0.6, 1.0, 2.0, 0.0])
    # LSL's clock is time.monotonic on Linux: stamps are when the readings were taken, not when they arrived.
    np.testing.assert_allclose(stamps_s, now_s + np.arange(200) / 1000, atol=1e-3)
