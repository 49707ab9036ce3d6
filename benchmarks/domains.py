"""`psog bench domains`: a labelled source and an unlabelled target: what adapting without labels is worth."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from psog.benchmarks.domains_ways import Trainer
    from psog.benchmarks.tables import Table

Ways = dict[str, dict[str, list[float]]]
"""Of each way and measure, one figure for each test user."""

ABOUT = {
    "optics": "the target is a headset whose parts sit and aim elsewhere, with other lobes and gains",
    "ageing": "the target is a headset whose emitters give 0.6 to 1 of their light, each its own share",
    "skin": "the target is people with darker skin and sclera than any in the source",
    "same": "the target is the source itself: nothing is to be adapted",
    "gaze": "the target is the source itself, but those without labels look to the right only",
    "rendered": "from simulation to third-party signals of one rendered eye; a user is a file",
    "video": "from simulation to videos of real eyes; a user is a video, the error the pupil's centre in mm",
}
SIMULATED = ("optics", "ageing", "skin", "same", "gaze")
DATA = Path("../shared/data")
"""Third-party recordings, beside the checkout."""


@dataclass(frozen=True)
class Protocol:
    """How much is simulated and trained.

    Attributes:
        users: simulated, of the source.
        steps, further: of the source's training, and of every way that trains on.
        people: who wear a simulated target without labels, a minute each.
        test_users: others, of a simulated target.
        oracle_users: simulated, of the target with labels.
        rate_hz: of simulated recordings; neighbours at 1 kHz tell nothing new.
        seeds: of weights and batches; data are the same for all.
    """

    users: int
    steps: int
    further: int
    people: int
    test_users: int
    oracle_users: int
    rate_hz: float
    seeds: int


FULL = Protocol(300, 300, 100, people=10, test_users=20, oracle_users=300, rate_hz=50.0, seeds=3)
SHORT = Protocol(20, 8, 2, people=4, test_users=2, oracle_users=20, rate_hz=50.0, seeds=1)


@dataclass(frozen=True)
class Command:
    """Adapt networks of a labelled source to targets of which there are readings alone.

    Every way is judged on the same users of the target, of whom nothing was learnt but in "own minute", not
    calibrated and after 9 points, paired with the source's network. The full form takes some eight minutes of
    one core; --short, seconds.
    """

    scenarios: tuple[str, ...] = tuple(ABOUT)
    """Which targets."""
    data: Path = DATA
    """Folder with psog_nn and eye_video; without it their scenarios are left out."""
    short: bool = False
    """Hardly any training, one seed. The result says what was used."""
    keep: Path | None = None
    """Folder for what is done, so that a run that was stopped goes on, and several can share the work."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import torch
        from rich.console import Console

        from psog.errors import PsogError

        unknown = [name for name in self.scenarios if name not in ABOUT]
        if unknown or not self.scenarios:
            raise PsogError(
                f"no scenario {', '.join(unknown) or 'given'}; expected some of {', '.join(ABOUT)}"
            )
        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        console = Console(stderr=True)
        protocol = SHORT if self.short else FULL
        document = measure(self.scenarios, protocol, self.data, console, keep=self.keep)
        if self.json:
            print(json.dumps(document))
        else:
            for table in tables(document):
                Console(width=_WIDTH).print(table.rich())


def measure(
    scenarios: tuple[str, ...], protocol: Protocol, data: Path, console: Console, *, keep: Path | None = None
) -> dict[str, Any]:
    """Every way on every target.

    Returns:
        The protocol; in "scenarios" by name "about", "users" and "ways": for each way and measure "mean" over
        users and seeds, "seeds_sd" of the seeds' means, and "difference": [mean, SD over users] from the
        source's network, paired; and in "left_out" why scenarios are missing.
    """
    found: dict[str, list[Ways]] = {}
    left_out: dict[str, str] = {}
    for name in scenarios:
        missing = _missing(name, data)
        if missing:
            left_out[name] = missing
            console.print(f"{name}: {missing}", soft_wrap=True)
            continue
        for seed in range(protocol.seeds):
            with console.status(f"{name}, seed {seed}"):
                found.setdefault(name, []).append(_piece(name, seed, protocol, data, keep))
            source = found[name][-1]["source only"]
            told = ", ".join(f"{measure} {sum(x) / len(x):.2f}" for measure, x in source.items())
            console.print(f"{name}, seed {seed}: source only {told}", soft_wrap=True, highlight=False)
    return {
        **asdict(protocol),
        "scenarios": {name: {"about": ABOUT[name], **_figures(of_seeds)} for name, of_seeds in found.items()},
        "left_out": left_out,
    }


def _missing(name: str, data: Path) -> str:
    """Why a scenario cannot be measured; nothing if it can."""
    import importlib.util

    folder = {"rendered": "psog_nn", "video": "eye_video"}.get(name)
    if folder is not None and not (data / folder).is_dir():
        return f"left out: there is no {data / folder}; give the folder with --data"
    if name == "video" and importlib.util.find_spec("av") is None:
        return "left out: reading videos needs the package 'av': pip install 'psog[video]'"
    return ""


def _piece(name: str, seed: int, protocol: Protocol, data: Path, keep: Path | None) -> Ways:
    """One target with one seed, measured or kept."""
    place = None if keep is None else keep / f"{name}-{seed}.json"
    if place is not None and place.exists():
        kept = json.loads(place.read_text("utf-8"))
        if kept["protocol"] == asdict(protocol):
            ways: Ways = kept["ways"]
            return ways
    ways = _measured(name, seed, protocol, data)
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({"protocol": asdict(protocol), "ways": ways}), "utf-8")
    return ways


def _measured(name: str, seed: int, protocol: Protocol, data: Path) -> Ways:
    from psog.benchmarks import domains_recorded, domains_simulated

    trainer = _trainer("ring16" if name in SIMULATED else "grid15", protocol, seed)
    parent = trainer.parent()
    if name in SIMULATED:
        sizes = domains_simulated.Sizes(protocol.people, protocol.test_users, protocol.oracle_users)
        return dict(domains_simulated.ladder(name, trainer, parent, sizes))
    if name == "rendered":
        domain = domains_recorded.rendered(data, trainer.headset)
        return dict(domains_recorded.ladder(domain, trainer, parent))
    read = domains_recorded.videos(data, trainer.headset)
    joined: Ways = {}
    for tested in read:
        domain = domains_recorded.video(read, tested, trainer.headset)
        for way, errors in domains_recorded.ladder(domain, trainer, parent):
            for measure_name, values in errors.items():
                joined.setdefault(way, {}).setdefault(measure_name, []).extend(values)
    return joined


def _trainer(headset_name: str, protocol: Protocol, seed: int) -> Trainer:
    from psog.benchmarks.domains_ways import Trainer
    from psog.headset import load_headset
    from psog.sim.episodes import make_episodes

    headset = load_headset(headset_name).model_copy(update={"rate_hz": protocol.rate_hz})
    labelled = make_episodes(headset, users=protocol.users, poses=4, samples=48, seed=_DATA_SEED)
    return Trainer(headset, labelled, protocol.steps, protocol.further, seed)


_DATA_SEED = 0


def _figures(of_seeds: list[Ways]) -> dict[str, Any]:
    import numpy as np

    def figure(way: str, measure_name: str) -> dict[str, Any]:
        errors, compared = (
            np.array([ways[of][measure_name] for ways in of_seeds]) for of in (way, "source only")
        )
        difference = (errors - compared).mean(axis=0)
        return {
            "mean": _rounded(errors.mean()),
            "seeds_sd": _rounded(errors.mean(axis=1).std(ddof=1)) if len(errors) > 1 else None,
            "difference": [
                _rounded(difference.mean()),
                _rounded(difference.std(ddof=1)) if len(difference) > 1 else None,
            ],
        }

    first = of_seeds[0]
    users = len(next(iter(first["source only"].values())))
    ways = {way: {name: figure(way, name) for name in measures} for way, measures in first.items()}
    return {"users": users, "ways": ways}


def _rounded(value: float) -> float:
    return round(float(value), 4)


def tables(document: Mapping[str, Any]) -> list[Table]:
    """A table for each target."""
    return list(_tables(document))


def _tables(document: Mapping[str, Any]) -> Iterator[Table]:
    from psog.benchmarks.tables import Table

    for name, found in document["scenarios"].items():
        measures = list(found["ways"]["source only"])
        unit = "mm" if name == "video" else "degrees"
        yield Table(
            f"{name}: {found['about']} ({found['users']} users, {document['seeds']} seeds; {unit}, int8)",
            ["way", *measures],
            [[way, *(_cell(by[m]) for m in measures)] for way, by in found["ways"].items()],
            _NOTE,
        )


_NOTE = (
    "Mean over users and seeds ± SD of the seeds' means; difference from the source's network, paired per "
    "user: mean ± SD over users."
)


def _cell(figure: Mapping[str, Any]) -> str:
    def scattered(mean: str, sd: float | None) -> str:
        return mean if sd is None else f"{mean} ± {sd:.2f}"

    error = scattered(f"{figure['mean']:.2f}", figure["seeds_sd"])
    mean, sd = figure["difference"]
    return f"{error}; {scattered(f'{mean:+.2f}', sd)}"


_WIDTH = 150  # of the table, also where it is piped
