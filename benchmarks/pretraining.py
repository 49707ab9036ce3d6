"""`psog bench pretraining`: error against the share of wearers with labels, by what a network begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psog.benchmarks.tables import Table
from psog.errors import PsogError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from psog.headset import Headset

    Errors = Mapping[str, Mapping[str, NDArray[np.float64]]]
    """By way and number of labelled wearers: (2, users, slips) degrees, not calibrated and after 9 points."""


@dataclass(frozen=True)
class Protocol:
    """How much is simulated and trained.

    Attributes:
        seeds: from first_seed on; each has a built headset, wearers, test users and weights of its own.
        wearers: who left streams of `seconds`.
        labelled: of these, how many have labels in the runs that are compared.
        before: steps of pretraining; without any, they are taken on labels.
        steps: on labels.
        simulated: users of the labelled simulator; a quarter as many are rendered for pretraining.
        test_users: others, of each built headset.
    """

    seeds: int
    wearers: int
    seconds: float
    labelled: tuple[int, ...]
    before: int
    steps: int
    simulated: int
    test_users: int
    first_seed: int = 0


FULL = Protocol(5, 100, 20.0, (1, 5, 10, 100), before=400, steps=300, simulated=400, test_users=40)
SHORT = Protocol(1, 5, 20.0, (1, 5), before=25, steps=25, simulated=20, test_users=2)
STATES = ("not calibrated", "9 points")


@dataclass(frozen=True)
class Command:
    """Compare training on few labels from scratch, from three pretrainings without labels, and from the
    simulator, on built headsets that differ from their file.

    Users of a result are none that anything was trained on. The full form takes twenty minutes of a core.
    """

    headset: str = "ring16"
    """A name, or the path of a TOML file."""
    short: bool = False
    """A single seed, few wearers and steps: it shows that it runs, no more. The result says what was used."""
    seeds: int | None = None
    """How many; what the form says if not given."""
    first_seed: int = 0
    """From which they are counted."""
    keep: Path | None = None
    """A folder in which each seed's errors are kept; what is there already is not measured again."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import json
        from dataclasses import replace

        import torch
        from rich.console import Console

        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        protocol = SHORT if self.short else FULL
        protocol = protocol if self.seeds is None else replace(protocol, seeds=self.seeds)
        protocol = replace(protocol, first_seed=self.first_seed)
        document = measure(self.headset, protocol, Console(stderr=True), self.keep)
        if self.json:
            print(json.dumps(document))
        else:
            for table in tables(document):
                Console().print(table.rich())


def measure(
    headset_name: str, protocol: Protocol, console: Console, keep: Path | None = None
) -> dict[str, Any]:
    """Every way with every number of labelled wearers, on every seed.

    Returns:
        The protocol, and in "ways", for each way, number of labelled wearers, state of
        STATES and slip in mm: "by_seed", the mean over users of each seed, and their "mean_deg" and "sd_deg";
        "gain", [mean, SD] over the seeds of how much less that is than with labels only (positive is better);
        and the share of "users_better".
    """
    from psog.headset import load_headset

    headset = load_headset(headset_name)
    seeds = range(protocol.first_seed, protocol.first_seed + protocol.seeds)
    by_seed = [_of_seed(headset, protocol, seed, console, keep) for seed in seeds]
    return {
        "headset": headset.name,
        **asdict(protocol),
        "ways": _figures(by_seed),
    }


def _of_seed(headset: Headset, protocol: Protocol, seed: int, console: Console, keep: Path | None) -> Errors:
    """Measured, or as it was kept."""
    import json

    import numpy as np

    from psog.benchmarks.pretraining_ways import measured
    from psog.files import writing_file

    made_from = {
        "headset": headset.name,
        **json.loads(json.dumps(asdict(protocol))),
        "seeds": 1,
        "first_seed": seed,
    }
    place = None if keep is None else keep / f"seed{seed}.json"
    if place is not None and place.exists():
        kept = json.loads(place.read_text("utf-8"))
        if kept["made_from"] != made_from:
            raise PsogError(f"{place} is of another protocol; choose another folder to keep results in")
        return {way: {n: np.array(e) for n, e in of.items()} for way, of in kept["errors"].items()}
    found = measured(headset, protocol, seed, console)
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        errors = {way: {n: e.tolist() for n, e in of.items()} for way, of in found.items()}
        with writing_file(place, PsogError) as partial:
            partial.write_text(json.dumps({"made_from": made_from, "errors": errors}), "utf-8")
    return found


def _figures(by_seed: Sequence[Errors]) -> dict[str, Any]:
    """What `measure` returns of all ways."""
    from psog.benchmarks.pretraining_ways import SCRATCH, SLIPS_MM

    return {
        way: {
            number: {
                state: {
                    f"{slip:g}": _figure(
                        [errors[way][number][i, :, k] for errors in by_seed],
                        [errors[SCRATCH][number][i, :, k] for errors in by_seed],
                    )
                    for k, slip in enumerate(SLIPS_MM)
                }
                for i, state in enumerate(STATES)
            }
            for number in numbers
        }
        for way, numbers in by_seed[0].items()
    }


def _figure(errors: Sequence[NDArray[np.float64]], compared: Sequence[NDArray[np.float64]]) -> dict[str, Any]:
    """Of (users,) degrees of each seed."""
    import numpy as np

    means = np.array([of_seed.mean() for of_seed in errors])
    gains = np.array([(other - own).mean() for own, other in zip(errors, compared, strict=True)])
    better = np.concatenate([own < other for own, other in zip(errors, compared, strict=True)])
    return {
        "by_seed": means.round(4).tolist(),
        "mean_deg": round(float(means.mean()), 4),
        "sd_deg": _spread(means),
        "gain": [round(float(gains.mean()), 4), _spread(gains)],
        "users_better": round(float(better.mean()), 3),
    }


def _spread(values: NDArray[np.float64]) -> float | None:
    """Standard deviation; None of a single value."""
    return round(float(values.std(ddof=1)), 4) if len(values) > 1 else None


def tables(document: Mapping[str, Any]) -> list[Table]:
    """Error after 9 points without and after a slip, and not calibrated, by labelled wearers."""
    kinds = (("9 points", "0"), ("9 points", "1"), ("not calibrated", "0"))
    return [_table(document, state, slip) for state, slip in kinds]


def _table(document: Mapping[str, Any], state: str, slip: str) -> Table:
    ways = document["ways"]
    numbers = list(next(iter(ways.values())))
    share = [f"{100 * int(number) / document['wearers']:.3g} %" for number in numbers]
    rows = [[way, *(_cell(of[number][state][slip]) for number in numbers)] for way, of in ways.items()]
    when = f"{state}, after a slip of {slip} mm" if slip != "0" else state
    return Table(
        title=f"{document['headset']}, {when}: degrees by share of {document['wearers']} wearers with labels",
        columns=["begins with", *share],
        rows=rows,
        note=(
            f"Mean of {document['test_users']} unseen users of each of {document['seeds']} built headsets, "
            "± SD over these (in brackets: less than with labels only, paired per user). Steps: "
            f"{document['before']} of pretraining, {document['steps']} on labels; or as many on labels only."
        ),
    )


def _cell(found: Mapping[str, Any]) -> str:
    def spread(sd: float | None) -> str:
        return "" if sd is None else f" ± {sd:.2f}"

    gain, gain_sd = found["gain"]
    return f"{found['mean_deg']:.2f}{spread(found['sd_deg'])} ({gain:+.2f}{spread(gain_sd)})"
