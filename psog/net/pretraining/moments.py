"""Positives from recordings without gaze, and how batches are drawn from positives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from psog.data_quality import stretches
from psog.errors import RecordingError, ShapeError
from psog.headset import Headset
from psog.net.integer import Normalisation
from psog.net.normalise import to_steps
from psog.net.pretraining.still import resting
from psog.net.sources import Source
from psog.positives import Positives
from psog.recording import Recording

VIEWS = 4
"""Taken of a fixation, evenly: neighbours at 1 kHz differ by their noise alone."""
FEWEST_OF_ONE = 16
"""Fixations of a wearer, so that their mean in a batch says who looks; a weak value."""
FEWEST_MOMENTS = 100
"""In all; below this a network learns them by heart. A weak value."""


def fixations_of(sources: Sequence[Source], headset: Headset) -> Positives:
    """Every fixation of everybody who fixates often enough, as readings show it (psog.net.pretraining.still).

    Users of different recordings are different people. Gaze and events are not looked at.

    Raises:
        RecordingError: a recording of another headset, readings that are not numbers, or too few fixations.
    """
    views: list[NDArray[np.float32]] = []
    wearers: list[int] = []
    found = 0
    for source in sources:
        try:
            _check(source.recording, headset)
        except RecordingError as error:
            raise RecordingError(f"cannot learn from {source.path}: {error}") from error
        for of_wearer in _by_wearer(source.recording):
            found += len(of_wearer)
            if len(of_wearer) >= FEWEST_OF_ONE:
                number = wearers[-1] + 1 if wearers else 0
                wearers += [number] * len(of_wearer)
                views += of_wearer
    if len(views) < FEWEST_MOMENTS:
        raise RecordingError(
            f"cannot pretrain on {found} fixations, {len(views)} of wearers with at least {FEWEST_OF_ONE}; "
            f"at least {FEWEST_MOMENTS} expected; record for longer"
        )
    return Positives(headset.name, np.stack(views), np.array(wearers))


def _check(recording: Recording, headset: Headset) -> None:
    recording.check_headset(headset)
    broken = np.argwhere(~np.isfinite(recording.readings))
    if broken.size:
        row, sensor = broken[0]
        raise RecordingError(f"sensor {sensor} is not a number in row {row}; remove the row")


def _by_wearer(recording: Recording) -> Iterator[list[NDArray[np.float32]]]:
    """(VIEWS, sensors) readings of each fixation, wearer by wearer."""
    _, users = stretches(recording)
    found: dict[str, list[NDArray[np.float32]]] = {user: [] for user in users}
    for stretch, rows in resting(recording):
        chosen = np.linspace(rows.start, rows.stop - 1, VIEWS).round().astype(np.int64)
        found[users[stretch]].append(recording.readings[chosen])
    return iter(found.values())


def joined_positives(parts: Sequence[Positives]) -> Positives:
    """Positives of different wearers as one; at least one part.

    Raises:
        ShapeError: they are of different headsets or have other numbers of views.
    """
    first = parts[0]
    if any(p.headset != first.headset or p.readings.shape[1:] != first.readings.shape[1:] for p in parts):
        shapes = ", ".join(f"{p.headset} {p.readings.shape[1:]}" for p in parts)
        raise ShapeError(f"cannot join positives of {shapes}; expected one headset and as many views")
    offsets = np.cumsum([0, *(int(part.wearer[-1]) + 1 for part in parts[:-1])])
    return Positives(
        first.headset,
        np.concatenate([part.readings for part in parts]),
        np.concatenate([part.wearer + offset for part, offset in zip(parts, offsets, strict=True)]),
    )


@dataclass(frozen=True)
class Batches:
    """Draws two views of some moments of some wearers.

    Attributes:
        steps: (moments, views, sensors) readings in input steps.
        begins, counts: (wearers,) of each wearer's moments.
    """

    steps: Tensor
    begins: Tensor
    counts: Tensor

    @classmethod
    def of(cls, positives: Positives, headset: Headset, normalisation: Normalisation) -> Batches:
        """Of readings as this normalisation gives them."""
        wire = positives.readings * np.float32(headset.wire_scale)
        _, begins, counts = np.unique(positives.wearer, return_index=True, return_counts=True)
        return cls(
            torch.from_numpy(to_steps(normalisation, wire)),
            torch.from_numpy(begins),
            torch.from_numpy(counts),
        )

    def draw(self, wearers: int, moments: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Two views, (wearers, moments, sensors) each.

        A wearer's moments are spread over all of theirs, and different ones if there are as many.
        """
        who = torch.randint(len(self.begins), (wearers, 1), generator=generator)
        place = (torch.arange(moments) + torch.rand(wearers, moments, generator=generator)) / moments
        count = self.counts[who]
        moment = self.begins[who] + (place * count).long().clamp(max=count - 1)
        views = self.steps.shape[1]
        first = torch.randint(views, moment.shape, generator=generator)
        second = (first + torch.randint(1, views, moment.shape, generator=generator)) % views
        return self.steps[moment, first], self.steps[moment, second]
