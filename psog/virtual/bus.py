"""The sensor bus of a board as a transport for frames: READING goes in, DISPLAY comes out."""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from psog.errors import LinkError

_BUFFER_BYTES = 8192
"""Small, so that readings do not queue for seconds in front of a board that cannot keep up: about 40 ms."""
_WRITE_TIMEOUT_S = 5
_READ_BYTES = 4096
RING_MEMORY_BYTES = 8 + _BUFFER_BYTES
_ROOM_POLL_S = 0.0005


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


class RingTransport(SocketTransport):
    """A bus whose readings go through memory that an emulated board shares; the socket rings for them.

    The memory holds two 32-bit counts of bytes, written and read, and then the ring itself; the board's
    board.c has the same picture.

    Args:
        memory: RING_MEMORY_BYTES of it, zeroed before the board starts.
    """

    def __init__(self, bus: socket.socket, name: str, memory: memoryview) -> None:
        super().__init__(bus, name)
        self._counts = memory[:8].cast("I")
        self._ring = memory[8:RING_MEMORY_BYTES]

    def write(self, data: bytes) -> None:
        """Send all of `data`, waiting while the board is busy. Raises as a socket's."""
        rest = memoryview(data)
        while rest:
            written = self._counts[0]
            part = rest[: self._room(written)]
            start = written % _BUFFER_BYTES
            first = min(len(part), _BUFFER_BYTES - start)
            self._ring[start : start + first] = part[:first]
            self._ring[: len(part) - first] = part[first:]
            self._counts[0] = (written + len(part)) & 0xFFFFFFFF  # after the bytes: the board reads to here
            super().write(b"\0")
            rest = rest[len(part) :]

    def close(self) -> None:
        """Close the connection and let go of the memory. Idempotent."""
        super().close()
        self._counts.release()
        self._ring.release()

    def _room(self, written: int) -> int:
        """Bytes that fit now, at least one; waits for it."""
        deadline_s = time.monotonic() + _WRITE_TIMEOUT_S
        while (room := _BUFFER_BYTES - (written - self._counts[1]) % (1 << 32)) == 0:
            if time.monotonic() > deadline_s:
                raise LinkError(f"{self.port} took no data for {_WRITE_TIMEOUT_S} s; restart it")
            time.sleep(_ROOM_POLL_S)  # memory wakes nobody
        return room
