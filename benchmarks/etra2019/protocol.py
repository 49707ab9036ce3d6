"""The ETRA 2019 protocol: pretrain on other users, fine-tune on one or train on that one from scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.etra2019.data import FOLDS, Subject
from psog.benchmarks.etra2019.splits import SPLITS, Split
from psog.benchmarks.etra2019.training import Schedule
from psog.metrics import angular_error
from psog.sim.streams import stream

POPULATION, SOLVED, TUNED, SCRATCH = "other users", "head solved", "fine-tuned", "from scratch"
"""How a network came to know a user: it does not; only its head does; it began with what it knew of other
users; it began with random weights."""


@dataclass(frozen=True)
class Tuning:
    """One way to train psog's network on: how many steps, and Soap's learning rate at the start."""

    steps: int
    learning_rate: float


@dataclass(frozen=True)
class Protocol:
    """How much is done.

    Attributes:
        samples: simulated rows of each user.
        folds: which groups of users are tested.
        repetitions: splits and first weights for each user.
        pretraining, user: of the paper's networks.
        psog_pretraining: of psog's network.
        psog_tuning, psog_scratch: ways to train psog's network on a user; the check rows choose one.
    """

    samples: int
    folds: tuple[int, ...]
    repetitions: int
    pretraining: Schedule
    user: Schedule
    psog_pretraining: Tuning
    psog_tuning: tuple[Tuning, ...]
    psog_scratch: tuple[Tuning, ...]


FULL = Protocol(
    samples=12_000,
    folds=tuple(range(len(FOLDS))),
    repetitions=10,
    pretraining=Schedule(2000, 100, 1000),
    user=Schedule(200, 50, 1000),
    psog_pretraining=Tuning(10_000, 6e-3),
    psog_tuning=(Tuning(300, 3e-3), Tuning(3000, 6e-3)),
    psog_scratch=(Tuning(300, 6e-3), Tuning(3000, 6e-3)),
)
"""As in the paper (1,000 epochs: the authors' code). Its files hold 59 MB of text, about 100 s of each user:
a weak value. psog's steps and rates were chosen on other simulated users (seed 1)."""
SHORT = Protocol(
    samples=6000,
    folds=(4, 5),
    repetitions=1,
    pretraining=Schedule(2000, 100, 40),
    user=FULL.user,
    psog_pretraining=Tuning(3000, 6e-3),
    psog_tuning=(Tuning(300, 3e-3), Tuning(1000, 6e-3)),
    psog_scratch=(Tuning(300, 6e-3), Tuning(1000, 6e-3)),
)
"""Some minutes on two cores."""


@dataclass(frozen=True)
class Outcome:
    """How well one network knew one user.

    Attributes:
        network: name.
        split: of SPLITS.
        start: POPULATION, SOLVED, TUNED or SCRATCH.
        error_deg: mean Euclidean error over the user's test rows.
        epochs: passes over the user's training rows.
        cpu_s: processor time they took.
    """

    network: str
    split: str
    start: str
    subject: str
    repetition: int
    error_deg: float
    epochs: float
    cpu_s: float


@dataclass(frozen=True)
class Run:
    """What came of one network on one fold.

    Attributes:
        pretraining_cpu_s: processor time of pretraining.
        macs, parameters: of the network, for one estimate.
    """

    outcomes: list[Outcome]
    pretraining_cpu_s: float
    macs: int
    parameters: int

    @staticmethod
    def of(found: Mapping[str, Any]) -> Run:
        """From what dataclasses.asdict made of one."""
        return Run(**{**found, "outcomes": [Outcome(**one) for one in found["outcomes"]]})


@dataclass(frozen=True)
class Case:
    """One user in one split."""

    subject: Subject
    split_name: str
    repetition: int
    split: Split

    def readings(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """(n, sensors) counts of some rows."""
        return self.subject.readings[rows]

    def gaze_deg(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """(n, 2) of some rows."""
        return self.subject.gaze_deg[rows]

    def outcome(
        self,
        network: str,
        start: str,
        estimate_deg: NDArray[np.floating],
        epochs: float = 0,
        cpu_s: float = 0,
    ) -> Outcome:
        """Of an estimate (n, 2) for the test rows."""
        error_deg = float(angular_error(estimate_deg, self.gaze_deg(self.split.test)).mean())
        name = self.subject.name
        return Outcome(network, self.split_name, start, name, self.repetition, error_deg, epochs, cpu_s)


@dataclass(frozen=True)
class Fold:
    """Users who are tested, and the others who are not.

    Attributes:
        number: of FOLDS.
        seed: of everything random.
    """

    number: int
    tested: tuple[Subject, ...]
    others: tuple[Subject, ...]
    seed: int

    @staticmethod
    def of(subjects: Sequence[Subject], number: int, seed: int) -> Fold:
        """Group `number`, of those subjects that there are."""
        tested = tuple(one for one in subjects if one.name in FOLDS[number])
        return Fold(number, tested, tuple(one for one in subjects if one.name not in FOLDS[number]), seed)

    def cases(self, repetitions: int) -> list[Case]:
        """Every user in every split; the splits are the same for every network."""
        return [
            Case(user, name, k, split(user, stream(self.seed, f"etra2019/{name}/{user.name}", k)))
            for user in self.tested
            for name, split in SPLITS.items()
            for k in range(repetitions)
        ]

    def pretraining_rows(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(n, sensors) readings and (n, 2) gaze of the others."""
        return (
            np.concatenate([one.readings for one in self.others]),
            np.concatenate([one.gaze_deg for one in self.others]),
        )
