"""What `psog bench pretraining` compares: what a network begins with, and how labels go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from psog.benchmarks.stages_headset import built
from psog.episodes import Episodes
from psog.headset import Headset
from psog.net.adapt import Adaptation, trainable
from psog.net.adapt_episodes import Wearer, episodes_of, wearers_of
from psog.net.adapt_objective import MixedObjective
from psog.net.architecture import Architecture, Convolution
from psog.net.calibrated import int8_features
from psog.net.convert import to_integer
from psog.net.evaluation import noisy_wire
from psog.net.gaze_errors import gaze_errors
from psog.net.integer import IntegerNet, Normalisation
from psog.net.loop import TrainingConfig, fit
from psog.net.normalise import fit_normalisation
from psog.net.pretraining.loop import PretrainingConfig, pretrain
from psog.net.pretraining.methods import MethodName
from psog.net.pretraining.moments import fixations_of, joined_positives
from psog.net.qat import build
from psog.net.sources import Source
from psog.net.store import Model
from psog.net.training import objective_on, train
from psog.positives import Positives
from psog.recording import Recording
from psog.sim.episodes import make_episodes
from psog.sim.views import make_views

if TYPE_CHECKING:
    from rich.console import Console

    from psog.benchmarks.pretraining import Protocol

SCRATCH, SIMULATOR, BOTH = "labels only", "labelled simulator", "barlow-twins, labelled simulator"
STREAMS = "barlow-twins, streams alone"
"""Without a simulator: neighbours in time are the only positives."""
METHODS: tuple[MethodName, ...] = ("barlow-twins", "byol", "nnclr")
RATE_HZ = 100.0
"""Of the streams: neighbours at 1 kHz tell nothing new, and cost ten times as much."""
NETWORK = Architecture((Convolution(8),), (48, 32), features=24, planes=2)
"""Smaller than the standard one and without an embedding, so that the comparison fits its time."""
SLIPS_MM = (0.0, 1.0)
LEARNING_RATE = 3e-3
"""At the start of every run, with labels or without."""
SIMULATED_SHARE = {SIMULATOR: Adaptation.simulated_share, BOTH: Adaptation.simulated_share}
"""Of the steps on labels that go to simulated users, as in psog adapt; of the other ways none."""


@dataclass(frozen=True)
class World:
    """One built headset, whose streams many wearers left and of which some are labelled.

    Attributes:
        headset: as its file says.
        fixations: of all wearers, found in their readings alone.
        people: the same wearers with labels; so many labelled wearers are the first so many of them.
        simulated: labelled users of the headset's file.
        test, test_wire: other wearers, who calibrate with 9 points, and what the device reads of them.
        normalisation: of the fixations: every way has it, because it needs no label.
    """

    headset: Headset
    fixations: Positives
    people: Sequence[Wearer]
    simulated: Episodes
    test: Episodes
    test_wire: NDArray[np.uint16]
    normalisation: Normalisation


def world(headset: Headset, protocol: Protocol, seed: int) -> World:
    """A headset built with errors of its own, the wearers of its streams, and others to judge by."""
    real = built(headset, seed)
    recording = real.record(protocol.wearers, protocol.seconds, seed, RATE_HZ)
    fixations = fixations_of([Source(Path("streams"), _without_labels(recording))], headset)
    wire = fixations.readings.reshape(-1, headset.sensor_count) * np.float32(headset.wire_scale)
    normalisation = fit_normalisation(wire, planes=NETWORK.planes)
    people = wearers_of(
        _untrained(headset, normalisation, seed), headset, [Source(Path("labelled"), recording)]
    )
    test = real.test(protocol.test_users, seed, SLIPS_MM)
    simulated = make_episodes(headset, users=protocol.simulated, poses=3, seed=seed)
    return World(headset, fixations, people, simulated, test, noisy_wire(test, headset, seed), normalisation)


def measured(
    headset: Headset, protocol: Protocol, seed: int, console: Console
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """`errors` by way and number of labelled wearers; with none, those of what training would begin with."""
    with console.status(f"seed {seed}: streams of {protocol.wearers} wearers"):
        of = world(headset, protocol, seed)
    found: dict[str, dict[str, NDArray[np.float64]]] = {}
    for way, start in starts(of, protocol, seed):
        found[way] = {"0": errors(start, of)}
        for number in protocol.labelled:
            steps = protocol.steps + (protocol.before if way == SCRATCH else 0)
            found[way][str(number)] = errors(learnt(start, way, of, number, steps=steps, seed=seed), of)
        told = ", ".join(f"{n}: {e[1, :, 0].mean():.2f}°" for n, e in found[way].items())
        console.print(f"seed {seed}, {way}, by labelled wearers: {told}", highlight=False)
    return found


def starts(of: World, protocol: Protocol, seed: int) -> Iterator[tuple[str, IntegerNet]]:
    """What training on labels begins with, by way."""
    yield SCRATCH, _untrained(of.headset, of.normalisation, seed)
    config = _config(protocol.before, seed, warm_up=TrainingConfig.warm_up)
    yield SIMULATOR, _with_inputs(of, train(of.simulated, of.headset, config)[0])
    yield STREAMS, _pretrained(of, of.fixations, "barlow-twins", protocol, seed)
    views = make_views(of.headset, users=protocol.simulated // 4, seed=seed)
    for method in METHODS:
        net = _pretrained(of, joined_positives([of.fixations, views]), method, protocol, seed)
        yield method, net
        if method == "barlow-twins":
            yield BOTH, net


def _pretrained(
    of: World, positives: Positives, method: MethodName, protocol: Protocol, seed: int
) -> IntegerNet:
    how = PretrainingConfig(method, protocol.before, seed, NETWORK, LEARNING_RATE)
    return _with_inputs(of, pretrain(positives, of.headset, how)[0])


def learnt(start: IntegerNet, way: str, of: World, labelled: int, *, steps: int, seed: int) -> IntegerNet:
    """The network after training on so many labelled wearers, every weight, through the calibration solve."""
    config = _config(steps, seed, warm_up=TrainingConfig.warm_up if way == SCRATCH else 0.0)
    net = trainable(Model(start, {}), start)
    share = SIMULATED_SHARE.get(way, 0.0)
    recorded, simulated = (
        objective_on(episodes, of.headset, net.normalisation, config)
        for episodes in (episodes_of(of.people[:labelled], of.headset, seed), of.simulated)
    )
    fit(net, MixedObjective.of(recorded, simulated if share > 0 else None, share), config)
    return to_integer(net)


def errors(net: IntegerNet, of: World) -> NDArray[np.float64]:
    """(2, users, slips) mean degrees of the test users in int8: not calibrated, and after 9 points."""
    samples = of.test_wire.shape[2]
    calibrations = [np.zeros(samples, bool), np.ones(samples, bool)]
    found = gaze_errors(net, int8_features, of.test_wire, of.test, calibrations)
    return np.asarray(found.mean(axis=-1).round(4))


def _config(steps: int, seed: int, *, warm_up: float) -> TrainingConfig:
    return TrainingConfig(
        steps=steps,
        seed=seed,
        architecture=NETWORK,
        learning_rate=LEARNING_RATE,
        warm_up=warm_up,
        users_per_batch=8,
        queries=32,
    )


def _without_labels(recording: Recording) -> Recording:
    """Nothing but the readings, and who wore the headset."""
    return replace(recording, columns={"user": recording.columns["user"]})


def _untrained(headset: Headset, normalisation: Normalisation, seed: int) -> IntegerNet:
    """With a head that knows no gaze, and ranges of activations as it answers noise."""
    net = build(NETWORK, headset, normalisation, seed)
    net.quantize()
    random = torch.randn(512, headset.sensor_count, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        net.head.zero_()
        net.features(random * 32)  # of inputs of order one, in steps of psog.net.normalise.INPUT
    return to_integer(net)


def _with_inputs(of: World, net: IntegerNet) -> IntegerNet:
    return replace(net, normalisation=of.normalisation)
