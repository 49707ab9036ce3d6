"""How a command's processes come together: it starts them itself, or torchrun has started it often."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psog.errors import ModelError, PsogError

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from torch._C._distributed_c10d import Store

    from psog.net.processes import Team

Work = Callable[["Team"], None]
"""What each process does; it must be possible to send it to another process (a bound method of a command)."""

_END_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.05
_HERE = "process {} is here"


def run_in_team(work: Work, processes: int | None, check: Callable[[int], None]) -> None:
    """Do `work` in so many processes at once; the first of them is this one, unless torchrun decides.

    The others are silent: the first one speaks for all, also when one of them has ended.

    Args:
        processes: None is one, or as many as torchrun started.
        check: what the first process does before, for so many processes; an error of it ends all.
    Raises:
        ModelError: a number that contradicts torchrun's, or a process that ended before its time.
    """
    found = _of_torchrun(os.environ)
    if found is not None:
        _run_under_torchrun(work, processes, check, *found)
        return
    check(1 if processes is None else processes)
    if processes is None or processes == 1:
        from psog.net.processes import ALONE

        work(ALONE)
    else:
        _run_with_others(work, processes)


def _of_torchrun(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """Rank and number of processes, if torchrun has started this one.

    Raises:
        ModelError: it did so on several computers.
    """
    if "TORCHELASTIC_RUN_ID" not in environment:
        return None
    rank, size, here = (int(environment[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    if here != size:
        raise ModelError(
            f"torchrun started {size} processes, {here} of them on this computer; "
            "training works on one computer, with --nnodes 1"
        )
    return rank, size


def _run_under_torchrun(
    work: Work, processes: int | None, check: Callable[[int], None], rank: int, size: int
) -> None:
    from torch.distributed.rendezvous import rendezvous

    from psog.net.processes import join

    try:
        if processes not in (None, size):
            raise ModelError(
                f"--processes {processes} contradicts torchrun, which started {size}; leave it out, or give "
                f"torchrun --nproc-per-node {processes}"
            )
        if rank == 0:
            check(size)
        store, _, _ = next(rendezvous("env://"))
        work(join(store, rank, size))
    except PsogError:
        if rank == 0:
            raise
        sys.exit(1)  # the first process says it


def _run_with_others(work: Work, processes: int) -> None:
    import multiprocessing

    from psog.net.processes import LostProcessError, join, meeting_place

    store = meeting_place()
    with _others(
        [
            multiprocessing.get_context("spawn").Process(
                target=_other, args=(work, store.port, rank, processes), daemon=True
            )
            for rank in range(1, processes)
        ]
    ) as others:
        try:
            _await(others, store)
            work(join(store, 0, processes))
        except LostProcessError as error:
            raise ModelError(
                f"{_ended(others)}: {error}; the same command goes on from the kept state"
            ) from None


def _await(others: list[BaseProcess], store: Store) -> None:
    """Until all have come to the meeting place.

    Raises:
        LostProcessError: one ended on its way.
    """
    from psog.net.processes import LostProcessError

    while not store.check([_HERE.format(rank) for rank, _ in enumerate(others, start=1)]):
        if any(process.exitcode is not None for process in others):
            raise LostProcessError("it had not begun")
        time.sleep(_LOOK_EVERY_S)


def _other(work: Work, port: int, rank: int, processes: int) -> None:
    """What a process does that was started by the first."""
    import torch
    from torch.distributed import DistError

    from psog.net.processes import join, meeting_place

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for the first process; this one ends with it
    torch.set_num_threads(1)
    try:
        store = meeting_place(port)
        store.set(_HERE.format(rank), "")
        work(join(store, rank, processes))
    except (PsogError, DistError):
        sys.exit(1)  # the first process says it, or is gone


@contextmanager
def _others(processes: list[BaseProcess]) -> Iterator[list[BaseProcess]]:
    """Running while the context lasts."""
    try:
        for process in processes:
            process.start()
        yield processes
    finally:
        for process in processes:
            if process.pid is not None:
                process.join(0)
                process.kill()
                process.join()


def _ended(others: list[BaseProcess]) -> str:
    """Which process ended first, in words."""
    for process in others:
        process.join(_END_WITHIN_S)
    killed = [(rank, p.exitcode) for rank, p in enumerate(others, start=1) if p.exitcode not in (None, 1)]
    if not killed:
        return "a process of this training ended"
    rank, code = killed[0]
    how = signal.Signals(-code).name if code is not None and code < 0 else f"exit status {code}"
    return f"process {rank + 1} of {len(others) + 1} ended ({how})"
