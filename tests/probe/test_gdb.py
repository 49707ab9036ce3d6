"""The debugger's protocol: on an emulated core, and against a server that misbehaves."""

import socket

import pytest

from psog.errors import ProbeError, ToolchainError
from psog.firmware_export.binaries import symbols
from psog.firmware_export.toolchain import available_boards, board_target, build_board
from psog.probe.gdb import LR, PC, SP, XPSR, Gdb
from psog.probe.packets import Packets, frame
from psog.virtual.boards import start_board

BOARD = "mps2-an386"
THUMB = 1 << 24


@pytest.fixture
def halted(tmp_path):
    if BOARD not in available_boards():
        pytest.skip(f"no compiler or emulator for {BOARD} is installed")
    with start_board(BOARD, tmp_path / "flash", debug="halted") as board:
        yield board


@pytest.fixture
def served():
    """A debugger, and the server's end of its connection."""
    ours, theirs = socket.socketpair()
    with theirs, Gdb(ours, "the server", running=False) as gdb:
        yield gdb, theirs


def function(name: str) -> int:
    return symbols(build_board(BOARD), board_target(BOARD).target)[name]


def test_a_core_is_halted_before_its_first_instruction(halted):
    gdb = halted.debugger
    stack, reset = (int.from_bytes(gdb.read(at, 4), "little") for at in (0, 4))
    assert (gdb.register(SP), gdb.register(PC) | 1) == (stack, reset)
    assert gdb.register(XPSR) & THUMB
    before = gdb.register(PC)
    assert gdb.step() == ("stopped", 5)
    assert 2 <= gdb.register(PC) - before <= 4


def test_a_breakpoint_stops_before_a_function_and_returning_skips_it(halted):
    gdb = halted.debugger
    place = function("main")
    gdb.break_at(place)
    gdb.run()
    assert gdb.wait(10) == ("stopped", 5)
    assert gdb.register(PC) == place
    gdb.clear_break(place)
    gdb.set_register(0, 7)
    gdb.set_register(PC, gdb.register(LR) & ~1)  # as if main had returned 7, with which the board ends
    gdb.run()
    assert gdb.wait(10) == ("exited", 7)


def test_memory_holds_what_was_written_also_across_packets_and_a_reset(halted):
    gdb = halted.debugger
    data = bytes(range(256)) * 9 + b"#$}*"
    gdb.write(0x20001000, data)
    assert gdb.read(0x20001000, len(data)) == data
    place = gdb.register(PC)
    gdb.step()
    gdb.reset()
    assert gdb.register(PC) == place
    assert gdb.read(0x20001000, len(data)) == data


def test_a_running_core_is_asked_nothing_until_it_is_halted(halted):
    gdb = halted.debugger
    gdb.run()
    with pytest.raises(ProbeError, match="runs; halt it first"):
        gdb.read(0, 4)
    with pytest.raises(ProbeError, match="did not answer in time"):
        gdb.wait(0.1)  # the application never stops by itself
    assert gdb.halt().kind == "stopped"
    assert gdb.halt().kind == "stopped"
    assert gdb.read(0, 4)
    with pytest.raises(ProbeError, match="nothing to wait for"):
        gdb.wait(1)


def test_what_the_core_does_not_have_is_refused(halted):
    with pytest.raises(ProbeError, match="could not read 4 bytes at 0xe8000000"):
        halted.debugger.read(0xE8000000, 4)
    assert "running" not in halted.debugger.monitor("info status")


def test_an_emulator_that_has_gone_is_said(halted):
    halted._process.kill()
    with pytest.raises(ProbeError, match="has gone"):
        halted.debugger.read(0, 4)


def test_a_damaged_packet_is_asked_for_again(served):
    gdb, server = served
    server.sendall(b"+$0101#00" + frame(b"0203"))
    assert gdb.read(0, 2) == b"\x02\x03"
    assert server.recv(100) == frame(b"m0,2") + b"-+"


def test_a_packet_that_was_not_understood_is_sent_again(served):
    gdb, server = served
    server.sendall(b"-+" + frame(b"OK"))
    gdb.write(0, b"\xff")
    assert server.recv(100) == 2 * frame(b"M0,1:ff") + b"+"


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (b"---", "did not understand 'm0,2'"),
        (b"+" + 3 * b"$ff#00", "wrong checksums"),
        (b"+" + frame(b"0g"), "expected hexadecimal"),
        (b"+" + frame(b""), "does not know that command"),
        (b"+" + frame(b"E14"), "could not read 2 bytes at 0x00000000 .'E14'"),
        (b"+$" + 20_000 * b"0", "more than 16,384 bytes"),
    ],
)
def test_what_a_server_should_not_say_is_an_error(served, reply, complaint):
    gdb, server = served
    server.sendall(reply)
    with pytest.raises(ProbeError, match=complaint):
        gdb.read(0, 2)


def test_packets_come_out_as_they_went_in():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        content = bytes(range(256))
        theirs.sendall(frame(content) + b"$0* #" + b"%02x" % (sum(b"0* ") % 256))
        packets = Packets(ours, "the server")
        assert packets.receive(1) == content
        assert packets.receive(1) == b"0000"  # a run, as the protocol's own example has it


def test_the_host_has_no_debug_port(tmp_path):
    with pytest.raises(ToolchainError, match="not emulated"):
        start_board("host", tmp_path / "flash", debug="running")
