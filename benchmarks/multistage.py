"""`psog bench multistage`: population, fleet, this headset, this user: what each stage of training buys."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psog.benchmarks.multistage_figures import figures, tables
from psog.benchmarks.pieces import Pieces

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["FULL", "SHORT", "Command", "Protocol", "measure", "tables"]


@dataclass(frozen=True)
class Protocol:
    """How much is simulated and trained.

    Attributes:
        steps: of the population's stage.
        further: that every way which is compared takes besides; half of them in each of two stages.
        users: simulated, for the population's stage and between the recordings of the others.
        seeds: everything once for each: weights, batches, users, headsets and their build errors.
        units: headsets of the fleet; one more of the same design is new.
        people: who recorded with each of the fleet's, `people_s` seconds each at `rate_hz`.
        own_people: how many of them recorded with the new headset, in each of the ways that learn from these.
        test_users: others, of the new headset.
        tuned_users: of these, those whose own recording of `own_s` seconds the last stage gets.
        tuned_steps: of its runs.
    """

    steps: int
    further: int
    users: int
    seeds: int
    units: int
    people: int
    own_people: tuple[int, ...]
    test_users: int
    tuned_users: int
    people_s: float = 60.0
    rate_hz: float = 100.0
    own_s: float = 60.0
    tuned_steps: tuple[int, ...] = (50, 100, 200)


FULL = Protocol(
    500,
    300,
    600,
    seeds=3,
    units=3,
    people=8,
    own_people=(4, 10),
    test_users=30,
    tuned_users=2,
    people_s=40.0,
    own_s=40.0,
    tuned_steps=(50, 100),
)
SHORT = Protocol(
    60,
    8,
    40,
    seeds=1,
    units=2,
    people=2,
    own_people=(4,),
    test_users=3,
    tuned_users=1,
    people_s=11.0,
    own_s=21.0,
    tuned_steps=(),
)


@dataclass(frozen=True)
class Command:
    """Compare stages of training at equal steps, on a simulated headset that is not quite as its file says.

    Every way is judged on the same unseen users of a headset of which no stage but its own has seen anything,
    after 9 points, not slipped and after 1 mm. The full form takes some six minutes of one core; --short,
    seconds.
    """

    headset: str = "ring16"
    """A name, or the path of a TOML file."""
    short: bool = False
    """So little of everything that figures mean nothing. The result says what was used."""
    seed: int = 0
    """The first of those that follow each other."""
    keep: Path | None = None
    """A file for the errors of seeds that are finished: a run that was stopped goes on from it."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        protocol = SHORT if self.short else FULL
        document = measure(self.headset, protocol, self.seed, Console(stderr=True), self.keep)
        if self.json:
            print(json.dumps(document))
        else:
            for table in tables(document):
                Console(width=_WIDTH).print(table.rich())


_WIDTH = 120  # of the tables, also where they are piped


def measure(
    headset_name: str, protocol: Protocol, first_seed: int, console: Console, keep: Path | None = None
) -> dict[str, Any]:
    """Every way at every seed.

    Returns:
        The protocol and "ways", as psog.benchmarks.multistage_figures.figures makes them.
    """
    from psog.benchmarks.multistage_ways import seed_errors
    from psog.headset import load_headset

    headset = load_headset(headset_name)
    kept = Pieces(keep, {"headset": headset.name, "seed": first_seed, **asdict(protocol)})
    of_seeds = []
    for seed in range(first_seed, first_seed + protocol.seeds):
        console.print(f"seed {seed}", highlight=False)
        of_seeds.append(kept.get(str(seed), partial(seed_errors, headset, protocol, seed, console)))
    return {**kept.made_from, "ways": figures(of_seeds)}
