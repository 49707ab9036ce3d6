"""The headset that is being calibrated, found again when its cable was out."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from types import TracebackType

from serial.tools import list_ports

from psog.calibration.interruption import Check
from psog.device.client import Client, open_headset
from psog.device.reconnecting import Place
from psog.errors import DeviceError, LinkError, ProtocolError

_POLL_S = 0.1
_HELLO_S = 0.25
"""As psog.device.reconnecting: a headset that may just be starting is asked again at once."""


class Connection:
    """An open headset, and the same one when it is back. A context manager.

    Args:
        port: of the headset.
        virtual: names of the ports that virtual headsets have now.
        patience_s: how long it may be away.
    Raises:
        LinkError, ProtocolError: see open_headset.
    """

    def __init__(
        self, port: str, *, virtual: Callable[[], Collection[str]] = tuple, patience_s: float = 60.0
    ) -> None:
        self._place = Place(port, list_ports.comports, virtual)
        self._patience_s = patience_s
        self.client = open_headset(port)

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    def reopen(self, check: Check) -> Client:
        """See psog.calibration.guide.Reopen."""
        before = self.client.info
        self.client.close()
        end_s = time.monotonic() + self._patience_s
        if not self._place.can_return:
            raise LinkError(f"the headset at {self._place.given} has gone, and its port cannot come back")
        while not self._try_to_open():
            check()
            if time.monotonic() > end_s:
                raise LinkError(
                    f"the headset at {self._place.given} has not come back in {self._patience_s:g} s; "
                    "it keeps its last calibration"
                )
            time.sleep(_POLL_S)
        now = self.client.info
        if (now.board, now.headset, now.model_crc32) != (before.board, before.headset, before.model_crc32):
            raise LinkError(
                f"another headset has come back at {self.client.port}: {now.headset!r} on {now.board} with "
                f"model {now.model_crc32:08x}; start again to calibrate it"
            )
        return self.client

    def _try_to_open(self) -> bool:
        port = self._place.port()
        if port is None:
            return False
        try:
            self.client = Client(port, hello_timeout_s=_HELLO_S)
        except ProtocolError:
            raise
        except (LinkError, DeviceError):
            return False
        return True
