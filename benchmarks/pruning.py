"""`psog bench pruning`: pruning inside training, after it, fewer channels, and a smaller network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from psog.benchmarks.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from psog.benchmarks.pruning_ways import Pruned
    from psog.episodes import Episodes
    from psog.headset import Headset
    from psog.net.pruning import Pruning

DENSE = "dense"
WayName = Literal[
    "in training, 4",
    "in training, 8",
    "in training, 12",
    "in training, data",
    "smaller network",
    "in training, longer",
    "after, same choice",
    "after, magnitude",
    "after, channels",
]
"""Ways of psog.benchmarks.pruning_ways to a network that is cheaper than the dense one."""


@dataclass(frozen=True)
class Protocol:
    """How much is simulated and trained.

    Attributes:
        steps: of one training; pruning after training adds half as many.
        users, test_users: simulated, the same for every way and seed.
        seeds: how many weights and orders of batches.
    """

    steps: int
    users: int
    test_users: int
    seeds: int


FULL = Protocol(steps=4000, users=2000, test_users=100, seeds=5)
SHORT = Protocol(steps=300, users=400, test_users=100, seeds=2)

_DATA_SEED, _TEST_SEED = 1, 99
_SLIPS_MM = (0.0, 1.0)
_COSTS = ("steps", "convolution_macs", "network_macs")
_ERRORS = {"int8": ("int8", "0"), "int8_after_1_mm": ("int8", "1"), "float": ("float", "0")}


@dataclass(frozen=True)
class Command:
    """Make the deep network cheaper in several ways, at equal multiply-accumulates, and compare the errors.

    Networks are trained through the calibration solve and judged on unseen users after 9 points. The full
    form takes hours of one core; --short, some minutes.
    """

    headset: str = "ring16"
    """A name, or the path of a TOML file."""
    keep: float = 0.25
    """Share of the kernels that pruning keeps."""
    short: bool = False
    """Fewer users, steps and seeds: some minutes. The result says what was used."""
    steps: int | None = None
    """Of one training; what the form says if not given."""
    seeds: int | None = None
    """How many seeds, counted from 0; what the form says if not given."""
    test_seed: int = _TEST_SEED
    """Of the unseen users. When a default of psog.net.pruning is chosen on some, compare on others."""
    ways: tuple[WayName, ...] = get_args(WayName)
    """Which of them, beside the dense network; all unless told otherwise."""
    work: Path | None = None
    """A file that keeps what is done: the same command goes on there after a stop."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        from psog.errors import PsogError
        from psog.net.pruning import Pruning

        protocol = SHORT if self.short else FULL
        for name, value in {"steps": self.steps, "seeds": self.seeds}.items():
            if value is not None and value < 1:
                raise PsogError(f"--{name} is {value}; expected at least 1")
            protocol = replace(protocol, **({} if value is None else {name: value}))
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        console = Console(stderr=True)
        pruning = Pruning(keep=self.keep)
        result = measure(
            self.headset, pruning, protocol, self.test_seed, console, only=self.ways, work=self.work
        )
        if self.json:
            print(json.dumps(result))
        else:
            for table in tables(result):
                Console().print(table.rich())


def measure(
    headset_name: str,
    pruning: Pruning,
    protocol: Protocol,
    test_seed: int,
    console: Console,
    *,
    only: Sequence[WayName] = get_args(WayName),
    work: Path | None = None,
) -> dict[str, Any]:
    """The dense network and ways to a cheaper one, with every seed.

    Args:
        pruning: its pool is that of the ways which do not name one.
        only: these ways.
        work: where finished networks' figures are kept.
    Returns:
        The protocol, and by way "steps", "convolution_macs" and "network_macs" without removed weights,
        "cpu_s", and errors in degrees: "int8", "int8_after_1_mm" and "float" (median of the users after 9
        points), and "loss", what "int8" is above the dense network of the same seed; each as {"mean", "sd",
        "each"} over seeds, "sd" null for one seed.
    Raises:
        PsogError: `work` is of another protocol.
    """
    from dataclasses import asdict

    from psog.benchmarks.pieces import Pieces
    from psog.benchmarks.pruning_ways import Trial, ways
    from psog.headset import load_headset
    from psog.sim.episodes import make_episodes, make_test_episodes

    headset = load_headset(headset_name)
    data = {"headset": headset.name, "keep": pruning.keep, "data_seed": _DATA_SEED, "test_seed": test_seed}
    pieces = Pieces(work, {**data, **asdict(replace(protocol, seeds=0))})  # more seeds may follow
    console.print(f"simulating {protocol.users} and {protocol.test_users} users of {headset.name}")
    episodes = make_episodes(headset, users=protocol.users, seed=_DATA_SEED)
    test = make_test_episodes(headset, users=protocol.test_users, seed=test_seed, slips_mm=_SLIPS_MM)
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in range(protocol.seeds):
        trial = Trial(episodes, headset, protocol.steps, pruning, seed)
        for name, way in ways(trial).items():
            if name not in (DENSE, *only):
                continue
            with console.status(f"seed {seed}: {name}"):
                judged = partial(_judged, way, test, headset, test_seed)
                row = pieces.get(f"{seed}: {name}", judged)
            found.setdefault(name, []).append(row)
            row["loss"] = row["int8"] - found[DENSE][seed]["int8"]  # the dense network is the first way
            console.print(f"seed {seed}, {name}: {row['int8']:.3f}°, {row['cpu_s']:.0f} s")
    table = {name: _over_seeds(rows) for name, rows in found.items()}
    return {**data, **asdict(protocol), "ways": table}


def _judged(way: Callable[[], Pruned], test: Episodes, headset: Headset, test_seed: int) -> dict[str, float]:
    from psog.net.evaluation import evaluate

    made = way()
    found = evaluate(made.net, test, headset, _SLIPS_MM, test_seed)
    errors = {key: found[form]["slips"][slip]["median_deg"] for key, (form, slip) in _ERRORS.items()}
    return {**made.to_json(), **errors, "cpu_s": made.cpu_s}


def _over_seeds(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    import numpy as np

    found = {key: rows[0][key] for key in _COSTS}
    for key in (*_ERRORS, "loss", "cpu_s"):
        each = np.array([row[key] for row in rows])
        found[key] = {
            "mean": round(float(each.mean()), 4),
            "sd": round(float(each.std(ddof=1)), 4) if len(each) > 1 else None,
            "each": each.round(4).tolist(),
        }
    return found


def tables(document: dict[str, Any]) -> list[Table]:
    """One, a row a way."""
    title = (
        f"{document['headset']}, {document['keep']:g} of kernels kept, training seeds: {document['seeds']}, "
        f"{document['users']:,} users (seed {document['data_seed']}); median error in degrees of "
        f"{document['test_users']} unseen users (seed {document['test_seed']}), 9 points, mean ± SD"
    )
    columns = ("", "steps", "conv MACs", "all MACs", "int8", "after 1 mm", "float", "above dense", "CPU s")
    rows = []
    for name, way in document["ways"].items():
        errors = [_cell(way[key]) for key in (*_ERRORS, "loss")]
        rows.append((name, *(f"{way[key]:,}" for key in _COSTS), *errors, f"{way['cpu_s']['mean']:.0f}"))
    return [Table(title, columns, rows, "Above dense: paired, the dense network of the same seed.")]


def _cell(found: dict[str, Any]) -> str:
    scatter = "" if found["sd"] is None else f" ± {found['sd']:.3f}"
    return f"{found['mean']:.3f}{scatter}"
