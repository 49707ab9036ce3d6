"""The ways through the stages that `psog bench multistage` compares, and what users of a new headset get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from psog.benchmarks.multistage_wearers import Wearers
from psog.benchmarks.stages_headset import as_designed, built
from psog.episodes import Episodes
from psog.headset import Headset, Point
from psog.net.adapt import Adaptation, adapt, adaptation_config
from psog.net.adapt_fleet import Unit, adapt_fleet
from psog.net.loop import TrainingConfig
from psog.net.sources import Source
from psog.net.store import Model
from psog.net.training import train
from psog.sim.episodes import make_episodes
from psog.sim.streams import derived_seed

if TYPE_CHECKING:
    from rich.console import Console

    from psog.benchmarks.multistage import Protocol

POPULATION, REFERENCE = "population", "population, longer"
DESIGNED = f"{REFERENCE}; headset as designed"
FLEET, HEADSET = f"{POPULATION} → fleet", f"{POPULATION} → headset"
BOTH = f"{FLEET} → headset"
SISTER = f"{POPULATION} → fleet of a sister design"
SISTER_MM = 2.0
"""Parts of the sister design lie so much further from the eye; a weak value."""


class Way(NamedTuple):
    """A network and what it has seen.

    Attributes:
        people: who recorded with the new headset.
    """

    name: str
    people: int
    model: Model


def seed_errors(headset: Headset, protocol: Protocol, seed: int, console: Console) -> list[dict[str, Any]]:
    """Every way at one seed.

    Returns:
        For each way and how its users calibrated: "way", "people", "calibration" and "errors_deg": of
        the first users, by slip, each the mean over a user's samples.
    """
    found: list[dict[str, Any]] = []

    def judge(way: Way, wearers: Wearers, *, tuned: bool = False) -> None:
        for calibration, errors in wearers.errors(way.model, tuned=tuned).items():
            found.append(
                {"way": way.name, "people": way.people, "calibration": calibration, "errors_deg": errors}
            )
            mean_deg = float(np.mean([row[0] for row in errors]))
            console.print(
                f"  {way.name}, {way.people} people, {calibration}: {mean_deg:.2f}°", highlight=False
            )

    new = built(headset, derived_seed(seed, "new headset"))
    test_seed = derived_seed(seed, "new headset's users")
    wearers = Wearers(new, protocol, test_seed)
    stages = _Stages(headset, protocol, seed)
    own = stages.recordings("new headset", new, max(protocol.own_people))
    for way in stages.ways(own):
        judge(way, wearers, tuned=way.name == HEADSET and way.people == max(protocol.own_people))
        if way.name == REFERENCE:
            judge(Way(DESIGNED, 0, way.model), Wearers(as_designed(headset), protocol, test_seed))
    return found


class _Stages:
    """What one seed's ways are made of."""

    def __init__(self, headset: Headset, protocol: Protocol, seed: int) -> None:
        self._headset, self._protocol, self._seed = headset, protocol, seed
        self._simulated: Episodes = make_episodes(headset, users=protocol.users, seed=seed)

    def recordings(self, name: str, worn: Any, people: int) -> list[Source]:
        """One of each of the people who wore a headset."""
        protocol = self._protocol
        whole = worn.record(
            people, protocol.people_s, derived_seed(self._seed, f"{name}'s people"), protocol.rate_hz
        )
        rows = len(whole) // people
        return [
            Source(Path(name, str(k)), whole.take(slice(k * rows, (k + 1) * rows))) for k in range(people)
        ]

    def ways(self, own: Sequence[Source]) -> Iterator[Way]:
        """All of them, each at as many steps as the others but for the first."""
        steps, further = self._protocol.steps, self._protocol.further
        population = self._population(steps)
        yield Way(POPULATION, 0, population)
        yield Way(REFERENCE, 0, self._population(steps + further))
        fleet = self._units(self._headset)
        yield Way(FLEET, 0, self._fleet(population, fleet, further))
        parent = self._fleet(population, fleet, further // 2)
        for people in self._protocol.own_people:
            yield Way(HEADSET, people, self._adapted(population, own[:people], further))
            yield Way(BOTH, people, self._adapted(parent, own[:people], further - further // 2))
        sisters = self._units(sister(self._headset))
        yield Way(SISTER, 0, self._fleet(population, sisters, further))

    def _population(self, steps: int) -> Model:
        config = TrainingConfig(steps=steps, seed=self._seed)
        return Model(*train(self._simulated, self._headset, config))

    def _units(self, design: Headset) -> list[Unit]:
        protocol, units = self._protocol, []
        for number in range(protocol.units):
            name = f"{design.name} {number}"
            worn = built(design, derived_seed(self._seed, name))
            units.append(Unit(name, design, self.recordings(name, worn, protocol.people)))
        return units

    def _fleet(self, parent: Model, units: Sequence[Unit], steps: int) -> Model:
        config = adaptation_config(steps, self._seed)
        how = Adaptation()
        return Model(*adapt_fleet(parent, units, self._headset, config, how, simulated=self._simulated))

    def _adapted(self, parent: Model, own: Sequence[Source], steps: int) -> Model:
        config = adaptation_config(steps, self._seed)
        return Model(*adapt(parent, own, self._headset, config, Adaptation(), simulated=self._simulated))


def sister(headset: Headset) -> Headset:
    """Another design with the same grid: its parts lie SISTER_MM further from the eye."""
    sensors = tuple(
        sensor.model_copy(
            update={"detector_mm": _further(sensor.detector_mm), "emitter_mm": _further(sensor.emitter_mm)}
        )
        for sensor in headset.sensors
    )
    return headset.model_copy(update={"name": f"{headset.name}-far", "sensors": sensors})


def _further(place_mm: Point) -> Point:
    x, y, z = place_mm
    return (x, y, z + SISTER_MM)
