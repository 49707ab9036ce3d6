"""Boards as processes: what they need, what they leave behind, what they do when nobody reads."""

import os
import time
from pathlib import Path

import pytest

from psog.device import messages as m
from psog.device.client import open_headset
from psog.device.messages import Stream
from psog.errors import ToolchainError
from psog.firmware_export.toolchain import available_boards
from psog.virtual.boards import start_board
from tests.firmware.device import (
    IMAGE,
    Raw,
    feed,
    upload,
)


@pytest.mark.skipif("host" not in available_boards(), reason="no C compiler is installed")
def test_a_host_that_does_not_read_costs_frames_and_every_one_is_counted(tmp_path):
    """The loop goes on, and the gaps in the sequence numbers are exactly what was dropped."""
    count = 20_000  # more than sockets hold: `feed` returns when most of it has been dealt with, unread
    with start_board("host", tmp_path / "flash") as board:
        with open_headset(board.port) as headset:
            upload(headset, IMAGE)
        with Raw(board.port) as raw:
            mask = Stream.GAZE | Stream.SENSORS
            assert raw.answer(m.STREAM_SET.code, 9, bytes([mask])) == 0
            feed(board, 0, count)
            raw.send(m.STATUS_REQUEST.code, 10, b"")
            sent = 0
            while (found := raw.receive())[0] is not m.STATUS:
                sent += 1
            while found[1]["readings"] < count:
                raw.send(m.STATUS_REQUEST.code, found[1]["reply_to"] + 1, b"")
                while (found := raw.receive())[0] is not m.STATUS:
                    sent += found[0] is not m.ACK
            assert found[1]["dropped"] > 0
            assert sent + found[1]["dropped"] == 2 * count


def test_a_board_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ToolchainError, match="no board named 'mps9'; expected one of host, mps2-an386"):
        start_board("mps9", tmp_path / "flash")


def test_a_flash_file_of_another_size_is_refused(tmp_path):
    flash = tmp_path / "flash"
    flash.write_bytes(b"something else")
    with start_board("host", flash) as board:
        board._process.wait(10)
        assert not board.alive
        assert "no flash file of this board" in board.complaint()
    assert flash.read_bytes() == b"something else"


def test_a_stopped_board_leaves_no_process_and_no_descriptor(tmp_path):
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = descriptors()
    for turn in range(3):
        board = start_board("host", tmp_path / f"flash{turn}")
        pid = board._process.pid
        board.stop()
        board.stop()
        assert not Path(f"/proc/{pid}").exists()
    assert descriptors() == before


def test_an_idle_board_sleeps(board):
    """An emulated core that polled would burn a core of the host."""
    with open_headset(board.port) as headset:
        upload(headset, IMAGE)

        def cpu_ticks() -> int:
            fields = Path(f"/proc/{board._process.pid}/stat").read_text().rsplit(")")[-1].split()
            return int(fields[11]) + int(fields[12])

        before, start = cpu_ticks(), time.monotonic()
        time.sleep(0.5)
        elapsed_ticks = (time.monotonic() - start) * os.sysconf("SC_CLK_TCK")
        assert cpu_ticks() - before < 0.3 * elapsed_ticks
