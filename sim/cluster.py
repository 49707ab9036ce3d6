"""Workers of a dask.distributed cluster: any number, on any machines that share a disk."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from psog.errors import MissingExtraError, SimulationError
from psog.sim.worker import Made, Order, make_shard

SHARDS_PER_THREAD = 2
"""In flight, so that no worker waits for its next shard and none are piled up."""
_PATIENCE_S = 10.0
"""For the scheduler to answer, and for its first worker to appear."""


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
            waiting = iter(numbers)
            running = self._distributed.as_completed(loop=client.loop)
            while True:
                room = SHARDS_PER_THREAD * sum(client.nthreads().values()) - running.count()
                for number in islice(waiting, max(room, 0)):
                    running.add(client.submit(make_shard, order, number, pure=False))
                if running.is_empty():
                    return
                yield self._result(next(running))

    def _client(self) -> Any:
        """A connection to a scheduler that has workers."""
        try:
            client = self._distributed.Client(self._address, timeout=_PATIENCE_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise SimulationError(
                f"cannot reach a dask scheduler at {self._address}: {error}; start one with `dask scheduler`"
            ) from error
        try:
            client.wait_for_workers(1, timeout=_PATIENCE_S)
        except TimeoutError as error:
            client.close()
            raise SimulationError(
                f"the scheduler at {self._address} has no workers; "
                f"start some with `dask worker {self._address}`"
            ) from error
        return client

    @staticmethod
    def _result(future: Any) -> Made:
        try:
            made: Made = future.result()
        except Exception as error:  # whatever the cluster or a worker's installation came up with
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise SimulationError(
                f"the cluster did not make a shard: {reason}; finished shards are kept, "
                "give the command again to go on"
            ) from error
        finally:
            future.release()
        return made
