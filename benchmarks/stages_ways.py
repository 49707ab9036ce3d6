"""The ways through the stages that `psog bench stages` compares: which network, at how many steps in all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psog.episodes import Episodes
from psog.headset import Headset
from psog.net.adapt import Adaptation, adapt, adaptation_config
from psog.net.adapt_episodes import episodes_of, wearers_of
from psog.net.loop import TrainingConfig
from psog.net.sources import Source
from psog.net.store import Model
from psog.net.training import train
from psog.recording import Recording

POPULATION, REFERENCE = "population", "population, longer"


@dataclass(frozen=True)
class Steps:
    """Of the population's stage, and how many more every way takes that is compared."""

    population: int
    further: int

    @property
    def in_all(self) -> int:
        return self.population + self.further


def population_ways(headset: Headset, episodes: Episodes, steps: Steps, seed: int) -> dict[str, Model]:
    """What knows no headset but the one of the file: trained for the first stage's steps, and for all."""
    return {
        name: Model(*train(episodes, headset, TrainingConfig(steps=count, seed=seed)))
        for name, count in ((POPULATION, steps.population), (REFERENCE, steps.in_all))
    }


def headset_ways(
    parent: Model, people: Recording, headset: Headset, *, episodes: Episodes, steps: Steps, seed: int
) -> Iterator[tuple[str, Model]]:
    """What has learnt from people who wore the headset that was built, without and with a first stage."""
    sources = [Source(Path("people"), people)]
    recorded = episodes_of(wearers_of(parent.net, headset, sources), headset, seed)
    alone = TrainingConfig(steps=steps.in_all, seed=seed)
    yield "headset only", Model(*train(recorded, headset, alone))
    config = adaptation_config(steps.further, seed)
    for name, share in (("headset", 0.0), ("headset and simulated users", Adaptation.simulated_share)):
        made = adapt(parent, sources, headset, config, Adaptation(share), simulated=episodes)
        yield f"{POPULATION} → {name}", Model(*made)
