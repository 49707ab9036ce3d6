"""Training a population network: on episodes through the device's ridge solve, or on plain recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from psog.episodes import Episodes
from psog.errors import ModelError
from psog.headset import Headset
from psog.net.architecture import standard
from psog.net.checkpoint import Checkpoint
from psog.net.convert import to_integer
from psog.net.integer import IntegerNet, Normalisation
from psog.net.loop import ProgressCallback, TrainingConfig, fit, seeded
from psog.net.normalise import check_readings, fit_normalisation, to_steps
from psog.net.objectives import OPEN_ENOUGH, EpisodeObjective, RowObjective
from psog.net.processes import ALONE, Team, check_divides
from psog.net.pruned import describe
from psog.net.qat import GazeNet, build

FEWEST_USERS = 20
"""Below this a population network learns its users instead of eyes."""

FEWEST_SAMPLES = 16
"""Per pose: a head is fitted to some of them."""

_ROWS_FOR_RANGE = 200_000  # quantiles of 0.05 % are steady with this many rows


def train(
    episodes: Episodes,
    headset: Headset,
    config: TrainingConfig,
    progress: ProgressCallback | None = None,
    checkpoint: Checkpoint | None = None,
    *,
    team: Team = ALONE,
    device: str = "cpu",
) -> tuple[IntegerNet, dict[str, Any]]:
    """A network for users never seen, trained through the solve that fits its head to them.

    Every step draws users, fits a head to a few noisy samples of each user's pose 0 as the device would,
    and lowers the error of that head on samples of all poses: the headset has slipped in between. The
    population's head and the ridge strength are learnt along the way.

    Args:
        checkpoint: of this run (`unfinished`), to go on from after a stop.
        team: the processes that train together. Each calls this with the same arguments and gets the same
            network; the same team gives the same bits, another one the same but for rounding.
        device: of torch, such as "cuda".
    Returns:
        The integers, and a report with "training", "data", "parent", "macs" and "parameters", and "pruning"
        (psog.net.pruned) after a run that pruned.
    Raises:
        ModelError: episodes of another headset, too few users, readings that are not numbers or saturated,
            users that the team cannot share out, or a run that diverged.
        LostProcessError: another process of the team has ended.
    """
    config = _with_architecture(config, headset)
    net, objective = prepare(episodes, headset, config, team=team, device=device)
    happened = fit(net, objective, config, progress, checkpoint)
    users, poses, samples = episodes.readings.shape[:3]
    data = {"kind": "episodes", "users": users, "poses": poses, "samples": samples, "seed": episodes.seed}
    return finish(net, config, happened, data)


def unfinished(model: Path, headset: Headset, config: TrainingConfig, data: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint of the run that trains `model`.

    Args:
        data: what decides the episodes, as JSON.
    """
    decides = _with_architecture(config, headset).to_json()
    del decides["learning_rate"]  # a run that diverged goes on with a lower one
    return Checkpoint(model, {"headset": headset.model_dump(mode="json"), **data, **decides})


def prepare(
    episodes: Episodes,
    headset: Headset,
    config: TrainingConfig,
    *,
    team: Team = ALONE,
    device: str = "cpu",
) -> tuple[GazeNet, EpisodeObjective]:
    """The untrained network and what `train` minimises: for whoever changes a network between two runs.

    Raises:
        ModelError: episodes that cannot be trained on, as `train` says.
    """
    _check_episodes(episodes, headset)
    check_divides(team.size, config.users_per_batch)
    config = _with_architecture(config, headset)
    wire = episodes.readings.astype(np.float32) * np.float32(headset.wire_scale)
    highest = _highest(headset)
    check_readings(wire.reshape(-1, headset.sensor_count), highest)
    open_rows = wire[episodes.openness >= OPEN_ENOUGH]  # a closed lid may clip; an open eye needs resolution
    assert config.architecture is not None
    normalisation = fit_normalisation(
        open_rows[:: max(1, len(open_rows) // _ROWS_FOR_RANGE)], highest, config.architecture.planes
    )
    net = build(config.architecture, headset, normalisation, config.seed).to(device)
    return net, objective_on(episodes, headset, normalisation, config, team=team)


def objective_on(
    episodes: Episodes,
    headset: Headset,
    normalisation: Normalisation,
    config: TrainingConfig,
    *,
    team: Team = ALONE,
) -> EpisodeObjective:
    """What a run on these episodes minimises, with readings as this normalisation gives them."""
    wire = episodes.readings.astype(np.float32) * np.float32(headset.wire_scale)
    steps_per_wire = normalisation.multiplier * 2.0**-normalisation.shift
    return EpisodeObjective(
        steps=torch.from_numpy(to_steps(normalisation, wire)),
        gaze_deg=torch.from_numpy(episodes.gaze_deg),
        openness=torch.from_numpy(episodes.openness),
        noise_steps=_noise_steps(steps_per_wire, episodes.noise_counts, headset),
        config=config,
        generator=seeded(config.seed),
        team=team,
    )


def train_plain(
    readings: NDArray[np.floating],
    gaze_deg: NDArray[np.floating],
    headset: Headset,
    config: TrainingConfig,
    progress: ProgressCallback | None = None,
    *,
    noise_counts: float | NDArray[np.float32] = 0.0,
) -> tuple[IntegerNet, dict[str, Any]]:
    """A network for labelled recordings without episodes: no user to fit, the head is trained with the rest.

    Args:
        readings: (n, sensors) ADC counts.
        gaze_deg: (n, 2).
        noise_counts: standard deviation of the noise added to every reading in training, or (sensors,).
    Returns, raises: as `train`.
    """
    if readings.shape != (len(gaze_deg), headset.sensor_count):
        raise ModelError(
            f"readings have shape {readings.shape}, expected ({len(gaze_deg)}, {headset.sensor_count}) "
            f"for headset {headset.name!r}"
        )
    config = _with_architecture(config, headset)
    wire = np.asarray(readings, np.float32) * np.float32(headset.wire_scale)
    assert config.architecture is not None
    normalisation = fit_normalisation(wire, _highest(headset), config.architecture.planes)
    net = build(config.architecture, headset, normalisation, config.seed)
    factor = torch.from_numpy(normalisation.multiplier * 2.0**-normalisation.shift).float()
    objective = RowObjective(
        steps=torch.from_numpy(to_steps(normalisation, wire)),
        gaze_deg=torch.from_numpy(np.asarray(gaze_deg, np.float32)),
        noise_steps=factor * torch.as_tensor(noise_counts) * headset.wire_scale,
        rows_per_batch=config.rows_per_batch,
        generator=seeded(config.seed),
    )
    happened = fit(net, objective, config, progress)
    return finish(net, config, happened, {"kind": "recordings", "rows": len(readings)})


def _highest(headset: Headset) -> int:
    """Wire value of a saturated converter."""
    return (headset.adc.full_scale - 1) * headset.wire_scale


def check_users(users: int) -> None:
    """Raise ModelError when there are too few users to train a population network on."""
    if users < FEWEST_USERS:
        raise ModelError(f"{users} users are too few to train on; at least {FEWEST_USERS} expected")


def _check_episodes(episodes: Episodes, headset: Headset) -> None:
    users, poses, samples, sensors = episodes.readings.shape
    if episodes.headset != headset.name or sensors != headset.sensor_count:
        raise ModelError(
            f"episodes are of headset {episodes.headset!r} with {sensors} sensors, expected "
            f"{headset.name!r} with {headset.sensor_count}; simulate episodes of this headset"
        )
    check_users(users)
    if poses < 2 or samples < FEWEST_SAMPLES:
        raise ModelError(
            f"episodes have {poses} poses of {samples} samples; at least 2 poses of {FEWEST_SAMPLES} expected"
        )
    if not (np.isfinite(episodes.gaze_deg).all() and np.isfinite(episodes.openness).all()):
        raise ModelError("episodes have a gaze or openness that is not a number; simulate them again")


def _with_architecture(config: TrainingConfig, headset: Headset) -> TrainingConfig:
    return config if config.architecture else replace(config, architecture=standard(headset))


def _noise_steps(
    steps_per_wire: NDArray[np.floating], noise_counts: NDArray[np.float32], headset: Headset
) -> Tensor:
    """(sensors,) SD of one reading in input steps: electronics, and rounding to counts (1/12 count²)."""
    noise = np.sqrt(noise_counts.astype(np.float64) ** 2 + 1 / 12)
    return torch.from_numpy((noise * headset.wire_scale * steps_per_wire).astype(np.float32))


def finish(
    trained: GazeNet, config: TrainingConfig, happened: dict[str, Any], data: dict[str, Any]
) -> tuple[IntegerNet, dict[str, Any]]:
    """The integers of a trained network and the report of its run.

    Args:
        happened: as psog.net.loop.fit returns it; data: what it was trained on.
    """
    net = to_integer(trained.cpu())
    history = happened.pop("history")
    report: dict[str, Any] = {
        "stage": "population",
        "training": {**config.to_json(), **happened},
        "data": data,
        "parent": None,
        "macs": net.macs,
        "parameters": net.parameters,
        "ridge": net.head.ridge,
        "history": history,
    }
    if config.pruning is not None:
        report["pruning"] = describe(trained, net, config.pruning.patterns)
    return net, report
