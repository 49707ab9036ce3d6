"""Makes a recording of any size into a folder, shard by shard on many workers, and goes on after a stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from psog.errors import SimulationError
from psog.sim.config import SimulationConfig
from psog.sim.program import program_digest
from psog.sim.simulate import provenance
from psog.sim.worker import Made, Order, order
from psog.unfinished import UnfinishedRecording, unfinished_recording


class Workers(Protocol):
    """Who makes the shards: `psog.sim.pool.LocalPool`, `psog.sim.cluster.Cluster`."""

    def make(self, order: Order, numbers: Iterable[int]) -> Iterator[Made]:
        """The shards `numbers`, in the order in which they are finished; few are in flight at a time."""


@dataclass(frozen=True)
class Progress:
    """How far a production is.

    Attributes:
        samples, shards: finished, whenever that was.
        samples_per_s: of this run so far.
    """

    samples: int
    shards: int
    samples_per_s: float


@dataclass(frozen=True)
class Produced:
    """What a production did.

    Attributes:
        samples, shards: of the recording.
        resumed_shards: of these, how many an earlier run had finished.
        seconds: that this run took.
        samples_per_s: that this run made.
    """

    samples: int
    shards: int
    resumed_shards: int
    seconds: float
    samples_per_s: float


def produce(
    config: SimulationConfig,
    out: Path,
    workers: Workers,
    *,
    force: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Produced:
    """Make the recording of `config` as the folder `out`, with the same bytes whoever the workers are.

    The folder appears when all is there; until then finished shards collect in `out`.unfinished, and calling
    this again goes on with them.

    Args:
        force: replace a recording that is there, throw away an unfinished one of another config.
    Raises:
        RecordingError: `out` exists, or cannot be written, or an unfinished one is of another config.
        SimulationError: what the config asks for is impossible, or the workers failed.
    """
    made_from = {**config.to_json(), "program": program_digest()}
    with unfinished_recording(out, made_from, force=force) as work:
        resumed = len(work.finished)
        clock = _Clock(work.rows, progress)
        clock.tell(work)
        missing = [number for number in range(config.shards) if number not in work.finished]
        for made in workers.make(order(config, work.place), missing):
            if made.shard is None:
                raise SimulationError(made.error)
            work.add(made.number, made.shard)
            clock.tell(work)
        if len(work.finished) < config.shards:
            raise SimulationError(
                f"the workers stopped after {len(work.finished)} of {config.shards} shards; these are kept, "
                "give the command again to go on"
            )
        work.complete(config.headset.name, config.headset.sensor_count, provenance(config), force=force)
        return Produced(work.rows, config.shards, resumed, round(clock.seconds, 3), round(clock.rate(work)))


class _Clock:
    """Time and speed of this run."""

    def __init__(self, rows_before: int, progress: Callable[[Progress], None]) -> None:
        self._start = time.perf_counter()
        self._before = rows_before
        self._progress = progress

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start

    def rate(self, work: UnfinishedRecording) -> float:
        return (work.rows - self._before) / self.seconds

    def tell(self, work: UnfinishedRecording) -> None:
        self._progress(Progress(work.rows, len(work.finished), self.rate(work)))
