"""The four networks of the ETRA 2019 paper, run by its protocol."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from psog.benchmarks.etra2019.nets import HIGH_CNN, HIGH_MLP, LOW_CNN, LOW_MLP, PaperNet, Whitening
from psog.benchmarks.etra2019.protocol import POPULATION, SCRATCH, TUNED, Case, Fold, Protocol, Run
from psog.benchmarks.etra2019.splits import CHECK_OF_PRETRAINING
from psog.benchmarks.etra2019.training import Rows, Trained, train
from psog.sim.streams import stream

PAPER_NETS = {
    "low-power MLP": LOW_MLP,
    "low-power CNN": LOW_CNN,
    "high-power MLP": HIGH_MLP,
    "high-power CNN": HIGH_CNN,
}


def run_paper_net(name: str, fold: Fold, protocol: Protocol) -> Run:
    """A network of PAPER_NETS on the users of a fold; all of them are trained side by side.

    Fine-tuning trains the dense layers, behind the whitening of the other users, as pretraining did. From
    scratch, the whitening is fitted to what the user is trained and checked on (both as in the authors'
    code).
    """
    net = PAPER_NETS[name]
    random = stream(fold.seed, f"etra2019/training/{name}", fold.number)
    readings, gaze_deg = fold.pretraining_rows()
    of_others = Whitening(readings)
    parent = _pretrain(net, of_others(readings), gaze_deg, protocol, random)

    cases = fold.cases(protocol.repetitions)
    own = [Whitening(case.readings(np.concatenate([case.split.train, case.split.check]))) for case in cases]
    both, whitening = cases + cases, [of_others] * len(cases) + own
    weights = torch.cat([parent.weights.expand(len(cases), -1), net.initial(len(cases), random)])
    trained = torch.ones_like(weights)
    trained[: len(cases)] = net.mask(dense=True)
    rows = _rows(both, whitening, "train"), _rows(both, whitening, "check")
    made = train(net, weights, trained, rows, schedule=protocol.user, random=random)

    outcomes = [
        case.outcome(name, POPULATION, _estimate(net, parent.weights[0], of_others, case)) for case in cases
    ]
    for k, (case, white) in enumerate(zip(both, whitening, strict=True)):
        start = TUNED if k < len(cases) else SCRATCH
        gaze = _estimate(net, made.weights[k], white, case)
        took = {"epochs": float(made.epochs[k]), "cpu_s": float(made.cpu_s[k])}
        outcomes.append(case.outcome(name, start, gaze, **took))
    return Run(outcomes, float(parent.cpu_s[0]), net.macs, net.parameters)


def _pretrain(
    net: PaperNet,
    white: NDArray[np.float32],
    gaze_deg: NDArray[np.float32],
    protocol: Protocol,
    random: np.random.Generator,
) -> Trained:
    """One network on the whitened rows of all other users."""
    checked = round(CHECK_OF_PRETRAINING * len(white))
    order = random.permutation(len(white))
    fit, check = (Rows.of([white[rows]], [gaze_deg[rows]]) for rows in (order[checked:], order[:checked]))
    weights = net.initial(1, random)
    return train(
        net, weights, torch.ones_like(weights), (fit, check), schedule=protocol.pretraining, random=random
    )


def _rows(cases: Sequence[Case], whitening: Sequence[Whitening], part: str) -> Rows:
    chosen = [getattr(case.split, part) for case in cases]
    x = [white(case.readings(rows)) for case, white, rows in zip(cases, whitening, chosen, strict=True)]
    return Rows.of(x, [case.gaze_deg(rows) for case, rows in zip(cases, chosen, strict=True)])


def _estimate(net: PaperNet, weights: torch.Tensor, white: Whitening, case: Case) -> NDArray[np.float32]:
    """(n, 2) gaze in degrees for the rows a user is tested on."""
    with torch.no_grad():
        x = torch.from_numpy(white(case.readings(case.split.test)))
        gaze_deg: NDArray[np.float32] = net(weights[None], x[None])[0].numpy()
    return gaze_deg
