"""The run that pretrains a network without labels, and stops when its features collapse."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from psog.errors import ModelError
from psog.headset import Headset
from psog.net.architecture import OPENNESS, Architecture, standard
from psog.net.checkpoint import Checkpoint
from psog.net.convert import to_integer
from psog.net.integer import IntegerNet
from psog.net.loop import seeded
from psog.net.normalise import fit_normalisation
from psog.net.pretraining.collapse import CollapsedError, Health, health_of
from psog.net.pretraining.methods import Method, MethodName, method_named
from psog.net.pretraining.moments import FEWEST_MOMENTS, Batches
from psog.net.pretraining.state import PretrainingRun
from psog.net.qat import GazeNet, build
from psog.positives import Positives

CHECK_EVERY = 25
"""Steps between two looks at the features; the last good state is from the look before."""
_RANGE_BATCHES = 100  # two time constants of the running activation ranges
_RISE = 100  # steps over which the learning rate rises from zero


@dataclass(frozen=True)
class PretrainingConfig:
    """How to pretrain. The result depends on positives, configuration and seed alone.

    Attributes:
        architecture: the headset's standard network when None.
        learning_rate: of Soap at the start; it falls to zero along half a cosine.
        wearers_per_batch, moments_per_wearer: of a step; each moment in two views.
    """

    method: MethodName = "barlow-twins"
    steps: int = 2000
    seed: int = 0
    architecture: Architecture | None = None
    learning_rate: float = 3e-3
    wearers_per_batch: int = 16
    moments_per_wearer: int = 32

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ModelError(f"cannot pretrain for {self.steps} steps; expected at least 1")
        if not 0 < self.learning_rate < math.inf:
            raise ModelError(f"learning rate is {self.learning_rate}; expected a number above 0")
        if not 0 <= self.seed < 1 << 63:
            raise ModelError(f"seed is {self.seed}; expected 0 or more, below 2^63")
        if self.wearers_per_batch < 1 or self.moments_per_wearer < 2:
            raise ModelError(
                f"a batch has {self.moments_per_wearer} moments of {self.wearers_per_batch} wearers; at "
                "least 2 of 1 expected"
            )

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Progress:
    """Where a run stands: fraction 0 … 1, step, loss of the last batch, and how its features are."""

    fraction: float
    step: int
    loss: float
    health: Health


def pretrain(
    positives: Positives,
    headset: Headset,
    config: PretrainingConfig,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Checkpoint | None = None,
    *,
    data: Mapping[str, Any] | None = None,
    method: Method | None = None,
) -> tuple[IntegerNet, dict[str, Any]]:
    """A network whose features tell gazes apart and hold still in all else, from readings without gaze.

    Its head knows no gaze: it is zero (and says "open" of every eye) until a calibration or the next stage
    fits it; an embedding is there and tells nothing yet.

    Args:
        checkpoint: of this run (`unfinished`), to go on from after a stop, or from the last good state after
            a collapse.
        data: what the report says of the positives.
        method: instead of the one that `config` names.
    Returns:
        The integers, and a report as of psog.net.training.train, with the stage "pretrained".
    Raises:
        ModelError: positives of another headset, too few moments, readings that are not numbers or saturated.
        CollapsedError: the features became the same for all moments, or the loss no number; the last good
            state is kept in the checkpoint.
    """
    config = config if config.architecture else replace(config, architecture=standard(headset))
    net, batches = _prepare(positives, headset, config)
    method = method or method_named(config.method, net, seeded(config.seed))
    run = PretrainingRun(net, method, batches, seeded(config.seed), config)
    if checkpoint is not None:
        run.go_on(checkpoint)
    _train(run, config, progress, checkpoint)
    _round(net, batches, config)
    made = to_integer(net)
    moments, views = positives.readings.shape[:2]
    wearers = len(np.unique(positives.wearer))
    report = {
        "stage": "pretrained",
        "training": {**config.to_json(), "steps_done": run.step},
        "data": {"kind": "positives", "wearers": wearers, "moments": moments, "views": views, **(data or {})},
        "parent": None,
        "macs": made.macs,
        "parameters": made.parameters,
        "history": run.history,
    }
    return made, report


def unfinished(
    model: Path, headset: Headset, config: PretrainingConfig, data: Mapping[str, Any]
) -> Checkpoint:
    """The checkpoint of the run that makes `model`.

    Args:
        data: what decides the positives, as JSON.
    """
    decides = config.to_json()
    del decides["learning_rate"]  # a run that collapsed goes on with a lower one
    return Checkpoint(model, {"headset": headset.model_dump(mode="json"), **data, **decides})


def _prepare(positives: Positives, headset: Headset, config: PretrainingConfig) -> tuple[GazeNet, Batches]:
    moments, _, sensors = positives.readings.shape
    if positives.headset != headset.name or sensors != headset.sensor_count:
        raise ModelError(
            f"positives are of headset {positives.headset!r} with {sensors} sensors, expected "
            f"{headset.name!r} with {headset.sensor_count}; take those of this headset"
        )
    if moments < FEWEST_MOMENTS:
        raise ModelError(f"{moments} moments are too few to pretrain on; at least {FEWEST_MOMENTS} expected")
    wire = positives.readings.reshape(-1, sensors) * np.float32(headset.wire_scale)
    assert config.architecture is not None
    highest = (headset.adc.full_scale - 1) * headset.wire_scale
    normalisation = fit_normalisation(wire, highest, config.architecture.planes)
    net = build(config.architecture, headset, normalisation, config.seed)
    with torch.no_grad():
        net.head.zero_()
        net.head[OPENNESS, -1] = 1.0
        if net.embedding is not None:
            for shift in net.embedding.shifts:
                shift.zero_()
    return net, Batches.of(positives, headset, normalisation)


def _train(
    run: PretrainingRun,
    config: PretrainingConfig,
    progress: Callable[[Progress], None] | None,
    checkpoint: Checkpoint | None,
) -> None:
    """All steps; the last good state is saved when it is time to, and when no other is to follow."""
    good = None
    while run.step < config.steps:
        fraction = run.step / config.steps
        rate = config.learning_rate * (1 + math.cos(math.pi * fraction)) / 2
        loss, features = run.advance(rate * min(1.0, (run.step + 1) / _RISE), fraction)
        looks = run.step % CHECK_EVERY == 0 or run.step == config.steps
        if not looks and math.isfinite(loss):
            continue
        health = health_of(features)
        if health.collapsed or not math.isfinite(loss):
            if checkpoint is not None and good is not None:
                checkpoint.save(good)
            raise CollapsedError(_collapsed(run.step, loss, health, config, checkpoint))
        run.remember(loss, health)
        good = run.state()
        if checkpoint is not None and checkpoint.is_due():
            checkpoint.save(good)
        if progress is not None:
            progress(Progress(run.step / config.steps, run.step, loss, health))


def _collapsed(
    step: int, loss: float, health: Health, config: PretrainingConfig, checkpoint: Checkpoint | None
) -> str:
    kept = ""
    if checkpoint is not None and checkpoint.path.exists():
        kept = f"; {checkpoint.path} keeps the last good state, from which the same command goes on"
    return (
        f"pretraining collapsed at step {step} (loss {loss:.4g}, features have {health}): all moments look "
        f"alike; lower the learning rate ({config.learning_rate:g}) or take another method{kept}"
    )


def _round(net: GazeNet, batches: Batches, config: PretrainingConfig) -> None:
    """Let the network round as the device does, with the ranges that its activations have."""
    generator = seeded(config.seed)
    net.quantize()
    with torch.no_grad():
        for _ in range(_RANGE_BATCHES):
            net.features(batches.draw(config.wearers_per_batch, config.moments_per_wearer, generator)[0])
    net.freeze_ranges()
    net.eval()
