"""Who runs the jobs of a search: this process, several of this computer, or those of a dask scheduler.

A job is two texts, a folder and what to do there; what comes back is a third. So nothing of ours is pickled.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any, Protocol

from psog.errors import MissingExtraError, PsogError, SearchError

_PATIENCE_S = 10.0
"""For a scheduler to answer, and for a worker to appear."""


class Workers(Protocol):
    """Does jobs and gives each back with what came of it, in the order in which they end."""

    def do(self, folder: Path, jobs: Iterable[str]) -> Iterator[tuple[str, str]]: ...


def job(kind: str, **what: Any) -> str:
    """For `done`: a "trial" with its index, or a "final" with network, keep and length."""
    return json.dumps({"kind": kind, **what}, sort_keys=True)


def done(folder: str, text: str) -> str:
    """Do a job; the result as JSON, with "error" if it could not be done."""
    try:
        return json.dumps(_do(Path(folder), json.loads(text)))
    except PsogError as error:
        return json.dumps({"error": str(error)})


def _do(folder: Path, what: dict[str, Any]) -> dict[str, Any]:
    import torch

    from psog.search.finalists import Length, train_finalist
    from psog.search.folder import read_order
    from psog.search.space import Candidate
    from psog.search.trials import run_trial

    torch.set_num_threads(1)  # batches are small; and one thread adds in one order
    order = read_order(folder)
    if what["kind"] == "trial":
        run_trial(order.plan, folder, order.headset, order.model, what["index"])
        return {}
    candidate = Candidate.read(what["network"], what["keep"])
    return train_finalist(order, folder, candidate, Length(**what["length"]))


class Here:
    """One job after the other, in this process."""

    def do(self, folder: Path, jobs: Iterable[str]) -> Iterator[tuple[str, str]]:
        for each in jobs:
            yield each, done(str(folder), each)


class Processes:
    """Several processes of this computer."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise SearchError(f"cannot search in {count} processes; at least 1 expected")
        self._count = count

    def do(self, folder: Path, jobs: Iterable[str]) -> Iterator[tuple[str, str]]:
        context = multiprocessing.get_context("spawn")
        waiting = deque(jobs)
        running: dict[Future[str], str] = {}
        with ProcessPoolExecutor(self._count, mp_context=context) as pool:
            try:
                while waiting or running:
                    while waiting and len(running) < self._count:
                        each = waiting.popleft()
                        running[pool.submit(done, str(folder), each)] = each
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        yield running.pop(future), _result(future)
            finally:
                pool.shutdown(cancel_futures=True)


class Scheduler:
    """The workers of a dask.distributed scheduler, on machines that share the folder's disk."""

    def __init__(self, address: str) -> None:
        """
        Args:
            address: "tcp://host:8786".
        Raises:
            MissingExtraError: `distributed` is not installed.
        """
        try:
            self._distributed = importlib.import_module("distributed")
        except ImportError as error:
            raise MissingExtraError("distributed", "scale", "a search on a cluster") from error
        self._address = address

    def do(self, folder: Path, jobs: Iterable[str]) -> Iterator[tuple[str, str]]:
        try:
            with self._distributed.Client(self._address, timeout=_PATIENCE_S, set_as_default=False) as client:
                client.wait_for_workers(1, timeout=_PATIENCE_S)
                yield from self._done_by(client, str(folder.resolve()), deque(jobs))
        except (OSError, ValueError, TimeoutError) as error:
            raise SearchError(
                f"the dask scheduler at {self._address} does not answer, or has no workers: {error}; start "
                "it and its workers and give the command again; finished trials are kept"
            ) from error

    def _done_by(self, client: Any, folder: str, waiting: deque[str]) -> Iterator[tuple[str, str]]:
        running = self._distributed.as_completed(loop=client.loop)
        named: dict[Any, str] = {}
        while waiting or not running.is_empty():
            room = sum(client.nthreads().values()) - running.count()
            for _ in range(min(room, len(waiting))):
                each = waiting.popleft()
                future = client.submit(done, folder, each, pure=False)
                named[future.key] = each
                running.add(future)
            future = next(running)
            yield named.pop(future.key), _result(future)
            future.release()


def _result(future: Future[str] | Any) -> str:
    try:
        result: str = future.result()
    except Exception as error:  # whatever a worker's installation, or its end, came up with
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise SearchError(
            f"a worker did not do its part: {reason}; finished trials are kept, give the command "
            "again to go on"
        ) from error
    return result
