"""What waits to be sent to one client: filled by any thread, emptied by the server's."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import NamedTuple

MOST_FRAMES = 30
"""Frames that wait: half a second at 60 a second. What a viewer sees is not older (a weak value)."""
MOST_MESSAGES = 1000
"""Messages that wait; nobody who still listens is so far behind (a weak value)."""


class Item(NamedTuple):
    """A websocket message; a frame is one that may be lost."""

    content: str | bytes
    is_frame: bool


class Outbox:
    """A queue with a bound. Of frames the oldest are lost, and counted; of messages none, until it overflows.

    Args:
        loop: of the thread that calls `get`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: deque[Item] = deque()
        self._frames = 0
        self._lost_frames = 0
        self._lock = threading.Lock()
        self._filled = asyncio.Event()
        self.overflow = asyncio.Event()
        """Set when more messages wait than somebody who listens would leave there; it takes no more then."""

    @property
    def lost_frames(self) -> int:
        """Frames that had to make room for newer ones."""
        return self._lost_frames

    def put(self, item: Item) -> None:
        """Queue it; from any thread, never waits."""
        with self._lock:
            if item.is_frame and self._frames == MOST_FRAMES:
                oldest = next(index for index, queued in enumerate(self._items) if queued.is_frame)
                del self._items[oldest]
                self._lost_frames += 1
                self._frames -= 1
            has_room = item.is_frame or len(self._items) - self._frames < MOST_MESSAGES
            if has_room:
                self._frames += item.is_frame
                self._items.append(item)
        self._loop.call_soon_threadsafe((self._filled if has_room else self.overflow).set)

    async def get(self) -> Item:
        """The next one, as soon as there is one."""
        while True:
            with self._lock:
                if self._items:
                    item = self._items.popleft()
                    self._frames -= item.is_frame
                    return item
                self._filled.clear()
            await self._filled.wait()
