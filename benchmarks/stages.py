"""`psog bench stages`: population, this headset, this user: what each stage of training is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from psog.benchmarks.stages_headset import Built
    from psog.episodes import Episodes
    from psog.net.store import Model

    Errors = NDArray[np.float64]
    """(users, slips) degrees, each the mean over a user's samples; NaN for a user who was left out."""


@dataclass(frozen=True)
class Protocol:
    """How much is simulated and trained.

    Attributes:
        steps: of the population's stage.
        further: that every way which is compared takes besides.
        users: simulated, for the population's stage.
        headsets: built, each with its own errors; figures are over all users of all of them.
        people: who recorded with each headset for its stage, `people_s` seconds each.
        test_users: others, of each headset.
        tuned_users: of these, those whose own recording of `own_s` seconds the last stage gets.
        tuned_steps: of its longest run.
    """

    steps: int
    further: int
    users: int
    headsets: int
    people: int
    people_s: float
    test_users: int
    tuned_users: int
    own_s: float = 60.0
    tuned_steps: int = 800


FULL = Protocol(2000, 1000, 2000, headsets=2, people=10, people_s=60.0, test_users=24, tuned_users=8)
SHORT = Protocol(300, 150, 300, headsets=1, people=6, people_s=30.0, test_users=20, tuned_users=1)

NINE = "9 points"
OWN = "own recording, then 9 points"
TUNED = "fine-tuned, then 9 points"
_SLIPS_MM = (0.0, 1.0)
_DATA_SEED, _BUILD_SEED, _PEOPLE_SEED, _TEST_SEED = 0, 100, 200, 300


@dataclass(frozen=True)
class Command:
    """Compare stages of training at equal steps, on simulated headsets that are not quite as their file says.

    Every way is judged on the same unseen users of these headsets, after 9 points, not slipped and after
    1 mm. The full form takes some ten minutes of one core; --short, about one.
    """

    headset: str = "ring16"
    """A name, or the path of a TOML file."""
    short: bool = False
    """Fewer steps, users and headsets. The result says what was used."""
    seed: int = 0
    """Of weights and batches."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        import json

        import torch
        from rich.console import Console

        torch.set_num_threads(1)  # batches are small; and one thread adds in one order
        result = measure(self.headset, SHORT if self.short else FULL, self.seed, Console(stderr=True))
        if self.json:
            print(json.dumps(result))
        else:
            _print(result)


def measure(headset_name: str, protocol: Protocol, seed: int, console: Console) -> dict[str, Any]:
    """Every way on every headset.

    Returns:
        The protocol, and in "ways" for each way, how its users calibrated, and slip in mm: "users",
        "mean_deg", "median_deg" and "p95_deg" over them, and "difference": [mean, SD] of what is paired per
        user: of nine points, from the longer population's stage; of others, from the same way's nine points.
    """
    from psog.benchmarks.stages_headset import as_designed, built
    from psog.benchmarks.stages_ways import POPULATION, REFERENCE, Steps, headset_ways, population_ways
    from psog.headset import load_headset
    from psog.sim.episodes import make_episodes

    headset = load_headset(headset_name)
    steps = Steps(protocol.steps, protocol.further)
    with console.status("the population's stage"):
        episodes = make_episodes(headset, users=protocol.users, seed=_DATA_SEED)
        of_population = population_ways(headset, episodes, steps, seed)
    found: dict[str, list[dict[str, Errors]]] = {}

    def judge(way: str, model: Model, wearers: _Wearers) -> None:
        with console.status(f"{way}: its users"):
            found.setdefault(way, []).append(wearers.errors(model))
        console.print(f"{way}: {found[way][-1][NINE][:, 0].mean():.2f}°", highlight=False)

    for number in range(protocol.headsets):
        test_seed, real = _TEST_SEED + number, built(headset, _BUILD_SEED + number)
        designed = _Wearers(as_designed(headset), replace(protocol, tuned_users=0), test_seed)
        judge(f"{REFERENCE}; headset as designed", of_population[REFERENCE], designed)
        wearers = _Wearers(real, protocol, test_seed)
        for way, model in of_population.items():
            judge(way, model, wearers)
        people = real.record(protocol.people, protocol.people_s, _PEOPLE_SEED + number)
        parent = of_population[POPULATION]
        for way, model in headset_ways(parent, people, headset, episodes=episodes, steps=steps, seed=seed):
            judge(way, model, wearers)
    return {"headset": headset.name, "seed": seed, **asdict(protocol), "ways": _figures(found, REFERENCE)}


class _Wearers:
    """Unseen users of a headset, some of whom have recorded before."""

    def __init__(self, worn: Built, protocol: Protocol, seed: int) -> None:
        from pathlib import Path

        from psog.net.evaluation import noisy_wire
        from psog.net.fine_tune import FineTuning
        from psog.net.sources import Source

        self._headset = worn.headset
        self._test = worn.test(protocol.test_users, seed, _SLIPS_MM)
        self._wire = noisy_wire(self._test, worn.headset, seed)
        self._own = [
            Source(Path(f"own{k}"), worn.record_tested(k, protocol.own_s, seed))
            for k in range(protocol.tuned_users)
        ]
        self._lengths = tuple(n for n in FineTuning.lengths if n <= protocol.tuned_steps)

    def errors(self, model: Model) -> dict[str, Errors]:
        """By how the users calibrated."""
        import numpy as np

        from psog.net.fine_tune import FineTuning

        found = {NINE: self._nine_points(model, slice(None))}
        for how, tuning in ((OWN, None), (TUNED, FineTuning(lengths=self._lengths))) if self._own else ():
            found[how] = np.full_like(found[NINE], np.nan)
            for user in range(len(self._own)):
                found[how][user] = self._nine_points(
                    self._personal(model, user, tuning), slice(user, user + 1)
                )
        return found

    def _personal(self, model: Model, user: int, tuning: Any) -> Model:
        from psog.device.messages import OPENNESS_BORDER
        from psog.net.personalise import personalise
        from psog.net.store import Model

        found = personalise(
            model, self._own[user], self._headset, openness_border=OPENNESS_BORDER, tuning=tuning
        )
        return Model(*found)

    def _nine_points(self, model: Model, users: slice) -> Errors:
        import numpy as np

        from psog.net.calibrated import int8_features
        from psog.net.gaze_errors import gaze_errors

        wire = self._wire[users]
        test = _some(self._test, users)
        everything = np.ones(wire.shape[2], bool)
        found: Errors = gaze_errors(model.net, int8_features, wire, test, [everything])[0].mean(axis=-1)
        return found


def _some(episodes: Episodes, users: slice) -> Episodes:
    return replace(
        episodes,
        readings=episodes.readings[users],
        gaze_deg=episodes.gaze_deg[users],
        openness=episodes.openness[users],
    )


def _figures(found: Mapping[str, Sequence[Mapping[str, Errors]]], reference: str) -> dict[str, Any]:
    """What `measure` returns of all ways."""
    import numpy as np

    whole = {
        way: {how: np.concatenate([each[how] for each in of_headsets]) for how in of_headsets[0]}
        for way, of_headsets in found.items()
    }
    return {
        way: {
            how: {
                f"{slip:g}": _figure(errors[:, k], (whole[reference] if how == NINE else hows)[NINE][:, k])
                for k, slip in enumerate(_SLIPS_MM)
            }
            for how, errors in hows.items()
        }
        for way, hows in whole.items()
    }


def _figure(errors: Errors, compared: Errors) -> dict[str, Any]:
    import numpy as np

    there = np.isfinite(errors)
    errors, difference = errors[there], (errors - compared)[there]
    spread = float(difference.std(ddof=1)) if len(errors) > 1 else None
    return {
        "users": len(errors),
        "mean_deg": round(float(errors.mean()), 4),
        "median_deg": round(float(np.median(errors)), 4),
        "p95_deg": round(float(np.quantile(errors, 0.95)), 4),
        "difference": [round(float(difference.mean()), 4), None if spread is None else round(spread, 4)],
    }


def _print(result: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    title = (
        f"{result['headset']}: {result['steps']} + {result['further']} steps, {result['headsets']} built "
        f"headsets, {result['test_users']} unseen users of each, seed {result['seed']}; degrees, int8"
    )
    note = (
        "mean (median) over users; paired difference, mean ± SD: with nine points from the longer "
        "population's stage, with an own recording or fine-tuning from the same way's nine points"
    )
    slips = [f"{slip:g}" for slip in _SLIPS_MM]
    table = Table(
        "way", "calibrated with", "users", *(f"{slip} mm" for slip in slips), title=title, caption=note
    )
    for way, hows in result["ways"].items():
        for how, by_slip in hows.items():
            table.add_row(way, how, str(by_slip["0"]["users"]), *(_cell(by_slip[slip]) for slip in slips))
    Console(width=_WIDTH).print(table)


def _cell(found: Mapping[str, Any]) -> str:
    mean, sd = found["difference"]
    scatter = "" if sd is None else f" ± {sd:.2f}"
    return f"{found['mean_deg']:.2f} ({found['median_deg']:.2f}); {mean:+.2f}{scatter}"


_WIDTH = 150  # of the table, also where it is piped
