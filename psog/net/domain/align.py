"""A network for a headset whose wearers were recorded without their gaze: labelled source, unlabelled target.

The source is labelled: simulated users of the headset's file. Of the target there are readings alone. Either
these are mapped to what the network was trained with (psog.net.domain.standardise), or training goes on, on
the source, with a loss that pulls the features of both domains together (psog.net.domain.discrepancies), or
both: then each domain has a normalisation of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from psog.data_quality import stretches
from psog.episodes import Episodes
from psog.errors import ModelError, RecordingError
from psog.headset import Headset
from psog.net.adapt import trainable
from psog.net.adapt_pruned import pruning_of
from psog.net.domain.methods import MAPS, WEIGHT, Method, feature_loss
from psog.net.domain.objective import AlignedObjective
from psog.net.domain.standardise import (
    WearStatistics,
    WearSums,
    by_means,
    exact_statistics,
    in_whole_numbers,
    pooled,
    slot_readings,
    standardised,
)
from psog.net.integer import IntegerNet
from psog.net.loop import ProgressCallback, TrainingConfig, fit
from psog.net.normalise import to_steps
from psog.net.objectives import OPEN_ENOUGH, EpisodeObjective
from psog.net.sources import Source
from psog.net.store import Model
from psog.net.training import finish, objective_on


@dataclass(frozen=True)
class Alignment:
    """How a network is adapted without labels.

    Attributes:
        method: of psog.net.domain.methods.
        standardise_first: map the target's readings, too, where the method is a loss on features.
        weight: of that loss; None for the method's own.
        at_rest: count only readings of an eye and a headset at rest; False for recordings in which the
            headset moves with every reading, and where all readings are of open eyes.
    """

    method: Method
    standardise_first: bool = False
    weight: float | None = None
    at_rest: bool = True

    def __post_init__(self) -> None:
        if self.weight is not None and not 0 < self.weight < np.inf:
            raise ModelError(f"weight of the features' loss is {self.weight:g}; expected more than 0")

    @property
    def maps_inputs(self) -> bool:
        return not self.trains or self.standardise_first

    @property
    def trains(self) -> bool:
        """Whether the method has steps."""
        return self.method not in MAPS


@dataclass(frozen=True)
class Target:
    """What the target's wearers read.

    Attributes:
        wire: (n, sensors) uint16 readings of open eyes.
        statistics: of the wearers together.
        wearers: how many.
    """

    wire: NDArray[np.uint16]
    statistics: WearStatistics
    wearers: int


def align(
    parent: Model,
    sources: Sequence[Source],
    headset: Headset,
    config: TrainingConfig,
    how: Alignment,
    *,
    labelled: Episodes,
    progress: ProgressCallback | None = None,
) -> tuple[IntegerNet, dict[str, Any]]:
    """A network for the target, from one of the source and recordings whose gaze is not looked at.

    Args:
        sources: of the target; every user's stretch is a wearer.
        config: as psog.net.adapt.adaptation_config makes it; not used by "standardise" but for its seed.
        labelled: episodes of the source, as the parent was trained on.
    Returns:
        The integers, and a report as of psog.net.training.train.
    Raises:
        ModelError: the model or the episodes are of another headset; or a run that diverged.
        RecordingError: a recording is of another headset, or too short, or has a sensor that is broken.
    """
    if not parent.net.headset == labelled.headset == headset.name:
        raise ModelError(
            f"cannot align: the model is for headset {parent.net.headset!r}, the labelled users wear "
            f"{labelled.headset!r}, expected {headset.name!r} for both"
        )
    of_source = source_statistics(labelled, headset)
    target = target_of(sources, headset, of_source, at_rest=how.at_rest)
    mapped = parent.net.normalisation
    if how.maps_inputs:
        seen = target.statistics
        mapped = standardised(mapped, of_source, by_means(of_source, seen) if how.method == "gain" else seen)
    data = {
        "kind": "unlabelled recordings",
        "files": [source.told() for source in sources],
        "wearers": target.wearers,
        "readings": len(target.wire),
        "labelled_users": len(labelled.readings),
        **asdict(how),
    }
    told = {"stage": "headset", "parent": parent.origin, **pruning_of(parent)}
    if not how.trains:
        net = replace(parent.net, normalisation=mapped)
        sizes = {"macs": net.macs, "parameters": net.parameters, "ridge": net.head.ridge}
        return net, {"training": {"steps": 0, "seed": config.seed}, "data": data, **sizes, **told}
    trained = trainable(parent, parent.net)
    objective = _objective(
        objective_on(labelled, headset, trained.normalisation, config),
        torch.from_numpy(to_steps(mapped, target.wire.astype(np.float32))),
        parent.net.feature_count,
        how,
    )
    made, report = finish(trained, config, fit(trained, objective, config, progress), data)
    return replace(made, normalisation=mapped), {**report, **told}


def _objective(labelled: EpisodeObjective, target: Tensor, features: int, how: Alignment) -> AlignedObjective:
    """What training on both domains minimises; target: (n, sensors) in input steps."""
    loss = feature_loss(how.method, features, labelled.config.seed)
    assert loss is not None
    return AlignedObjective(
        labelled=labelled,
        source=labelled.steps[labelled.openness >= OPEN_ENOUGH],
        target=target,
        noise_steps=labelled.noise_steps,
        loss=loss,
        weight=WEIGHT[how.method] if how.weight is None else how.weight,
        generator=labelled.generator,
    )


def target_of(
    sources: Sequence[Source], headset: Headset, of_source: WearStatistics, *, at_rest: bool = True
) -> Target:
    """Readings of open eyes, and the statistics of those who wore the headset.

    Raises:
        RecordingError: another headset, a reading that is not a number, or a wearer who wore it too briefly.
    """
    wire, statistics = [], []
    for source in sources:
        recording = source.recording
        recording.check_headset(headset)
        if not np.isfinite(recording.readings).all():
            raise RecordingError(f"cannot align to {source.path}: a reading is not a number; remove its row")
        stretch, _ = stretches(recording)
        slot = slot_readings(_rate_hz(recording.t_us, stretch))
        for number in np.unique(stretch):
            worn = headset.to_wire(recording.readings[stretch == number])
            try:
                found = _at_rest(worn, of_source, slot) if at_rest else (worn, exact_statistics(worn))
            except RecordingError as error:
                raise RecordingError(f"cannot align to {source.path}, stretch {number}: {error}") from error
            wire.append(found[0])
            statistics.append(found[1])
    if not wire:
        raise RecordingError("no recording of the target given, expected at least one")
    return Target(np.concatenate(wire), pooled(statistics), len(statistics))


def _at_rest(
    worn: NDArray[np.uint16], of_source: WearStatistics, slot: int
) -> tuple[NDArray[np.uint16], WearStatistics]:
    sums = WearSums(of_source, slot)
    counted = sums.add(worn)
    return worn[counted], sums.statistics()


def source_statistics(labelled: Episodes, headset: Headset) -> WearStatistics:
    """Of open eyes in episodes: every pose of every user is a stretch of wear."""
    wire = labelled.readings.astype(np.float64) * headset.wire_scale
    is_open = (labelled.openness >= OPEN_ENOUGH)[..., None]
    count = np.maximum(1, is_open.sum(axis=2))
    mean = (wire * is_open).sum(axis=2) / count
    variance = ((wire - mean[:, :, None]) ** 2 * is_open).sum(axis=2) / count
    worn = is_open.any(axis=(2, 3))
    return in_whole_numbers(mean[worn].mean(axis=0), np.sqrt(variance[worn].mean(axis=0)))


def _rate_hz(t_us: NDArray[np.int64], stretch: NDArray[np.int64]) -> float:
    apart_us = np.diff(t_us)[np.diff(stretch) == 0]
    return 1e6 / float(np.median(apart_us)) if len(apart_us) else 1.0
