"""The headset's stage: a population's network, trained further on people who wore the headset that was built.

A real headset is not what its file says: parts sit and aim a little elsewhere, lobes and gains differ. The
whole network learns that from a few people's recordings, still through the ridge solve that will fit the
head to the next one (psog.net.objectives). Simulated users in between keep it from learning those few people
instead: docs/transfer.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from psog.episodes import Episodes
from psog.errors import ModelError
from psog.headset import Headset
from psog.net.adapt_episodes import episodes_of, wearers_of
from psog.net.adapt_objective import MixedObjective
from psog.net.adapt_pruned import hold_pruned, pruning_of
from psog.net.checkpoint import Checkpoint
from psog.net.convert import from_integer
from psog.net.integer import IntegerNet, Normalisation
from psog.net.loop import ProgressCallback, TrainingConfig, fit
from psog.net.normalise import fit_normalisation
from psog.net.objectives import OPEN_ENOUGH, EpisodeObjective
from psog.net.qat import GazeNet
from psog.net.quantized_layer import QuantizedLayer
from psog.net.sources import Source
from psog.net.store import Model
from psog.net.training import finish, objective_on

FEWEST_WEARERS = 4
"""Below this even simulated users in between do not keep the network from learning people by heart; a weak
value."""


FEWEST_TO_REFIT = 8
"""People whose recordings a normalisation is fitted to, unless told otherwise: the range of fewer is too
narrow for others of the headset (docs/transfer.md). A weak value between four and ten, which were tried."""

Stage = Literal["headset", "fleet"]


@dataclass(frozen=True)
class Adaptation:
    """How a network is trained further.

    Attributes:
        simulated_share: of the steps, on simulated users of the headset's file.
        normalisation: of readings: the parent's ("keep"), or one fitted to the recordings of each headset
            ("refit"); "auto" is the latter for one headset that FEWEST_TO_REFIT people have recorded with.
    """

    simulated_share: float = 0.5
    normalisation: Literal["auto", "keep", "refit"] = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.simulated_share < 1:
            raise ModelError(
                f"share of simulated users is {self.simulated_share:g}; expected 0 or more, below 1"
            )


def adaptation_config(steps: int, seed: int, learning_rate: float = 1e-3) -> TrainingConfig:
    """A run that begins with a network which already gains from a calibration.

    Args:
        learning_rate: at the start; 3e-3 was worse on two simulated headsets (docs/transfer.md).
    """
    return TrainingConfig(steps=steps, seed=seed, learning_rate=learning_rate, warm_up=0.0)


def adapt(
    parent: Model,
    sources: Sequence[Source],
    headset: Headset,
    config: TrainingConfig,
    how: Adaptation,
    *,
    simulated: Episodes | None = None,
    progress: ProgressCallback | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[IntegerNet, dict[str, Any]]:
    """A network for one headset, from a population's and recordings of several people.

    What pruning removed from the parent stays removed; its embedding is trained on.

    Args:
        sources: with gaze; users of different recordings are different people.
        config: as `adaptation_config` makes it.
        simulated: episodes of the headset's file, where `how` has a share for them.
        checkpoint: of this run (`unfinished`), to go on from after a stop.
    Returns:
        The integers, and a report as of psog.net.training.train.
    Raises:
        ModelError: the model is of another headset, or says of its pruning what cannot be; too few people,
            no simulated users where some are asked for; or a run that diverged.
        RecordingError: a recording of another headset, without gaze, with readings that are not numbers, or
            with a saturated sensor.
    """
    people = wearers_of(parent.net, headset, sources)
    if len(people) < FEWEST_WEARERS:
        raise ModelError(
            f"cannot adapt to {len(people)} users who fixate often enough; at least {FEWEST_WEARERS} "
            "expected; record more people"
        )
    if how.normalisation == "auto":
        how = replace(how, normalisation="refit" if len(people) >= FEWEST_TO_REFIT else "keep")
    recorded = episodes_of(people, headset, config.seed)
    normalisation = parent.net.normalisation
    if how.normalisation == "refit":
        normalisation = fitted(recorded, headset, normalisation.planes)
    run = Further(parent, "headset", headset, config, how, simulated)
    data = {
        "files": [source.told() for source in sources],
        "users": len(people),
        "poses": sum(map(len, people)),
    }
    objective = objective_on(recorded, headset, normalisation, config)
    return run.on(objective, normalisation, normalisation, data, progress=progress, checkpoint=checkpoint)


@dataclass(frozen=True)
class Further:
    """A stage after the population's, whatever was recorded for it.

    Attributes:
        simulated: episodes of the headset's file, where `how` has a share for them.
    """

    parent: Model
    stage: Stage
    headset: Headset
    config: TrainingConfig
    how: Adaptation
    simulated: Episodes | None

    def on(
        self,
        recorded: EpisodeObjective,
        normalisation: Normalisation,
        of_simulated: Normalisation,
        data: Mapping[str, Any],
        *,
        progress: ProgressCallback | None,
        checkpoint: Checkpoint | None,
    ) -> tuple[IntegerNet, dict[str, Any]]:
        """Train on what was recorded, and on simulated users in between.

        Args:
            normalisation: that the network gets.
            of_simulated: that simulated readings are learnt from with.
            data: what the report says of the recordings.
        """
        config, users, simulated = self.config, 0, None
        if self.how.simulated_share > 0:
            if self.simulated is None:
                raise ModelError(
                    f"a share of {self.how.simulated_share:g} goes to simulated users, and none are given"
                )
            users = len(self.simulated.readings)
            simulated = objective_on(self.simulated, self.headset, of_simulated, config)
        net = trainable(self.parent, replace(self.parent.net, normalisation=normalisation))
        objective = MixedObjective.of(recorded, simulated, self.how.simulated_share)
        happened = fit(net, objective, config, progress, checkpoint)
        told = {"kind": "recordings", **data, "simulated_users": users, **asdict(self.how)}
        made, report = finish(net, config, happened, told)
        origin = {"stage": self.stage, "parent": self.parent.origin}
        return made, {**report, **origin, **pruning_of(self.parent)}


def unfinished(
    model: Path,
    parent: Model,
    sources: Sequence[Source],
    headset: Headset,
    config: TrainingConfig,
    *,
    how: Adaptation,
    simulated_users: int,
    units: Sequence[str] = (),
) -> Checkpoint:
    """The checkpoint of the adaptation that makes `model`.

    Args:
        units: of the fleet's stage: the name of each source's headset.
    """
    decides = config.to_json()
    del decides["learning_rate"]  # a run that diverged goes on with a lower one
    made_from = {
        "headset": headset.model_dump(mode="json"),
        "parent": parent.origin,
        "files": [source.told() for source in sources],
        "units": list(units),
        "simulated_users": simulated_users,
        **asdict(how),
        **decides,
    }
    return Checkpoint(model, made_from)


def trainable(parent: Model, source: IntegerNet) -> GazeNet:
    """A network ready to be trained further: in float, with what was pruned from its parent held at zero.

    Ranges of activations are found anew once it rounds.

    Args:
        source: the parent's network, or one with the same weights.
    """
    net = from_integer(source)
    net.quantized = False
    for layer in net.layers:
        assert isinstance(layer, QuantizedLayer)
        layer.output.frozen = False
        layer.output.seen.fill_(False)
    hold_pruned(net, parent)
    return net


def fitted(recorded: Episodes, headset: Headset, planes: int) -> Normalisation:
    """The normalisation of what a headset read of open eyes in these episodes."""
    wire = recorded.readings[recorded.openness >= OPEN_ENOUGH] * np.float32(headset.wire_scale)
    return fit_normalisation(wire, planes=planes)
