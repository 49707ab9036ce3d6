"""The fleet's stage: a population's network, trained further on people who wore several headsets of a design.

Every headset that was built errs in its own way. A network that has seen several of them has learnt what
building gets wrong, and the calibration solve then meets a new one as one more (docs/transfer.md). The stage
stands between the population's and that of one headset, or in place of the latter while nobody has recorded
with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from psog.episodes import Episodes
from psog.errors import ModelError, RecordingError
from psog.headset import Headset
from psog.net.adapt import Adaptation, Further, fitted
from psog.net.adapt_episodes import Wearer, episodes_of, most_poses, wearers_of
from psog.net.adapt_objective import merged
from psog.net.checkpoint import Checkpoint
from psog.net.integer import IntegerNet, Normalisation
from psog.net.loop import ProgressCallback, TrainingConfig
from psog.net.sources import Source
from psog.net.store import Model
from psog.net.training import objective_on
from psog.recording import Recording

FEWEST_UNITS = 2
FEWEST_OF_A_UNIT = 2
"""People: a normalisation fitted to one would be that person's. A weak value."""
UNIT = "unit"
"""What a recording's provenance calls the headset, of several of a design, that it was made with."""
_SAME_RATE = 1.1  # a converter's clock is off by far less, another setting by far more; a weak value


@dataclass(frozen=True)
class Unit:
    """One headset that was built, and what was recorded with it.

    Attributes:
        headset: the file of its design.
        sources: at least one.
    """

    name: str
    headset: Headset
    sources: Sequence[Source]

    def told(self, people: Sequence[Wearer]) -> dict[str, Any]:
        """As models tell it, JSON types only."""
        return {
            "design": self.headset.name,
            "files": [source.told() for source in self.sources],
            "users": len(people),
            "poses": sum(map(len, people)),
        }


def units_of(sources: Sequence[Source], headset: Headset, others: Sequence[Headset] = ()) -> list[Unit]:
    """The headsets that these recordings were made with, in the order in which they come.

    A recording's provenance names its headset ("unit"); where it does not, the folder that the recording lies
    in does.

    Args:
        headset: the design that a network is wanted for.
        others: further designs whose recordings may be among them.
    Raises:
        ModelError: another design whose sensors lie on another grid; or fewer than two headsets.
        RecordingError: a recording of none of these designs, or a headset with recordings of two.
    """
    designs = {design.name: design for design in (*others, headset)}
    for other in others:
        if other.layout != headset.layout:
            raise ModelError(
                f"cannot merge recordings of {other.name!r}: its sensors do not lie on the grid of "
                f"{headset.name!r}, which the network expects; leave them out"
            )
    found: dict[str, list[Source]] = {}
    for source in sources:
        if source.recording.headset not in designs:
            raise RecordingError(
                f"cannot merge {source.path}: it is of headset {source.recording.headset!r}, expected "
                f"{' or '.join(map(repr, designs))}; leave it out, or name its file with --designs"
            )
        found.setdefault(unit_name(source), []).append(source)
    if len(found) < FEWEST_UNITS:
        raise ModelError(
            f"all recordings are of one headset, {next(iter(found), 'none')!r}; a fleet is at least "
            f"{FEWEST_UNITS}: put those of each into a folder of its own, or leave out --stage fleet"
        )
    return [Unit(name, designs[_only_design(name, own)], own) for name, own in found.items()]


def unit_name(source: Source) -> str:
    """Of the headset that a recording was made with."""
    told = source.recording.provenance.get(UNIT)
    return told if isinstance(told, str) and told else source.path.resolve().parent.name


def _only_design(name: str, sources: Sequence[Source]) -> str:
    first, *rest = dict.fromkeys(source.recording.headset for source in sources)
    if rest:
        raise RecordingError(
            f"headset {name!r} has recordings of two designs, {first!r} and {rest[0]!r}; expected one; put "
            "those of each headset into a folder of its own"
        )
    return first


def adapt_fleet(
    parent: Model,
    units: Sequence[Unit],
    headset: Headset,
    config: TrainingConfig,
    how: Adaptation,
    *,
    simulated: Episodes | None = None,
    progress: ProgressCallback | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[IntegerNet, dict[str, Any]]:
    """A network for headsets of a design that were never recorded with, from several that were.

    With `how.normalisation` "refit" readings of each headset are normalised by a fit to its own, simulated
    ones as the parent has it; the network gets the mean of the headsets'.

    Args:
        units: as `units_of` makes them.
        headset: the design; otherwise as psog.net.adapt.adapt.
    Returns:
        As psog.net.adapt.adapt; "data" tells files, users and poses of each headset.
    Raises:
        ModelError, RecordingError: as psog.net.adapt.adapt; or a headset has too few people, or recordings
            have different rates.
    """
    if how.normalisation == "auto":
        how = replace(how, normalisation="keep")
    _check_rates([source for unit in units for source in unit.sources])
    people = [_people(parent.net, unit) for unit in units]
    poses = max(map(most_poses, people))
    usual = parent.net.normalisation
    parts, normalisations = [], []
    for unit, own in zip(units, people, strict=True):
        recorded = episodes_of(own, unit.headset, config.seed, poses)
        refit = how.normalisation == "refit"
        normalisations.append(fitted(recorded, unit.headset, usual.planes) if refit else usual)
        parts.append(objective_on(recorded, unit.headset, normalisations[-1], config))
    data = {
        "headsets": {unit.name: unit.told(own) for unit, own in zip(units, people, strict=True)},
        "users": sum(map(len, people)),
        "poses": sum(len(poses) for own in people for poses in own),
    }
    run = Further(parent, "fleet", headset, config, how, simulated)
    return run.on(
        merged(parts), typical(normalisations), usual, data, progress=progress, checkpoint=checkpoint
    )


def typical(of_units: Sequence[Normalisation]) -> Normalisation:
    """The mean of several, at least one, of as many planes each."""
    shift = min(each.shift for each in of_units)
    multipliers = [each.multiplier * 2.0 ** (shift - each.shift) for each in of_units]
    multiplier = np.maximum(np.rint(np.mean(multipliers, axis=0)), 1).astype(np.int32)
    offset = np.rint(np.mean([each.offset for each in of_units], axis=0)).astype(np.int32)
    return Normalisation(offset, multiplier, shift, of_units[0].planes)


def _people(net: IntegerNet, unit: Unit) -> list[Wearer]:
    """Who wore a headset; those of another design are read by the same grid."""
    people = wearers_of(replace(net, headset=unit.headset.name), unit.headset, unit.sources)
    if len(people) < FEWEST_OF_A_UNIT:
        raise ModelError(
            f"cannot merge headset {unit.name!r}: {len(people)} of its users fixate often enough, at least "
            f"{FEWEST_OF_A_UNIT} expected; record more people with it, or leave it out"
        )
    return people


def _check_rates(sources: Sequence[Source]) -> None:
    """Raise unless all were recorded at one rate: noise, and how long a sample is, go with it."""
    rates_hz = [(rate_hz(source.recording), source) for source in sources if len(source.recording) > 1]
    if not rates_hz:
        return
    (low, slow), (high, fast) = (pick(rates_hz, key=lambda each: each[0]) for pick in (min, max))
    if high > _SAME_RATE * low:
        raise RecordingError(
            f"cannot merge {slow.path} at {low:.0f} Hz and {fast.path} at {high:.0f} Hz; expected one rate; "
            "leave one out or record it again"
        )


def rate_hz(recording: Recording) -> float:
    """Of most of its at least two rows."""
    return float(1e6 / np.median(np.abs(np.diff(recording.t_us)).clip(min=1)))
