"""A local page: a server in a thread, for browsers of this computer, as long as a program wants it."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from psog.errors import MissingExtraError, WebError
from psog.web.assets import load_assets
from psog.web.channel import LARGEST_MESSAGE, Channel
from psog.web.guard import App, Guard, new_token

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

LOOPBACK = "127.0.0.1"
_POLL_S = 0.01
_LAST_WORDS_S = 1.0
"""How long the end waits for clients that do not take what was sent to them."""
_SEND_BUFFER = 65_536
"""Bytes a connection holds for a client that does not read: small, so that who is behind is known soon."""


class LocalPage:
    """A page and the channel to whoever has it open. A context manager; leaving it ends the server.

    Args:
        package: of the page: index.html and what belongs to it. Its websocket is `channel`, and what all
            pages share is in `shared/` (base.css, channel.js, icon.svg), relative to it.
        channel: what it sends and takes.
        bind: address of this computer to listen at; the network can only reach others than 127.0.0.1 and ::1.
        port: 0 takes a free one.
    Raises:
        MissingExtraError: the packages of the extra `live` are not installed.
        WebError (on entering): the port or address cannot be had.
    """

    def __init__(self, package: str, channel: Channel, *, bind: str = LOOPBACK, port: int = 0) -> None:
        _require_packages()
        try:
            self._host = str(ipaddress.ip_address(bind))
        except ValueError as error:
            raise WebError(f"cannot listen at {bind!r}; expected an address such as 127.0.0.1") from error
        self._package = package
        self.channel = channel
        self._asked_port = port
        self._token = new_token()

    @property
    def address(self) -> str:
        """What to open in a browser. Who has it can see everything and do what the page lets do."""
        host = self._host if not ipaddress.ip_address(self._host).is_unspecified else LOOPBACK
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/{self._token}/"

    @property
    def is_only_here(self) -> bool:
        """Whether nobody can reach it over the network."""
        return ipaddress.ip_address(self._host).is_loopback

    def __enter__(self) -> LocalPage:
        import uvicorn

        listening = _listening_socket(self._host, self._asked_port)
        self.port: int = listening.getsockname()[1]
        config = uvicorn.Config(
            Guard(_app(self._package, self.channel), self._token, self.port, self._host),
            loop="asyncio",
            http="h11",
            ws="websockets-sansio",
            ws_max_size=LARGEST_MESSAGE,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(listening,), name="psog page", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(_POLL_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_LAST_WORDS_S)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._hang_up)
        self._thread.join()

    def _run(self, listening: socket.socket) -> None:
        asyncio.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[listening])

    def _hang_up(self) -> None:
        """Leave those who do not take what was sent to them."""
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()


def _app(package: str, channel: Channel) -> App:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route, WebSocketRoute

    assets = load_assets(package)

    async def file(request: Request) -> Response:
        found = assets.get(request.path_params["path"])
        if found is None:
            return PlainTextResponse("there is no such file\n", 404)
        return Response(found.content, media_type=found.kind)

    routes = [WebSocketRoute("/channel", channel.serve), Route("/{path:path}", file)]
    app: App = Starlette(routes=routes)
    return app


def _listening_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        why = error.strerror if isinstance(error, OSError) else "no such port"
        raise WebError(
            f"the page cannot be served at {host}, port {port}: {why}; "
            "give another port, or none for a free one"
        ) from error
    return listening


def _require_packages() -> None:
    for name in ("starlette", "uvicorn", "websockets"):
        try:
            __import__(name)
        except ImportError as error:
            raise MissingExtraError(name, "live", "a page in the browser") from error
