"""Workers of a dask.distributed cluster: any number, on any machines that share a disk."""

from __future__ import annotations

import importlib
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from psog.errors import MissingExtraError, SimulationError
from psog.sim.worker import Made, Order, make_shard

SHARDS_PER_THREAD = 2
"""In flight, so that no worker waits for its next shard and none are piled up."""
_PATIENCE_S = 10.0
"""For the scheduler to answer, and for a worker to appear while there is none."""
_LOOK_EVERY_S = 0.1
"""For a finished shard; one takes about half a second."""
_FETCH_S = 1.0
"""For a result to come over before it is asked whether its worker is still there; it has a hundred bytes."""


class Cluster:
    """Makes shards on the workers of a scheduler. A worker that dies has its shard made by another."""

    def __init__(self, address: str) -> None:
        """
        Args:
            address: of the scheduler, "tcp://host:8786".
        Raises:
            MissingExtraError: `distributed` is not installed.
        """
        try:
            self._distributed = importlib.import_module("distributed")
        except ImportError as error:
            raise MissingExtraError("distributed", "scale", "a simulation on a cluster") from error
        self._address = address

    def make(self, order: Order, numbers: Iterable[int]) -> Iterator[Made]:
        """The shards `numbers`, in the order in which they are finished.

        Raises:
            SimulationError: no scheduler, no workers, or the cluster gave up.
        """
        with self._client() as client:
            try:
                yield from self._made_by(client, order, numbers)
            except OSError as error:
                raise SimulationError(
                    f"lost the dask scheduler at {self._address}: {error}; start it again and give the "
                    "command again; what is finished is kept"
                ) from error

    def _made_by(self, client: Any, order: Order, numbers: Iterable[int]) -> Iterator[Made]:
        waiting = deque(numbers)
        running = self._distributed.as_completed(loop=client.loop)
        while waiting or not running.is_empty():
            self._wait_for_workers(client)
            room = SHARDS_PER_THREAD * sum(client.nthreads().values()) - running.count()
            for _ in range(min(room, len(waiting))):
                running.add(client.submit(make_shard, order, waiting.popleft(), pure=False))
            if running.has_ready():
                yield self._result(client, next(running))
            else:
                time.sleep(_LOOK_EVERY_S)

    def _client(self) -> Any:
        """A connection to a scheduler that has workers."""
        try:
            client = self._distributed.Client(self._address, timeout=_PATIENCE_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise SimulationError(
                f"cannot reach a dask scheduler at {self._address}: {error}; start one with `dask scheduler`"
            ) from error
        try:
            self._wait_for_workers(client)
        except SimulationError:
            client.close()
            raise
        return client

    def _wait_for_workers(self, client: Any) -> None:
        """Return at once if there are some: dask itself would wait for ever for one that may come."""
        try:
            client.wait_for_workers(1, timeout=_PATIENCE_S)
        except TimeoutError as error:
            raise SimulationError(
                f"the scheduler at {self._address} has no workers; start some with `dask worker "
                f"{self._address}` and give the command again; what is finished is kept"
            ) from error

    def _result(self, client: Any, future: Any) -> Made:
        """A lost worker takes what it has made and nobody has fetched with it; it is made again elsewhere."""
        try:
            while True:
                self._wait_for_workers(client)
                try:
                    made: Made = future.result(timeout=_FETCH_S)
                except TimeoutError:
                    if future.status == "error":
                        raise
                else:
                    return made
        except SimulationError:
            raise
        except Exception as error:  # whatever the cluster or a worker's installation came up with
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise SimulationError(
                f"the cluster did not make a shard: {reason}; finished shards are kept, "
                "give the command again to go on"
            ) from error
        finally:
            future.release()
