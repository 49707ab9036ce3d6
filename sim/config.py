"""What a simulated recording is made from: one value, of which every shard is a function.

A new option is one field of SimulationConfig with a default: a number, a text, or a frozen dataclass of
such, checked where it is made. `psog.sim.simulate` uses it, `psog.cli.simulate` passes its flag; it then
travels to every worker, stands in the recording's provenance, and a half-made recording is not continued
with another value of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from psog.errors import SimulationError
from psog.headset import Headset
from psog.sim.ambient import DARK, Ambient
from psog.sim.people import Population, people_with
from psog.sim.replay import TraceFile
from psog.sim.safety import check_exposure
from psog.sim.tasks import task_named
from psog.sim.wear import Wear
from psog.tables import first_fault

SHARD_SAMPLES = 100_000
"""A shard is as many whole users as fit into this, at least one: about half a second of work, 5 MB."""


@dataclass(frozen=True)
class SimulationConfig:
    """Everything that decides what a recording holds. A config that exists can be simulated.

    Attributes:
        users: how many.
        seed: of everything random. User k depends on (config, seed, k), whatever else is simulated.
        seconds: how long each does it.
        task: of `psog.sim.tasks`, what each does.
        wear: how the headset sits.
        ambient: light that the headset does not make.
        trace: eye movement to replay instead of a task; it has its own length.
        eyes: of `psog.sim.people`, with which eyes the users look into the module.
    Raises:
        SimulationError: no users, a negative seed, no time, no such task, or no such eyes.
        SafetyError: the headset shines more light into the eye than is safe.
    """

    headset: Headset
    users: int
    seed: int
    seconds: float = 60.0
    task: str = "viewing"
    wear: Wear = field(default_factory=Wear)
    ambient: Ambient = DARK
    trace: TraceFile | None = None
    eyes: str = "right"

    def __post_init__(self) -> None:
        if self.users < 1:
            raise SimulationError(f"cannot simulate {self.users} users; expected at least 1")
        if self.seed < 0:
            raise SimulationError(f"cannot simulate with seed {self.seed}; expected 0 or more")
        if not 0 < self.seconds < np.inf:
            raise SimulationError(f"cannot simulate {self.seconds} seconds; expected more than 0")
        task_named(self.task)
        people_with(self.eyes)
        check_exposure(self.headset)

    @property
    def population(self) -> Population:
        """Of whom the users are."""
        return people_with(self.eyes)

    @property
    def samples_per_user(self) -> int:
        if self.trace is not None:
            return self.trace.samples
        return max(round(self.seconds * self.headset.rate_hz), 1)

    @property
    def samples(self) -> int:
        """Of all users."""
        return self.users * self.samples_per_user

    @property
    def shards(self) -> int:
        """How many there are."""
        return -(-self.users // self._users_per_shard)

    def users_of(self, shard: int) -> range:
        """Whose stretches a shard holds.

        Raises:
            SimulationError: no such shard.
        """
        if not 0 <= shard < self.shards:
            raise SimulationError(f"no shard {shard}; expected 0 to {self.shards - 1}")
        first = shard * self._users_per_shard
        return range(first, min(first + self._users_per_shard, self.users))

    @property
    def _users_per_shard(self) -> int:
        return max(SHARD_SAMPLES // self.samples_per_user, 1)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; `config_from_json` is the way back."""
        values: dict[str, Any] = _ADAPTER.dump_python(self, mode="json", by_alias=True)
        return values

    def provenance(self) -> dict[str, Any]:
        """What a recording says of where it comes from: all of the config, and no place on a disk."""
        values = self.to_json()
        if self.trace is not None:
            values["trace"] = {"name": self.trace.name, "sha256": self.trace.sha256}
            del values["seconds"], values["task"]
        source = "simulated task" if self.trace is None else "replayed trace"
        return {"source": source, **values}


_ADAPTER = TypeAdapter(SimulationConfig)


def config_from_json(values: dict[str, Any]) -> SimulationConfig:
    """A config from what `to_json` gave.

    Raises:
        SimulationError: a missing or wrong value.
    """
    try:
        return _ADAPTER.validate_python(values)
    except ValidationError as error:
        raise SimulationError(f"this is no simulation config: {first_fault(error, 'config')}") from error
