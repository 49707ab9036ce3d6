"""A renderer that speaks OSC over UDP, as game engines do: the messages of a renderer's websocket."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from psog.calibration.guide import Guide
from psog.calibration.keys import command_for
from psog.calibration.renderer import Renderer
from psog.calibration.viewing import Viewing
from psog.errors import CalibrationError, MissingExtraError

_ROOT = "/psog/calibration"
_HERE = "127.0.0.1"
_ORDER = {"show": ("number", "h_deg", "v_deg"), "ring": ("share",), "hide": ()}
"""What a message carries, in this order."""


class OscRenderer:
    """Sends /psog/calibration/show, ring and hide to a renderer; takes shown and key. A context manager.

    Args:
        address: of the renderer, HOST:PORT.
    Raises:
        CalibrationError: that is no such address.
        MissingExtraError: python-osc is not installed.
    """

    def __init__(self, address: str, viewing: Viewing) -> None:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise CalibrationError(f"--osc is {address!r}; expected an address as in 127.0.0.1:9000")
        try:
            from pythonosc.dispatcher import Dispatcher
            from pythonosc.osc_server import ThreadingOSCUDPServer
            from pythonosc.udp_client import SimpleUDPClient
        except ImportError as error:
            raise MissingExtraError("python-osc", "live", "a renderer that speaks OSC") from error
        try:
            self._client = SimpleUDPClient(host, int(port))
        except OSError as error:
            raise CalibrationError(f"--osc is {address!r}; there is no computer {host!r}: {error}") from error
        self._guide: Guide | None = None
        self.renderer = Renderer(self._send, viewing)
        answers = Dispatcher()
        answers.map(f"{_ROOT}/shown", self._shown)
        answers.map(f"{_ROOT}/key", self._key)
        self._server = ThreadingOSCUDPServer((_HERE, 0), answers)
        self._thread = threading.Thread(target=self._server.serve_forever, name="psog osc", daemon=True)

    def __enter__(self) -> OscRenderer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()

    @property
    def port(self) -> int:
        """Where the renderer's answers are taken; told to it in every `show`."""
        return int(self._server.server_address[1])

    @contextlib.contextmanager
    def leading(self, guide: Guide) -> Iterator[None]:
        """Give the guide what the renderer commands, as long as the context lasts."""
        self._guide = guide
        try:
            yield
        finally:
            self._guide = None

    def _send(self, kind: str, **values: Any) -> None:
        carried = [values[name] for name in _ORDER[kind]]
        self._client.send_message(f"{_ROOT}/{kind}", [*carried, self.port] if kind == "show" else carried)

    def _shown(self, _: str, *values: object) -> None:
        if len(values) == 1 and isinstance(values[0], int):
            self.renderer.shown(values[0])

    def _key(self, _: str, *values: object) -> None:
        guide = self._guide
        if guide is None or len(values) != 1 or not isinstance(values[0], str):
            return
        command = command_for(values[0], guide.flow.state)
        if command is not None:
            guide.give(command)
