"""What a worker does: one shard, from plain values to a file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from psog.errors import PsogError
from psog.manifest import Shard, shard_name
from psog.recording import write_shard
from psog.sim.config import SimulationConfig, config_from_json
from psog.sim.program import program_digest
from psog.sim.simulate import simulate_shard


@dataclass(frozen=True)
class Order:
    """What every worker of a recording is told; plain text, so that nothing of ours is pickled.

    Attributes:
        config: of the recording, as JSON.
        folder: to write shards into.
        program: the worker must have the same `program_digest`.
    """

    config: str
    folder: str
    program: str


def order(config: SimulationConfig, folder: Path) -> Order:
    """The order to make shards of a recording in `folder`."""
    return Order(json.dumps(config.to_json()), str(folder), program_digest())


@dataclass(frozen=True)
class Made:
    """What became of a shard: the file, or what went wrong in one line."""

    number: int
    shard: Shard | None
    error: str = ""


def make_shard(order: Order, number: int) -> Made:
    """Make shard `number` and write it into the folder."""
    if order.program != program_digest():
        error = (
            "a worker has another version of psog, its libraries or its compiler, or another processor; "
            "use machines of one kind with the same installation"
        )
        return Made(number, None, error)
    path = Path(order.folder, shard_name(number))
    try:
        config = config_from_json(json.loads(order.config))
        return Made(number, write_shard(simulate_shard(config, number), path))
    except PsogError as error:
        return Made(number, None, str(error))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        return Made(number, None, f"cannot write {path}: {reason}; what is finished is kept")
