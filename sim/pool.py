"""Workers on this computer: one process per core, each of which makes one shard at a time."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from psog.errors import SimulationError
from psog.sim.worker import Made, Order, make_shard

_MOST_DEATHS = 3
"""A shard that ends this many workers is not given to another."""


class LocalPool:
    """Makes shards in processes of its own; with one worker, in this process."""

    def __init__(self, workers: int) -> None:
        """
        Raises:
            SimulationError: fewer than one worker.
        """
        if workers < 1:
            raise SimulationError(f"cannot simulate with {workers} workers; expected at least 1")
        self._workers = workers

    def make(self, order: Order, numbers: Iterable[int]) -> Iterator[Made]:
        """The shards `numbers`, in the order in which they are finished.

        A worker that dies is replaced and its shard made again.

        Raises:
            SimulationError: a shard ended one worker after the other.
        """
        waiting = deque(numbers)
        count = min(self._workers, len(waiting))
        if count <= 1:
            yield from (make_shard(order, number) for number in waiting)
            return
        busy: list[_Worker] = []
        idle: list[_Worker] = []
        deaths: Counter[int] = Counter()
        news: list[Made] = []
        try:
            while waiting or busy or news:
                while waiting and len(busy) < count:
                    worker = idle.pop() if idle else _Worker(order)
                    worker.give(waiting.popleft())
                    busy.append(worker)
                yield from news
                news = []
                for worker in _ready(busy):
                    busy.remove(worker)
                    made = worker.take()
                    if made is None:
                        worker.stop()
                        deaths[worker.number] += 1
                        _check_deaths(worker, deaths)
                        waiting.appendleft(worker.number)
                    else:
                        idle.append(worker)
                        news.append(made)
        finally:
            for worker in (*busy, *idle):
                worker.stop()


class _Worker:
    """A process that makes one shard at a time.

    Attributes:
        number: of the shard it is making.
    """

    def __init__(self, order: Order) -> None:
        context = multiprocessing.get_context("spawn")
        self.number = -1
        self.connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_serve, args=(order, theirs), daemon=True)
        # Ctrl-C reaches the whole group of processes; only this one shall act on it. A process inherits
        # what its parent blocks.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        theirs.close()

    def give(self, number: int) -> None:
        """Let it make shard `number`."""
        self.number = number
        with contextlib.suppress(OSError):  # if it has died, `take` will tell
            self.connection.send(number)

    def take(self) -> Made | None:
        """What it made; None if it died."""
        try:
            made: Made = self.connection.recv()
        except (EOFError, OSError):
            return None
        return made

    def stop(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.connection.close()


def _ready(busy: list[_Worker]) -> list[_Worker]:
    """Those that have made a shard or died; waits for the first, if there is one."""
    ready = wait([worker.connection for worker in busy]) if busy else []
    return [worker for worker in busy if worker.connection in ready]


def _check_deaths(worker: _Worker, deaths: Counter[int]) -> None:
    if deaths[worker.number] >= _MOST_DEATHS:
        raise SimulationError(
            f"shard {worker.number} ended {_MOST_DEATHS} workers, one after the other (out of memory?); "
            "finished shards are kept: try again with fewer --workers"
        )


def _serve(order: Order, connection: Connection) -> None:
    """Make the shards whose numbers come in, until nobody asks any more."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            number = connection.recv()
        except EOFError:
            return
        connection.send(make_shard(order, number))


def _end_with_parent() -> None:
    """A parent that was killed could not end its workers."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
