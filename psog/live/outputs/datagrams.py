"""Sending datagrams without waiting for anybody."""

from __future__ import annotations

import socket

from psog.errors import OutputError


class Datagrams:
    """A UDP socket with one receiver, who need not be there.

    Args:
        address: "HOST:PORT", "[IPV6]:PORT".
    Raises (constructor):
        OutputError: that is no address, or there is no such host.
    """

    def __init__(self, address: str) -> None:
        host, port = parse_address(address)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise OutputError(f"cannot send to {address}: {error.strerror}; check the host's name") from error
        family, _, _, _, receiver = found[0]
        self._receiver = receiver
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, datagram: bytes) -> bool:
        """False when it could not be sent at once. Whether anybody receives it is not known."""
        try:
            self._socket.sendto(datagram, self._receiver)
        except OSError:  # the network is away, or takes no more now
            return False
        return True

    def close(self) -> None:
        """Idempotent."""
        self._socket.close()


def parse_address(text: str) -> tuple[str, int]:
    """Host and port.

    Raises:
        OutputError: it is none.
    """
    host, _, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise OutputError(f"{text!r} is no address to send to; expected HOST:PORT, as in 127.0.0.1:9000")
    return host, int(port)
