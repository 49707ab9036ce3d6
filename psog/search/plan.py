"""What a search is asked: the budget, how long short trainings are, and whom networks are judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from psog.errors import SearchError
from psog.net.loop import TrainingConfig
from psog.net.run import REPORT_EVERY
from psog.net.training import FEWEST_USERS

Sampler = Literal["tpe", "random"]


DECIDE_TRIALS = (
    "headset",
    "board",
    "instructions",
    "users",
    "judges",
    "steps",
    "users_per_batch",
    "sampler",
    "seed",
)
"""Of a plan: a search goes on with more trials or other finalists, not with another of these."""


@dataclass(frozen=True)
class Plan:
    """A search; what comes of it depends on this alone when trials run one after the other.

    Attributes:
        headset: a name, or the path of a TOML file.
        instructions: of one inference, at most.
        trials: networks that are tried.
        users: simulated, to train on.
        judges: others, on whom trials are judged.
        steps: of a trial that nothing stops. Trials are compared at a quarter and at half of them, and the
            better half of those who came so far goes on.
        users_per_batch: of trials.
        finalists: trials that are trained again, and the headset's standard network with them.
        final_steps, final_users_per_batch: of a finalist; as many users a batch as in `psog train`.
        final_seeds: how many weights and orders of batches it is trained with.
        final_judges: users that no trial has seen, on whom finalists are judged.
        seed: of users, weights, batches and choices.
    """

    headset: str
    board: str
    instructions: int
    trials: int = 40
    users: int = 1000
    judges: int = 40
    steps: int = 800
    users_per_batch: int = 8
    finalists: int = 5
    final_steps: int = 2000
    final_users_per_batch: int = TrainingConfig.users_per_batch
    final_seeds: int = 2
    final_judges: int = 80
    sampler: Sampler = "tpe"
    seed: int = 0

    def __post_init__(self) -> None:
        least = {
            **dict.fromkeys(("instructions", "trials", "judges"), 1),
            **dict.fromkeys(("users_per_batch", "final_users_per_batch"), 1),
            **dict.fromkeys(("finalists", "final_seeds", "final_judges", "final_steps"), 1),
            "users": FEWEST_USERS,
            "steps": 2 * REPORT_EVERY,
            "seed": 0,
        }
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise SearchError(
                    f"cannot search with {name} {getattr(self, name)}; at least {lowest} expected"
                )

    @property
    def first_comparison(self) -> int:
        """The step at which the worse half of the trials is stopped for the first time."""
        return max(self.steps // 4 // REPORT_EVERY, 1) * REPORT_EVERY

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Plan:
        """What `to_json` gave."""
        return cls(**values)
