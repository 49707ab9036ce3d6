"""Messages between a program and the pages that people have open: JSON both ways, and frames out.

A message is a JSON object with a `type`. What pages may send is a table of classes; everything else is
refused with {"type": "refused", "why": …} and changes nothing. {"type": "time", "page_ms": …} is answered at
once with the same and `host_s`, this computer's time.monotonic, so that a page can know its time.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from psog.tables import Table, first_fault
from psog.web.outbox import Item, Outbox

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

LARGEST_MESSAGE = 16_384
"""Bytes of a message from a page; what people do on one is told in fewer (a weak value)."""
_MOST_CLIENTS = 16
MOST_WAITING = 256
"""Messages from pages that wait to be received."""
_TOO_SLOW, _TOO_MANY = 1008, 1013  # RFC 6455: policy violation; IANA's registry: try again later


class _Time(Table):
    page_ms: float


class Client:
    """One page that is open. Sending never waits, from whichever thread."""

    def __init__(self, number: int, outbox: Outbox) -> None:
        self.number = number
        self._outbox = outbox

    @property
    def lost_frames(self) -> int:
        """Frames that this client was too slow for."""
        return self._outbox.lost_frames

    def send(self, kind: str, **values: Any) -> None:
        """Send a message of this type; it arrives, or the connection ends."""
        self._outbox.put(Item(_text(kind, values), is_frame=False))

    def send_frame(self, content: bytes) -> None:
        """Send bytes that may be lost: to a client that is behind, which is told how many frames it lost."""
        self._outbox.put(Item(content, is_frame=True))


class Joined(NamedTuple):
    """A page was opened."""

    client: Client


class Left(NamedTuple):
    """A page was closed, or lost."""

    client: Client


class Received(NamedTuple):
    """A page has sent this."""

    client: Client
    message: Table


class Channel:
    """All pages that are open. Every method may be called from any thread.

    Args:
        accepts: what pages may send, by type: classes whose fields are the message's other keys.
        greet: tells a new client what it has to know before anything else. Runs in the server's thread while
            sending to everybody waits, so it must not: what is sent after it has looked arrives after it.
    """

    def __init__(
        self,
        accepts: Mapping[str, type[Table]] | None = None,
        greet: Callable[[Client], None] = lambda client: None,
    ) -> None:
        self._accepts: dict[str, type[Table]] = {**(accepts or {}), "time": _Time}
        self._greet = greet
        self._clients: list[Client] = []
        self._lock = threading.RLock()  # greeting may ask who else is there
        self._numbers = 0
        self._events: queue.Queue[Joined | Left | Received] = queue.Queue()

    @property
    def clients(self) -> list[Client]:
        """Those that are connected now."""
        with self._lock:
            return list(self._clients)

    def send(self, kind: str, **values: Any) -> None:
        """Send a message of this type to everybody; see Client."""
        for client in self.clients:
            client.send(kind, **values)

    def send_frame(self, content: bytes) -> None:
        """Send bytes that may be lost to everybody; see Client."""
        for client in self.clients:
            client.send_frame(content)

    def receive(self, timeout_s: float | None = None) -> Joined | Left | Received | None:
        """What happens next; None when nothing did for so long."""
        try:
            return self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None

    async def serve(self, websocket: WebSocket) -> None:
        """One connection, from its beginning to its end. For the server."""
        await websocket.accept()
        if len(self.clients) >= _MOST_CLIENTS:
            await websocket.close(_TOO_MANY, f"{_MOST_CLIENTS} pages are open; close one of them")
            return
        self._numbers += 1
        outbox = Outbox(asyncio.get_running_loop())
        client = Client(self._numbers, outbox)
        with self._lock:
            self._greet(client)
            self._clients.append(client)
        self._events.put(Joined(client))
        ways = [
            asyncio.ensure_future(_send_all(websocket, outbox)),
            asyncio.ensure_future(self._receive_all(websocket, client)),
            asyncio.ensure_future(outbox.overflow.wait()),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if outbox.overflow.is_set():
                await websocket.close(_TOO_SLOW, "too many messages wait to be fetched")
        finally:
            with self._lock:
                self._clients.remove(client)
            self._events.put(Left(client))
            for way in ways:
                way.cancel()
            for result in await asyncio.gather(*ways, return_exceptions=True):
                _raise_what_is_a_fault(result)

    async def _receive_all(self, websocket: WebSocket, client: Client) -> None:
        while True:
            event = await websocket.receive()
            if event["type"] == "websocket.disconnect":
                return
            try:
                message = self._understood(event.get("text"))
            except ValueError as error:
                client.send("refused", why=str(error))
                continue
            if isinstance(message, _Time):
                client.send("time", page_ms=message.page_ms, host_s=time.monotonic())
            elif self._events.qsize() >= MOST_WAITING:
                client.send("refused", why="too many messages wait; send fewer")
            else:
                self._events.put(Received(client, message))

    def _understood(self, text: str | None) -> Table:
        """The message as an object of its class; ValueError says in one line why it is none."""
        if text is None:
            raise ValueError("a page sends JSON text; these are bytes")
        try:
            values = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"this is not JSON: {error}") from error
        kind = values.pop("type", None) if isinstance(values, dict) else None
        expected = self._accepts.get(kind) if isinstance(kind, str) else None
        if expected is None:
            raise ValueError(f"unknown type of message; expected one of: {', '.join(self._accepts)}")
        try:
            return expected.model_validate(values, strict=True)
        except ValidationError as error:
            raise ValueError(f"{kind}: {first_fault(error, 'message')}") from error


async def _send_all(websocket: WebSocket, outbox: Outbox) -> None:
    told = 0
    while True:
        item = await outbox.get()
        if outbox.lost_frames > told:
            told = outbox.lost_frames
            await websocket.send_text(_text("lost_frames", {"count": told}))
        if isinstance(item.content, str):
            await websocket.send_text(item.content)
        else:
            await websocket.send_bytes(item.content)


def _text(kind: str, values: Mapping[str, Any]) -> str:
    return json.dumps({"type": kind, **values}, allow_nan=False)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _raise_what_is_a_fault(result: object) -> None:
    """A connection that ends while something is sent is none."""
    from starlette.websockets import WebSocketDisconnect

    harmless = asyncio.CancelledError | WebSocketDisconnect
    if isinstance(result, BaseException) and not isinstance(result, harmless):
        raise result
