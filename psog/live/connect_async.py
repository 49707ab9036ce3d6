"""`psog.connect_async()`: live gaze in an asyncio program. A thread fetches; the program never waits for it.

Between the two is a queue of bounded length. A program that falls behind by more loses the oldest items, and
`missed` says how many.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator
from types import TracebackType
from typing import Any, Generic, TypeVar

from psog.device.answers import DeviceInfo
from psog.device.clock import Line
from psog.device.losses import Losses
from psog.device.messages import Stream
from psog.device.reconnecting import ReconnectingHeadset
from psog.device.samples import GazeSample, SensorSample
from psog.errors import PsogError
from psog.live.batch import EVERY_S, Batch
from psog.live.connect import PATIENCE_S, LiveHeadset, OnChange, connect

MOST_WAITING = 10_000
"""Items that wait for the program: ten seconds of gaze at 1 kHz (a weak value)."""
Item = TypeVar("Item")


def connect_async(
    port: str | None = None,
    *,
    reconnect: bool = True,
    patience_s: float = PATIENCE_S,
    on_change: OnChange | None = None,
    timeout_s: float = 1.0,
) -> AsyncHeadset:
    """Open a headset: `async with psog.connect_async() as headset: async for sample in headset.gaze(): …`

    Arguments and errors as psog.connect; it is opened on entering. `on_change` is called by a thread.
    """
    return AsyncHeadset(
        lambda: connect(
            port, reconnect=reconnect, patience_s=patience_s, on_change=on_change, timeout_s=timeout_s
        )
    )


class AsyncHeadset:
    """A headset for `async with`. One of its iterators at a time: a new one ends the one before.

    Attributes:
        missed: items that the program was too slow for.
    """

    def __init__(self, open_headset: Callable[[], LiveHeadset]) -> None:
        self.missed = 0
        self._open = open_headset
        self._fetching: _Fetching[Any] | None = None
        self._line: Line | None = None

    async def __aenter__(self) -> AsyncHeadset:
        opening = asyncio.ensure_future(asyncio.to_thread(self._open))
        try:
            self._headset = await asyncio.shield(opening)
        except asyncio.CancelledError:
            with contextlib.suppress(PsogError):
                await asyncio.to_thread((await opening).close)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()
        await asyncio.shield(asyncio.to_thread(self._headset.close))

    @property
    def info(self) -> DeviceInfo:
        """See LiveHeadset."""
        return self._headset.info

    @property
    def losses(self) -> Losses:
        """See LiveHeadset; what the program itself missed is in `missed`."""
        return self._headset.losses

    @property
    def away_s(self) -> list[float]:
        """How long it was away, each time."""
        return self._headset.away_s

    def host_time_s(self, t_us: int) -> float | None:
        """When a sample was read, by time.monotonic(); None in the first moment. Unlike LiveHeadset's these
        times may step back, by the little that an estimate is corrected."""
        return None if self._line is None else self._line.host_time_s(t_us)

    def gaze(self) -> AsyncIterator[GazeSample]:
        """Every reading's gaze, some milliseconds after it came. Errors as LiveHeadset.gaze."""
        return self._fetch(lambda: self._headset.chunks(Stream.GAZE, GazeSample))

    def sensors(self) -> AsyncIterator[SensorSample]:
        """Every reading of the sensors, which can identify people. Errors as LiveHeadset.sensors."""
        return self._fetch(lambda: self._headset.chunks(Stream.SENSORS, SensorSample))

    def batches(self, every_s: float = EVERY_S, *, sensors: bool = False) -> AsyncIterator[Batch]:
        """Readings as numpy arrays. See LiveHeadset.batches."""
        return self._fetch(lambda: ([batch] for batch in self._headset.batches(every_s, sensors=sensors)))

    async def _fetch(self, chunks: Callable[[], Generator[list[Item], None, None]]) -> AsyncIterator[Item]:
        await self._end()
        fetching = _Fetching(chunks(), self._learn_time, self._miss)
        self._fetching = fetching
        try:
            async for item in fetching.items():
                yield item
        finally:
            if self._fetching is fetching:
                await self._end()

    async def _end(self) -> None:
        """End the iterator in progress; its thread has ended afterwards, also when this is cancelled."""
        fetching, self._fetching = self._fetching, None
        if fetching is not None:
            await asyncio.shield(asyncio.to_thread(fetching.end, self._headset.device))

    def _learn_time(self) -> None:
        """Called by the thread that fetches, before it hands items over."""
        self._line = self._headset.device.client.clock_line

    def _miss(self, count: int) -> None:
        """Called by the thread that fetches."""
        self.missed += count


class _Fetching(Generic[Item]):
    """A thread that fetches for one iterator, and what waits between the two."""

    def __init__(
        self,
        chunks: Generator[list[Item], None, None],
        before_items: Callable[[], None],
        miss: Callable[[int], None],
    ) -> None:
        self._chunks = chunks
        self._before_items = before_items
        self._miss = miss
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._lock = threading.Lock()
        self._waiting: deque[Item] = deque()
        self._told = self._ended = self._stopping = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="psog connect_async", daemon=True)
        self._thread.start()

    async def items(self) -> AsyncIterator[Item]:
        while True:
            with self._lock:
                item = [self._waiting.popleft()] if self._waiting else []
                ended = self._ended
                self._told &= bool(item)
            if item:
                yield item[0]
            elif ended:
                if self._error is not None:
                    raise self._error
                return
            else:
                await self._news.wait()
                self._news.clear()

    def end(self, device: ReconnectingHeadset) -> None:
        self._stopping = True
        device.stop()
        self._thread.join()
        device.go_on()

    def _run(self) -> None:
        try:
            with contextlib.closing(self._chunks):  # turns streaming off
                for chunk in self._chunks:
                    self._before_items()
                    self._put(chunk)
                    if self._stopping:
                        break
        except BaseException as error:  # raised where the items are awaited
            self._error = error
        finally:
            with self._lock:
                self._ended = True
            self._tell()

    def _put(self, chunk: list[Item]) -> None:
        with self._lock:
            self._waiting.extend(chunk)
            missed = max(len(self._waiting) - MOST_WAITING, 0)
            for _ in range(missed):
                self._waiting.popleft()
            self._miss(missed)
        self._tell()

    def _tell(self) -> None:
        """Wake the program once, however often it is told before it looks."""
        with self._lock:
            told, self._told = self._told, True
        if not told or self._ended:
            with contextlib.suppress(RuntimeError):  # its loop has been closed
                self._loop.call_soon_threadsafe(self._news.set)
