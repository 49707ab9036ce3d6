"""A port that cannot be used is told apart in one clear line."""

from __future__ import annotations

import os
import pty

import pytest

from psog.device.transport import SerialTransport
from psog.errors import LinkError
from tests.device.peer import peer


def test_missing_port(tmp_path):
    with pytest.raises(LinkError, match="there is no such port; ports of this computer"):
        SerialTransport(str(tmp_path / "ttyACM0"))


def test_busy_port():
    with peer() as device:
        first = SerialTransport(device.port)
        with pytest.raises(LinkError, match="another program has it open"):
            SerialTransport(device.port)
        first.close()
        SerialTransport(device.port).close()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_path_that_is_no_port(tmp_path, kind):
    path = tmp_path / "thing"
    path.write_text("not a port") if kind == "file" else path.mkdir()
    with pytest.raises(LinkError, match="not a serial port"):
        SerialTransport(str(path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every port")
def test_port_without_permission(tmp_path):
    path = tmp_path / "ttyACM0"
    path.touch(mode=0)
    with pytest.raises(LinkError, match="no permission"):
        SerialTransport(str(path))


def test_unplugged_port_is_an_error_for_reader_and_writer():
    master, slave = pty.openpty()
    transport = SerialTransport(os.ttyname(slave))
    os.close(master)
    with pytest.raises(LinkError, match="has gone"):
        transport.read()
    with pytest.raises(LinkError, match="has gone"):
        transport.write(b"hello")
    transport.close()
    os.close(slave)


def test_every_message_is_one_line(tmp_path):
    with pytest.raises(LinkError) as caught:
        SerialTransport(str(tmp_path / "nothing"))
    assert "\n" not in str(caught.value)
