"""`psog bench pruning`: pruning inside training, after it, fewer channels, and a smaller network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from psog.benchmarks.pruning_ways import Pruned
    from psog.net.pruning import Pruning


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

_WIDTH = 124  # of the table, also where it is piped
_DATA_SEED, _TEST_SEED = 1, 99
_SLIPS_MM = (0.0, 1.0)
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
        result = measure(
            self.headset, Pruning(keep=self.keep), protocol, self.test_seed, Console(stderr=True)
        )
        if self.json:
            print(json.dumps(result))
        else:
            _print(Console(width=_WIDTH), result)


def measure(
    headset_name: str, pruning: Pruning, protocol: Protocol, test_seed: int, console: Console
) -> dict[str, Any]:
    """Every way with every seed.

    Args:
        pruning: its pool is that of the ways which do not name one.
    Returns:
        The protocol, and by way "steps", "convolution_macs" and "network_macs" without removed weights,
        "cpu_s", and errors in degrees: "int8", "int8_after_1_mm" and "float" (median of the users after 9
        points), and "loss", what "int8" is above the dense network of the same seed; each as {"mean", "sd",
        "each"} over seeds, "sd" null for one seed.
    """
    from dataclasses import asdict

    from psog.benchmarks.pruning_ways import Trial, ways
    from psog.headset import load_headset
    from psog.net.evaluation import evaluate
    from psog.sim.episodes import make_episodes, make_test_episodes

    headset = load_headset(headset_name)
    console.print(f"simulating {protocol.users} and {protocol.test_users} users of {headset.name}")
    episodes = make_episodes(headset, users=protocol.users, seed=_DATA_SEED)
    test = make_test_episodes(headset, users=protocol.test_users, seed=test_seed, slips_mm=_SLIPS_MM)
    rows: dict[str, list[dict[str, float]]] = {}
    made: dict[str, Pruned] = {}
    for seed in range(protocol.seeds):
        trial = Trial(episodes, headset, protocol.steps, pruning, seed)
        for name, way in ways(trial).items():
            with console.status(f"seed {seed}: {name}"):
                made[name] = way()
                found = evaluate(made[name].net, test, headset, _SLIPS_MM, test_seed)
            row = {key: found[form]["slips"][slip]["median_deg"] for key, (form, slip) in _ERRORS.items()}
            dense = row if name == "dense" else rows["dense"][seed]
            loss = row["int8"] - dense["int8"]
            rows.setdefault(name, []).append({**row, "cpu_s": made[name].cpu_s, "loss": loss})
            console.print(f"seed {seed}, {name}: {row['int8']:.3f}°, {made[name].cpu_s:.0f} s")
    table = {name: {**made[name].to_json(), **_over_seeds(rows[name])} for name in rows}
    data = {"headset": headset.name, "keep": pruning.keep, "data_seed": _DATA_SEED, "test_seed": test_seed}
    return {**data, **asdict(protocol), "ways": table}


def _over_seeds(rows: Sequence[dict[str, float]]) -> dict[str, Any]:
    import numpy as np

    found = {}
    for key in rows[0]:
        each = np.array([row[key] for row in rows])
        found[key] = {
            "mean": round(float(each.mean()), 4),
            "sd": round(float(each.std(ddof=1)), 4) if len(each) > 1 else None,
            "each": each.round(4).tolist(),
        }
    return found


def _print(console: Console, result: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(
        title=f"{result['headset']}, {result['keep']:g} of kernels kept, seeds 0 to {result['seeds'] - 1}, "
        f"{result['users']:,} users; median error of {result['test_users']} unseen users, degrees"
    )
    columns = ("", "steps", "conv MACs", "all MACs", "int8", "after 1 mm", "float", "loss", "CPU s")
    for name in columns:
        table.add_column(name, justify="right" if name else "left", no_wrap=not name)
    for name, row in result["ways"].items():
        errors = [_cell(row[key]) for key in (*_ERRORS, "loss")]
        macs = [f"{row[k]:,}" for k in ("steps", "convolution_macs", "network_macs")]
        table.add_row(name, *macs, *errors, f"{row['cpu_s']['mean']:.0f}")
    console.print(table)


def _cell(found: dict[str, Any]) -> str:
    scatter = "" if found["sd"] is None else f" ± {found['sd']:.3f}"
    return f"{found['mean']:.3f}{scatter}"
