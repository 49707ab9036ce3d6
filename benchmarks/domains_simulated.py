"""Scenarios of `psog bench domains` whose target is simulated as well: another device, other people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from psog.benchmarks.domains_ways import LONGER, ORACLE, OWN, SOURCE, Trainer
from psog.benchmarks.stages_headset import Built, as_designed, built
from psog.episodes import Episodes
from psog.headset import Headset
from psog.net.adapt import Adaptation, adapt
from psog.net.calibrated import int8_features
from psog.net.evaluation import noisy_wire
from psog.net.gaze_errors import gaze_errors
from psog.net.integer import IntegerNet
from psog.net.sources import Source
from psog.net.store import Model
from psog.recording import Recording
from psog.sim.episodes import make_episodes
from psog.sim.people import Population, Range
from psog.sim.streams import stream

AGED = (0.6, 1.0)
"""Light that LEDs still give: end of life is usually declared at 0.7; a weak value."""
DARKER = Population(skin=Range(0.25, 0.40), sclera=Range(0.30, 0.55))
"""People beyond the range that the source has (psog.sim.people): a skin model that is wrong; weak values."""
FEW = 4
"""People whose gaze is known, a minute each: as few as psog adapt takes."""
SLIPS_MM = (0.0, 1.0)
MEASURES = ("not calibrated", "9 points", "9 points, then 1 mm")
_BUILD_SEED, _AGE_SEED, _TEST_SEED, _PEOPLE_SEED, _ORACLE_SEED = 100, 5, 300, 200, 400
_WEAR_S = 60.0

Errors = dict[str, list[float]]
"""Of each measure, a test user's mean each, degrees."""


@dataclass(frozen=True)
class Sizes:
    """Attributes:
    people: who wear the target without labels, a minute each.
    test_users: others.
    oracle_users: simulated, with labels.
    """

    people: int
    test_users: int
    oracle_users: int


def targets(headset: Headset) -> dict[str, tuple[str, Built, bool]]:
    """By name: what it is, the device and its people, and whether labels of it are tried too."""
    aged = stream(_AGE_SEED, "ageing").uniform(*AGED, headset.sensor_count).astype(np.float32)
    usual = as_designed(headset)
    return {
        "optics": (
            "parts beside their places and aims, other lobes and gains",
            built(headset, _BUILD_SEED),
            True,
        ),
        "ageing": (
            "emitters give 0.6 to 1 of their light, each its own share",
            replace(usual, gain=aged),
            True,
        ),
        "skin": ("darker skin and sclera than any in the source", replace(usual, population=DARKER), True),
        "same": ("the source itself: nothing is to be adapted", usual, False),
        "gaze": ("the source itself, but without labels people look to the right only", usual, False),
    }


def ladder(name: str, trainer: Trainer, parent: Model, sizes: Sizes) -> Iterator[tuple[str, Errors]]:
    """Every way on one target, judged on the same users of it."""
    _, worn, with_labels = targets(trainer.headset)[name]
    tested = _Tested(worn, sizes.test_users)
    look = _to_the_right if name == "gaze" else _around
    people = [
        Source(Path(f"person{k}"), look(worn.record_tested(k, _WEAR_S, _PEOPLE_SEED)))
        for k in range(sizes.people)
    ]
    own = [look(worn.record_tested(k, _WEAR_S, _TEST_SEED)) for k in range(sizes.test_users)]
    yield SOURCE, tested.errors([parent.net] * sizes.test_users)
    yield LONGER, tested.errors([trainer.longer(parent)] * sizes.test_users)
    for way, method in OWN.items():
        yield way, tested.errors(trainer.own_minute(parent, own, method))
    standard = parent
    for way, net in trainer.without_labels(parent, people):
        if way == "standardise":
            standard = replace(parent, net=net)
        yield way, tested.errors([net] * sizes.test_users)
    if with_labels:
        for way, net in _few_labels(trainer, parent, standard, people[:FEW]):
            yield way, tested.errors([net] * sizes.test_users)
        yield ORACLE, tested.errors([_oracle(trainer, parent, worn, sizes.oracle_users)] * sizes.test_users)


def _few_labels(
    trainer: Trainer, parent: Model, standard: Model, people: list[Source]
) -> Iterator[tuple[str, IntegerNet]]:
    """What the labels of a few people add, with and without standardisation before."""
    for way, begun, how in (
        (f"{FEW} people's labels", parent, Adaptation(0.5, "refit")),
        (f"standardise, then {FEW} people's labels", standard, Adaptation(0.5, "keep")),
    ):
        yield (
            way,
            adapt(begun, people, trainer.headset, trainer.config, how, simulated=trainer.labelled)[0],
        )


def _oracle(trainer: Trainer, parent: Model, worn: Built, users: int) -> IntegerNet:
    """The parent, trained further on many labelled users of the target."""
    episodes = make_episodes(worn.headset, users=users, seed=_ORACLE_SEED, population=worn.population)
    episodes = replace(episodes, readings=episodes.readings * worn.gain)
    return trainer.on_episodes(parent, episodes, trainer.refitted(episodes))


class _Tested:
    """Test users of a target: calibrated with 9 points, then not slipped, and after 1 mm."""

    def __init__(self, worn: Built, users: int) -> None:
        self._test = worn.test(users, _TEST_SEED, SLIPS_MM)
        self._wire = noisy_wire(self._test, worn.headset, _TEST_SEED)

    def errors(self, nets: list[IntegerNet]) -> Errors:
        """Of users, each with a network."""
        nine: NDArray[np.bool_] = np.ones(self._wire.shape[2], bool)
        found: Errors = {measure: [] for measure in MEASURES}
        for user, net in enumerate(nets):
            one = slice(user, user + 1)
            by = gaze_errors(net, int8_features, self._wire[one], _some(self._test, one), [~nine, nine])
            before, after = by.mean(axis=-1)[:, 0]
            for measure, mean in zip(MEASURES, (before[0], after[0], after[1]), strict=True):
                found[measure].append(round(float(mean), 4))
        return found


def _some(episodes: Episodes, users: slice) -> Episodes:
    return replace(
        episodes,
        readings=episodes.readings[users],
        gaze_deg=episodes.gaze_deg[users],
        openness=episodes.openness[users],
    )


def _around(recording: Recording) -> Recording:
    return recording


def _to_the_right(recording: Recording) -> Recording:
    rows = np.flatnonzero(recording.gaze_deg[:, 0] > 0)
    columns = {name: values[rows] for name, values in recording.columns.items()}
    return replace(recording, t_us=recording.t_us[rows], readings=recording.readings[rows], columns=columns)
