"""The ladder of `psog bench domains`: the source alone, what adapts without labels, the target's labels.

A way is a network for each test user; all but "own minute" give every user the same one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from psog.episodes import Episodes
from psog.headset import Headset
from psog.net.adapt import adaptation_config, trainable
from psog.net.architecture import Architecture, Convolution
from psog.net.domain.align import Alignment, align
from psog.net.domain.methods import METHODS, Method
from psog.net.integer import IntegerNet, Normalisation
from psog.net.loop import Objective, TrainingConfig, fit, seeded
from psog.net.normalise import fit_normalisation, to_steps
from psog.net.objectives import OPEN_ENOUGH, RowObjective
from psog.net.sources import Source
from psog.net.store import Model
from psog.net.training import finish, objective_on, train
from psog.recording import Recording

SOURCE, LONGER, ORACLE = "source only", "source, longer", "oracle"
OWN: dict[str, Method] = {"standardise, own minute": "standardise", "gain, own minute": "gain"}
SMALL = Architecture((Convolution(8),), (48,), features=16, planes=2)
"""A small network: what is compared is how it was trained."""
_QUERIES = 32
_ROWS_PER_BATCH, _NOISE_COUNTS = 256, 0.5  # as psog bench recordings


@dataclass(frozen=True)
class Trainer:
    """A source and how long networks are trained on it, and further.

    Attributes:
        labelled: episodes of the source.
        steps, further: of the first training, and of every way that trains on.
        seed: of weights and batches.
    """

    headset: Headset
    labelled: Episodes
    steps: int
    further: int
    seed: int

    def parent(self) -> Model:
        """The source's network."""
        config = TrainingConfig(steps=self.steps, seed=self.seed, architecture=SMALL, queries=_QUERIES)
        return Model(*train(self.labelled, self.headset, config))

    @property
    def config(self) -> TrainingConfig:
        """Of every way that trains on."""
        return replace(
            adaptation_config(self.further, self.seed), queries=_QUERIES, rows_per_batch=_ROWS_PER_BATCH
        )

    def longer(self, parent: Model) -> IntegerNet:
        """The parent after as many more steps on its source: what the other ways are to be better than."""
        return self.on_episodes(parent, self.labelled, parent.net.normalisation)

    def on_episodes(self, parent: Model, episodes: Episodes, normalisation: Normalisation) -> IntegerNet:
        """The parent, trained further on labelled episodes whose readings are seen so."""
        objective = objective_on(episodes, self.headset, normalisation, self.config)
        return self._on(parent, normalisation, objective)

    def on_rows(
        self,
        parent: Model,
        readings: NDArray[np.float32],
        gaze_deg: NDArray[np.float32],
        normalisation: Normalisation | None = None,
    ) -> IntegerNet:
        """The same on labelled readings (n, sensors) counts; they are normalised anew unless told how."""
        wire = readings * np.float32(self.headset.wire_scale)
        seen = normalisation or fit_normalisation(wire, planes=SMALL.planes)
        steps_per_wire = torch.from_numpy(seen.multiplier * 2.0**-seen.shift).float()
        objective = RowObjective(
            steps=torch.from_numpy(to_steps(seen, wire)),
            gaze_deg=torch.from_numpy(gaze_deg),
            noise_steps=steps_per_wire * _NOISE_COUNTS * self.headset.wire_scale,
            rows_per_batch=_ROWS_PER_BATCH,
            generator=seeded(self.seed),
        )
        return self._on(parent, seen, objective)

    def refitted(self, episodes: Episodes) -> Normalisation:
        """A normalisation of the open eyes in these episodes."""
        wire = episodes.readings[episodes.openness >= OPEN_ENOUGH] * np.float32(self.headset.wire_scale)
        return fit_normalisation(wire, planes=SMALL.planes)

    def without_labels(
        self, parent: Model, sources: Sequence[Source], *, at_rest: bool = True
    ) -> Iterator[tuple[str, IntegerNet]]:
        """Every method, and the one made for regression after standardisation."""
        for method in METHODS:
            yield method, self._aligned(parent, sources, Alignment(method, at_rest=at_rest))
        both = Alignment("dare-gram", standardise_first=True, at_rest=at_rest)
        yield "standardise, then dare-gram", self._aligned(parent, sources, both)

    def own_minute(
        self, parent: Model, recordings: Sequence[Recording], method: Method, *, at_rest: bool = True
    ) -> list[IntegerNet]:
        """The parent with its inputs mapped by each test user's own readings."""
        how = Alignment(method, at_rest=at_rest)
        return [self._aligned(parent, [Source(Path("own"), one)], how) for one in recordings]

    def _aligned(self, parent: Model, sources: Sequence[Source], how: Alignment) -> IntegerNet:
        return align(parent, sources, self.headset, self.config, how, labelled=self.labelled)[0]

    def _on(self, parent: Model, normalisation: Normalisation, objective: Objective) -> IntegerNet:
        net = trainable(parent, replace(parent.net, normalisation=normalisation))
        return finish(net, self.config, fit(net, objective, self.config), {})[0]
