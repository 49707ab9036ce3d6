"""Packets of GDB's remote serial protocol over a socket: framed, checked, acknowledged, sent again.

Source: Debugging with GDB, appendix E (Remote Protocol), E.1 Overview.
"""

from __future__ import annotations

import contextlib
import socket
import time

from psog.errors import ProbeError

_ESCAPE = 0x7D
_ESCAPED_BY = 0x20
_REPEAT = 0x2A
_REPEAT_BASE = 29
_LONGEST_BYTES = 16384
"""Of a packet as it comes: QEMU sends 4096 at most, others a little more."""
_ATTEMPTS = 3
_READ_BYTES = 4096


class Packets:
    """One end of a connection to a GDB server. Used by one thread; `close` closes the socket.

    Args:
        name: what is at the other end, for messages.
    """

    def __init__(self, connection: socket.socket, name: str) -> None:
        self.name = name
        self._socket = connection
        self._came = bytearray()

    def send(self, content: bytes, timeout_s: float) -> None:
        """Send a packet and wait until the other end has it.

        Raises:
            ProbeError: it has gone, says nothing in time, or did not understand three times.
        """
        packet = frame(content)
        deadline_s = time.monotonic() + timeout_s
        for _ in range(_ATTEMPTS):
            self.send_raw(packet)
            if self._acknowledged(deadline_s):
                return
        raise ProbeError(f"{self.name} did not understand {_shown(content)} in {_ATTEMPTS} attempts")

    def send_raw(self, data: bytes) -> None:
        """Bytes outside a packet, such as the interrupt.

        Raises:
            ProbeError: the other end has gone.
        """
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._gone(str(error)) from error

    def receive(self, timeout_s: float) -> bytes:
        """The content of the next packet that is whole, acknowledged.

        Raises:
            ProbeError: none in time, none in three attempts, or the other end has gone.
        """
        deadline_s = time.monotonic() + timeout_s
        for _ in range(_ATTEMPTS):
            while self._byte(deadline_s) != ord("$"):
                pass  # late acknowledgements
            raw = bytearray()
            while (byte := self._byte(deadline_s)) != ord("#"):
                raw.append(byte)
                if len(raw) > _LONGEST_BYTES:
                    raise ProbeError(f"{self.name} sent a packet of more than {_LONGEST_BYTES:,} bytes")
            checksum = bytes((self._byte(deadline_s), self._byte(deadline_s)))
            if checksum.lower() == _checksum(raw):
                with contextlib.suppress(ProbeError):  # the last packet of one that ends, which does not wait
                    self.send_raw(b"+")
                return self._unpacked(raw)
            self.send_raw(b"-")
        raise ProbeError(f"{self.name} sent {_ATTEMPTS} packets with wrong checksums; start it again")

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._socket.close()

    def _acknowledged(self, deadline_s: float) -> bool:
        while (byte := self._byte(deadline_s)) not in b"+-":
            pass  # of a packet that was sent before the other end read this one
        return byte == ord("+")

    def _byte(self, deadline_s: float) -> int:
        if not self._came:
            rest_s = deadline_s - time.monotonic()
            try:
                self._socket.settimeout(max(rest_s, 1e-3))
                data = self._socket.recv(_READ_BYTES)
            except TimeoutError:
                raise ProbeError(f"{self.name} did not answer in time; start it again") from None
            except OSError as error:
                raise self._gone(str(error)) from error
            if not data:
                raise self._gone("it closed the connection")
            self._came += data
            self._came.reverse()  # taken from the end, which costs nothing
        return self._came.pop()

    def _unpacked(self, raw: bytes | bytearray) -> bytes:
        """Without escapes and run lengths."""
        content = bytearray()
        bytes_left = iter(raw)
        for byte in bytes_left:
            if byte == _ESCAPE:
                content.append(next(bytes_left, _ESCAPED_BY) ^ _ESCAPED_BY)
            elif byte == _REPEAT and content:
                content += content[-1:] * max(next(bytes_left, _REPEAT_BASE) - _REPEAT_BASE, 0)
            else:
                content.append(byte)
        return bytes(content)

    def _gone(self, why: str) -> ProbeError:
        return ProbeError(f"{self.name} has gone ({why}); start it again")


def frame(content: bytes) -> bytes:
    """A packet with what must not stand in it escaped."""
    escaped = bytearray()
    for byte in content:
        escaped += bytes((_ESCAPE, byte ^ _ESCAPED_BY)) if byte in b"#$}*" else bytes((byte,))
    return b"$" + escaped + b"#" + _checksum(escaped)


def _checksum(raw: bytes | bytearray) -> bytes:
    return b"%02x" % (sum(raw) % 256)


def _shown(content: bytes) -> str:
    return repr(content[:40].decode("ascii", "replace"))
