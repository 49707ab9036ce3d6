"""Who may ask a local server for anything: whoever has the token, by an address that is the server's own.

The token is the first part of every path, so a page's own relative links carry it, and no cookie is needed: a
cookie of 127.0.0.1 goes to every server on that address, whatever its port and whoever runs it.

- A page of somebody else's in the same browser cannot read the token, and a websocket or request that it
  starts names it in Origin, which has to be the server's own.
- A name that somebody has pointed at this computer (DNS rebinding) stands in Host, which has to be an
  address, or a name that this computer has.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_TOKEN_BYTES = 32
"""256 bits, as much as a key: nobody guesses it."""

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _CONTENT_SECURITY_POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",  # the address holds the token
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def new_token() -> str:
    """A token nobody can guess, for the path of an address."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


class Guard:
    """An ASGI app around another one, which sees only requests that may pass, with the token off their path.

    Args:
        app: sees every path from the part after the token on.
        token: see new_token.
        port: the one that the server listens at.
        host: the address that it listens at.
    """

    def __init__(self, app: App, token: str, port: int, host: str) -> None:
        self._app = app
        self._token = token
        self._port = port
        self._only_here = ipaddress.ip_address(host).is_loopback
        self._names = {"localhost"} if self._only_here else {"localhost", *_names_of_this_computer()}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(scope, refusal, send)
            return
        _, _, rest = scope["path"].removeprefix("/").partition("/")
        await self._app({**scope, "path": f"/{rest}"}, receive, _with_headers(send))

    def _refusal(self, scope: Message) -> str | None:
        headers = scope["headers"]
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return "this server is asked for by another name than its own; open the address that psog printed"
        if origins not in ([], [f"http://{hosts[0]}"]):
            return "another page asks; only this server's own may"
        given, slash, _ = scope["path"].removeprefix("/").partition("/")
        if not slash or not secrets.compare_digest(given.encode(), self._token.encode()):
            return "the address lacks the token; open the whole address that psog printed"
        return None

    def _is_own(self, host: str) -> bool:
        name, port = _parts(host)
        if port != str(self._port):
            return False
        if name.lower() in self._names:
            return True
        try:
            address = ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return address.is_loopback or not self._only_here


def _parts(host: str) -> tuple[str, str]:
    """Name and port of a Host header, which leaves out port 80."""
    if host.endswith("]") or ":" not in host:
        return host, "80"
    name, _, port = host.rpartition(":")
    return name, port


def _names_of_this_computer() -> set[str]:
    return {name.lower() for name in (socket.gethostname(), socket.getfqdn())}


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", []), *own]}
        await send(message)

    return with_headers


async def _refuse(scope: Message, why: str, send: Send) -> None:
    """403 and one line; a websocket that is not accepted is answered with 403 too (ASGI 3)."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    send = _with_headers(send)
    kind = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 403, "headers": kind})
    await send({"type": "http.response.body", "body": f"{why}\n".encode()})
