"""The serial port: opened exclusively, read as bytes come, every failure one clear LinkError."""

from __future__ import annotations

import errno
import os
import termios

import serial
from serial.tools import list_ports

from psog.errors import LinkError

BAUD_RATE = 921_600
"""1 kHz × 37 bytes × 10 bits needs 370 kbaud; the next common rates are 460,800 and 921,600."""
_WRITE_TIMEOUT_S = 2.0
_MOST_AT_ONCE = 1 << 16


class SerialTransport:
    """An open serial port. One thread may read while another writes.

    Raises (constructor):
        LinkError: no such port, no permission, already open elsewhere, or not a serial port.
    """

    def __init__(self, port: str, baud_rate: int = BAUD_RATE) -> None:
        self.port = port
        try:
            self._serial = serial.Serial(
                port, baud_rate, exclusive=True, timeout=None, write_timeout=_WRITE_TIMEOUT_S
            )
        except (OSError, ValueError) as error:
            raise LinkError(f"cannot open port {port}: {_why_not(error)}") from error
        except termios.error as error:  # pulled out while it was being opened
            raise self._gone(error) from error

    def read(self) -> bytes:
        """What has arrived, at least one byte; waits for it. Empty after `cancel_read`.

        Raises:
            LinkError: the port has gone.
        """
        try:
            first = bytes(self._serial.read(1))
            return first + self._waiting() if first else b""
        except OSError as error:
            raise self._gone(error) from error

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            LinkError: the port has gone, or takes no data.
        """
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise LinkError(
                f"port {self.port} took no data for {_WRITE_TIMEOUT_S:g} s; "
                "check that a psog headset is connected there, and restart it"
            ) from error
        except OSError as error:
            raise self._gone(error) from error

    def cancel_read(self) -> None:
        """Make a waiting `read` return."""
        self._serial.cancel_read()

    def close(self) -> None:
        """Give the port back. Idempotent."""
        self._serial.close()

    def _waiting(self) -> bytes:
        """What is there now; pyserial opens ports so that this does not wait."""
        try:
            return os.read(self._serial.fileno(), _MOST_AT_ONCE)
        except BlockingIOError:
            return b""

    def _gone(self, error: BaseException) -> LinkError:
        return LinkError(f"the headset at {self.port} has gone ({error}); plug it in again and reconnect")


def _why_not(error: OSError | ValueError) -> str:
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        known = ", ".join(sorted(info.device for info in list_ports.comports())) or "none"
        return f"there is no such port; ports of this computer: {known}"
    if code == errno.EACCES:
        return "no permission; add yourself to the group that owns it (often dialout) and log in again"
    if code in (errno.EAGAIN, errno.EBUSY):
        return "another program has it open; close that program first"
    if "configure" in str(error) or code in (errno.ENOTTY, errno.EISDIR):
        return "that is not a serial port; give the port of a headset"
    return f"{error}; give the port of a headset"
