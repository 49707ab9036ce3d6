"""psog's own network under the ETRA 2019 protocol, at no more than the cost of the paper's low-power CNN."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from psog.benchmarks.etra2019.protocol import (
    POPULATION,
    SCRATCH,
    SOLVED,
    TUNED,
    Case,
    Fold,
    Protocol,
    Run,
    Tuning,
)
from psog.headset import Headset
from psog.metrics import angular_error
from psog.net.architecture import Architecture, Convolution
from psog.net.calibrated import calibrated, float_features, int8_features, uncalibrated
from psog.net.convert import from_integer, to_integer
from psog.net.integer import Head, IntegerNet
from psog.net.loop import TrainingConfig, fit, seeded
from psog.net.normalise import fit_normalisation, to_steps
from psog.net.objectives import EpisodeObjective, RowObjective
from psog.net.qat import build
from psog.net.quantized_layer import QuantizedLayer
from psog.net.training import train_plain
from psog.sim.streams import derived_seed

PSOG_NETS = {
    "psog CNN": Architecture((Convolution(24),), (64, 40)),
    "psog MLP": Architecture((), (76, 72)),
}
"""9,224 and 9,044 MACs with their heads, which also estimate openness and error. The first has one valid
convolution with ReLU on the sensors in their places on the grid, each scaled for itself: nothing turns them
into principal components. The second tells what the convolution is worth. With two input planes and 16
channels instead of 24, 76 and 44 (9,392 MACs) the first did worse here (docs/etra2019.md)."""
FORMS = {"int8": int8_features, "float": float_features}
"""One training, run as on the device and without rounding of inputs and activations."""
_ROWS_PER_BATCH = 512
_USERS_PER_BATCH, _QUERIES = 8, 48  # with up to 40 readings that fit a head, about as many rows a step

Floats = NDArray[np.float32]
_Trainer = Callable[[Floats, Floats, Tuning, int], IntegerNet]
"""A network from readings (n, sensors), gaze (n, 2), a way to train and a seed."""


def run_psog_net(name: str, headset: Headset, fold: Fold, protocol: Protocol) -> Run:
    """A network of PSOG_NETS on the users of a fold, by psog's own training; as `run_paper_net`.

    Pretraining goes through the ridge solve that fits a head to a few readings of a user. Fine-tuning solves
    the head for the user's training rows and trains all layers on from there. How long a user is trained on
    is chosen by the check rows, on which the paper's early stopping looks too.
    """
    trainers = _Trainers(headset, PSOG_NETS[name])
    began = time.process_time()
    parent = trainers.pretrained(fold, protocol.psog_pretraining)
    pretraining_s = time.process_time() - began
    outcomes = []
    for case in fold.cases(protocol.repetitions):
        made = {
            POPULATION: _Made(parent),
            SOLVED: _best(case, headset, [Tuning(0, 0)], trainers.solving(parent)),
            TUNED: _best(case, headset, protocol.psog_tuning, trainers.tuning(parent)),
            SCRATCH: _best(case, headset, protocol.psog_scratch, trainers.from_scratch),
        }
        for form in FORMS:
            for start, one in made.items():
                gaze_deg = _estimate(form, one.net, headset, case, case.split.test)
                took = {"epochs": one.epochs, "cpu_s": one.cpu_s}
                outcomes.append(case.outcome(f"{name} {form}", start, gaze_deg, **took))
    return Run(outcomes, pretraining_s, parent.macs, parent.parameters)


@dataclass(frozen=True)
class _Trainers:
    """The ways in which a network of one architecture comes about."""

    headset: Headset
    architecture: Architecture

    def pretrained(self, fold: Fold, way: Tuning) -> IntegerNet:
        """For users never seen: heads are fitted to a few rows of a user and judged on other rows."""
        rows = min(len(one) for one in fold.others)
        wire = self._wire(np.stack([one.readings[:rows] for one in fold.others]))
        normalisation = fit_normalisation(
            wire.reshape(-1, self.headset.sensor_count), planes=self.architecture.planes
        )
        gaze_deg = torch.from_numpy(np.stack([one.gaze_deg[:rows] for one in fold.others]))[:, None]
        users = min(_USERS_PER_BATCH, len(fold.others))
        # Nobody here calibrates with one point or looks elsewhere: the rows of a user are what there is.
        config = replace(
            self._config(way, fold.seed),
            users_per_batch=users,
            queries=_QUERIES,
            few_points=0.0,
            absent_minded=0.0,
        )
        # The headset moves from row to row, so a single pose holds all its places.
        objective = EpisodeObjective(
            steps=torch.from_numpy(to_steps(normalisation, wire))[:, None],
            gaze_deg=gaze_deg,
            openness=torch.ones(gaze_deg.shape[:-1]),
            noise_steps=torch.zeros(self.headset.sensor_count),
            config=config,
            generator=seeded(fold.seed),
        )
        net = build(self.architecture, self.headset, normalisation, fold.seed)
        fit(net, objective, config)
        return to_integer(net)

    def solving(self, parent: IntegerNet) -> _Trainer:
        """A head for the user, by the solve that the device does."""

        def solve(readings: Floats, gaze_deg: Floats, way: Tuning, seed: int) -> IntegerNet:
            weight = parent.head.weight.copy()
            weight[:2] = calibrated(parent, int8_features, self.headset.to_wire(readings), gaze_deg).head
            return replace(parent, head=Head(weight, parent.head.ridge))

        return solve

    def tuning(self, parent: IntegerNet) -> _Trainer:
        """All layers, from the parent with a solved head on."""
        solve = self.solving(parent)

        def tune(readings: Floats, gaze_deg: Floats, way: Tuning, seed: int) -> IntegerNet:
            net = from_integer(solve(readings, gaze_deg, way, seed))
            net.quantized = False  # at first; later its ranges follow the activations again
            for layer in net.layers:
                assert isinstance(layer, QuantizedLayer)
                layer.output.frozen = False
            objective = RowObjective(
                steps=torch.from_numpy(to_steps(parent.normalisation, self._wire(readings))),
                gaze_deg=torch.from_numpy(gaze_deg),
                noise_steps=torch.zeros(self.headset.sensor_count),
                rows_per_batch=_ROWS_PER_BATCH,
                generator=seeded(seed),
            )
            fit(net, objective, self._config(way, seed))
            return to_integer(net)

        return tune

    def from_scratch(self, readings: Floats, gaze_deg: Floats, way: Tuning, seed: int) -> IntegerNet:
        """A network that knows this user only."""
        return train_plain(readings, gaze_deg, self.headset, self._config(way, seed))[0]

    def _wire(self, readings: Floats) -> Floats:
        return readings * np.float32(self.headset.wire_scale)

    def _config(self, way: Tuning, seed: int) -> TrainingConfig:
        return TrainingConfig(
            steps=way.steps,
            learning_rate=way.learning_rate,
            seed=seed,
            architecture=self.architecture,
            rows_per_batch=_ROWS_PER_BATCH,
        )


@dataclass(frozen=True)
class _Made:
    """A network for one user, and what it took."""

    net: IntegerNet
    epochs: float = 0.0
    cpu_s: float = 0.0


def _best(case: Case, headset: Headset, ways: Sequence[Tuning], trainer: _Trainer) -> _Made:
    """Of a network per way, the one with the least int8 error on the check rows; all of them cost time."""
    train, check, _ = case.split
    began = time.process_time()
    seed = derived_seed(case.repetition, f"etra2019/psog/{case.split_name}/{case.subject.name}")
    nets = [trainer(case.readings(train), case.gaze_deg(train), way, seed) for way in ways]

    def error_deg(net: IntegerNet) -> float:
        estimate_deg = _estimate("int8", net, headset, case, check)
        return float(angular_error(estimate_deg, case.gaze_deg(check)).mean())

    best = min(nets, key=error_deg)
    epochs = sum(way.steps for way in ways) * _ROWS_PER_BATCH / len(train)
    return _Made(best, epochs, time.process_time() - began)


def _estimate(
    form: str, net: IntegerNet, headset: Headset, case: Case, rows: NDArray[np.intp]
) -> NDArray[np.floating]:
    """(n, 2) gaze in degrees for some rows."""
    return uncalibrated(net, FORMS[form])(headset.to_wire(case.readings(rows)))
