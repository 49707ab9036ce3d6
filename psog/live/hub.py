"""One thread reads the headset, and everybody who wants it gets all of it: view, recorder, outputs."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from psog.device.reconnecting import Back, Gone, ReconnectingHeadset
from psog.errors import RecordingError
from psog.live.batch import EVERY_S, Batch, batches

if TYPE_CHECKING:
    from psog.live.recorder import Recorder

MOST_READINGS = 10_000
"""Readings that wait for one subscriber: ten seconds at 1 kHz (a weak value)."""
_SILENT_S = 5.0
"""So long a headset may say nothing before it counts as gone; a cable that is pulled out is noticed at once
(a weak value, for computers that stand still now and then)."""

Item = Batch | Gone | Back


class Subscription:
    """What the headset says from now on, for one thread; made by Hub.subscribe.

    Who is behind by more than MOST_READINGS loses the oldest batches. Gone and Back are never lost.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._readings = 0
        self._lost_readings = 0
        self._ended = False
        self._changed = threading.Condition()

    @property
    def lost_readings(self) -> int:
        """Readings that this subscriber was too slow for."""
        return self._lost_readings

    def take(self, timeout_s: float | None = None) -> Item | None:
        """The next batch, Gone or Back; None at the end, or when nothing came for so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._ended, timeout_s)
            if not self._items:
                return None
            item = self._items.popleft()
            self._readings -= _readings_of(item)
            return item

    def __iter__(self) -> Iterator[Item]:
        """Everything until the end: the hub's, or `close`."""
        while (item := self.take()) is not None:
            yield item

    def close(self) -> None:
        """Take no more; whoever waits goes on at once. Idempotent."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more."""
        return self._ended

    def put(self, item: Item) -> None:
        """For the hub."""
        with self._changed:
            if self._ended:
                return
            self._items.append(item)
            self._readings += _readings_of(item)
            while self._readings > MOST_READINGS:
                self._lose_the_oldest()
            self._changed.notify_all()

    def _lose_the_oldest(self) -> None:
        oldest = next(index for index, item in enumerate(self._items) if isinstance(item, Batch))
        lost = _readings_of(self._items[oldest])
        del self._items[oldest]
        self._readings -= lost
        self._lost_readings += lost


class Hub:
    """Reads a headset in a thread of its own, for any number of subscribers. A context manager.

    Args:
        headset: the hub's alone as long as it runs; who opened it closes it.
        sensors: also the sensors' readings.
        every_s: how long a batch is collected.
    """

    def __init__(
        self, headset: ReconnectingHeadset, *, sensors: bool = False, every_s: float = EVERY_S
    ) -> None:
        self._headset = headset
        self._sensors = sensors
        self._every_s = every_s
        self._subscriptions: list[Subscription] = []
        self._lock = threading.Lock()
        self._error: Exception | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="psog hub", daemon=True)

    @property
    def headset(self) -> ReconnectingHeadset:
        """Whom it reads: for `info`, `losses`, `away_s`."""
        return self._headset

    def subscribe(self) -> Subscription:
        """Everything from now on; from any thread."""
        subscription = Subscription()
        with self._lock:
            self._subscriptions.append(subscription)
            if self._ended.is_set():
                subscription.close()
        return subscription

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the headset has ended; false when it has not by then.

        Raises:
            LinkError, ProtocolError: why it has; see ReconnectingHeadset.samples.
        """
        ended = self._ended.wait(None if timeout_s is None else min(timeout_s, threading.TIMEOUT_MAX))
        if self._error is not None:
            raise self._error
        return ended

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._headset.stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            found = batches(self._headset, self._every_s, sensors=self._sensors, timeout_s=_SILENT_S)
            for item in found:
                with self._lock:
                    self._subscriptions = [one for one in self._subscriptions if not one.is_closed]
                    for subscription in self._subscriptions:
                        subscription.put(item)
        except Exception as error:  # handed to whoever waits
            self._error = error
        finally:
            with self._lock:
                self._ended.set()
                for subscription in self._subscriptions:
                    subscription.close()


@contextlib.contextmanager
def recorded(hub: Hub, recorder: Recorder) -> Iterator[None]:
    """Have a recorder, which is entered already, take everything that the hub reads in this context.

    Leave the hub first: then nothing is missing at the end.

    Raises (on leaving):
        RecordingError: see Recorder.add; the hub went on all the same.
    """
    subscription = hub.subscribe()
    failures: list[RecordingError] = []

    def take() -> None:
        try:
            for item in subscription:
                recorder.losses = hub.headset.losses
                recorder.add(item)
        except RecordingError as error:
            failures.append(error)
            subscription.close()

    thread = threading.Thread(target=take, name="psog record", daemon=True)
    thread.start()
    try:
        yield
    finally:
        subscription.close()
        thread.join()
    for failure in failures:
        raise failure


def _readings_of(item: Item) -> int:
    return len(item.t_us) if isinstance(item, Batch) else 0
