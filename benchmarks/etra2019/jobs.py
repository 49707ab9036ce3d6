"""One network on one fold is a job; jobs run in processes of their own."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import torch

from psog.benchmarks.etra2019.paper import PAPER_NETS, run_paper_net
from psog.benchmarks.etra2019.protocol import Fold, Protocol, Run
from psog.benchmarks.etra2019.psog import PSOG_NETS, run_psog_net
from psog.errors import PsogError
from psog.headset import Headset

NETWORKS = (*PSOG_NETS, *reversed(PAPER_NETS))
"""The longest first, so that the last ones to finish are short."""


@dataclass(frozen=True)
class Job:
    """A network of NETWORKS on a fold."""

    network: str
    fold: Fold
    protocol: Protocol
    headset: Headset

    @property
    def name(self) -> str:
        """Which one of a benchmark it is."""
        return f"{self.network}, group {self.fold.number}"


def run_jobs(jobs: list[Job], workers: int) -> Iterator[tuple[Job, Run]]:
    """The jobs and what comes of them, in the order in which they end; figures do not depend on `workers`.

    Raises:
        PsogError: fewer than one worker, one that died, or what a job met.
    """
    if workers < 1:
        raise PsogError(f"cannot work with {workers} workers; expected at least 1")
    _prepare()
    if workers == 1:
        yield from ((job, run_job(job)) for job in jobs)
        return
    yield from _in_processes(jobs, workers)


def run_job(job: Job) -> Run:
    """Do it here."""
    if job.network in PAPER_NETS:
        return run_paper_net(job.network, job.fold, job.protocol)
    return run_psog_net(job.network, job.headset, job.fold, job.protocol)


def _in_processes(jobs: Iterable[Job], workers: int) -> Iterator[tuple[Job, Run]]:
    context = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads in any state
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker)
    try:
        futures = {pool.submit(run_job, job): job for job in jobs}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise PsogError("a worker ended early (out of memory?); try again with fewer --workers") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word
    _prepare()


def _prepare() -> None:
    torch.set_num_threads(1)  # batches are small; and one thread adds in one order
