"""The sensor bus of a board as a transport for frames."""

from __future__ import annotations

import contextlib
import socket
import struct

from psog.errors import LinkError

_BUFFER_BYTES = 8192
"""Small, so that readings do not queue for seconds in front of a board that cannot keep up: about 40 ms."""
_WRITE_TIMEOUT_S = 5
_READ_BYTES = 4096


class SocketTransport:
    """A connected socket, used like a serial port. `close` closes the socket."""

    def __init__(self, bus: socket.socket, name: str) -> None:
        self.port = name
        self._bus = bus
        self._cancelled = False
        bus.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        bus.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", _WRITE_TIMEOUT_S, 0))

    def read(self) -> bytes:
        """What has arrived, at least one byte; waits for it. Empty after `cancel_read`.

        Raises:
            LinkError: the other end has gone.
        """
        try:
            data = self._bus.recv(_READ_BYTES)
        except OSError as error:
            raise self._gone(str(error)) from error
        if not data and not self._cancelled:
            raise self._gone("it closed the connection")
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`, waiting while the other end is busy.

        Raises:
            LinkError: the other end has gone, or takes no data.
        """
        try:
            self._bus.sendall(data)
        except BlockingIOError as error:
            raise LinkError(f"{self.port} took no data for {_WRITE_TIMEOUT_S} s; restart it") from error
        except OSError as error:
            raise self._gone(str(error)) from error

    def cancel_read(self) -> None:
        """Make a waiting `read` return."""
        self._cancelled = True
        with contextlib.suppress(OSError):  # the other end has gone already, so nothing waits
            self._bus.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._bus.close()

    def _gone(self, why: str) -> LinkError:
        return LinkError(f"{self.port} has gone ({why}); start it again")
