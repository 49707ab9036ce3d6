"""Instructions of a network without running it: what each loop's turn costs, from counts of random ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls

from psog.errors import ModelError
from psog.firmware_export.board_budgets import READINGS, fitting_packing
from psog.firmware_export.budget import readings_over_range
from psog.firmware_export.image import read_image, write_image
from psog.firmware_export.installing import image_for
from psog.firmware_export.instructions import measure
from psog.firmware_export.microcontrollers import MICROCONTROLLERS
from psog.firmware_export.toolchain import board_target
from psog.headset import Headset
from psog.net.convert import to_integer
from psog.net.integer import IntegerNet
from psog.net.normalise import fit_normalisation, to_steps
from psog.net.patterns import best_masks, fixed_pool
from psog.net.pruning import from_kernels, hold, most_important, prunable_layers, to_kernels
from psog.net.qat import GazeNet, build
from psog.search.loops import core_of, loops_of, weights_and_products
from psog.search.space import Candidate, RandomChooser, choose, fitted
from psog.sim.streams import stream

FITTED, HELD_OUT = 28, 12
"""Random networks that the costs follow from, and others that tell how wrong they are."""


@dataclass(frozen=True)
class InstructionModel:
    """Instructions of one inference on a board.

    Attributes:
        turns: what one turn of each loop of psog.search.loops costs.
        mean_error, largest_error: relative, of networks that the costs do not follow from.
    """

    board: str
    headset: Headset
    turns: Mapping[str, float]
    mean_error: float
    largest_error: float

    def __call__(self, candidate: Candidate) -> float:
        """Estimated instructions of an inference; infinite for a network that the board has no room for."""
        weights, _ = weights_and_products(candidate, self.headset)
        if weights > most_weights(self.board):
            return math.inf
        loops = loops_of(candidate, self.headset, core_of(self.board))
        return sum(count * self.turns.get(name, 0.0) for name, count in loops.items())

    def limit(self, instructions: int) -> float:
        """What an estimate must not exceed so that a count does not exceed this many."""
        return instructions / (1 + self.largest_error)

    def to_json(self) -> dict[str, Any]:
        return {
            "board": self.board,
            "mean_error": round(self.mean_error, 5),
            "largest_error": round(self.largest_error, 5),
            "turns": {name: round(cost, 3) for name, cost in self.turns.items()},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], headset: Headset) -> InstructionModel:
        """What `to_json` gave."""
        return cls(headset=headset, **values)


def instruction_model(
    board: str,
    headset: Headset,
    nets: tuple[int, int] = (FITTED, HELD_OUT),
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> InstructionModel:
    """Count random networks of the space in QEMU, and find out what each loop costs.

    Args:
        nets: how many to learn from, and how many others to try it on.
        progress: called with how many are counted, and of how many.
    Raises:
        ToolchainError: compiler or QEMU missing, or a board that is not emulated.
    """
    candidates, counts = [], []
    for number in range(sum(nets)):
        candidates.append(_random_candidate(headset, board, number))
        counts.append(count(random_net(candidates[-1], headset, number), headset, board))
        progress(number + 1, sum(nets))
    core = core_of(board)
    turns = fitted_costs([loops_of(one, headset, core) for one in candidates[: nets[0]]], counts[: nets[0]])
    model = InstructionModel(board, headset, turns, 0.0, 0.0)
    wrong = [abs(model(c) / n - 1) for c, n in zip(candidates[nets[0] :], counts[nets[0] :], strict=True)]
    return InstructionModel(board, headset, turns, float(np.mean(wrong)), float(np.max(wrong)))


def instructions_of(candidate: Candidate, net: IntegerNet, headset: Headset, board: str) -> int:
    """What `count` says of a trained candidate; what an untrained one of its shape has, unless it was pruned.

    Weights that are there cost the same whatever they are.
    """
    if candidate.pruning is None:
        return _of_shape(candidate, headset.model_dump_json(by_alias=True), board)
    return count(net, headset, board)


@lru_cache
def _of_shape(candidate: Candidate, headset: str, board: str) -> int:
    described = Headset.model_validate_json(headset)
    return count(random_net(candidate, described, seed=0), described, board)


def count(net: IntegerNet, headset: Headset, board: str) -> int:
    """Instructions of one inference on a board, counted in QEMU, in the fastest packing it has room for.

    Raises:
        ToolchainError: as `instruction_model`.
        ModelError: the board has no room for the network.
    """
    image = write_image(net, headset)
    image = image_for(image, [fitting_packing(image, board)])
    wire = readings_over_range(read_image(image).normalisation, READINGS, seed=0)
    return measure(board, image, wire).instructions


def random_net(candidate: Candidate, headset: Headset, seed: int) -> IntegerNet:
    """An untrained network of that shape, pruned by the size of its weights."""
    wire = stream(seed, "random readings").uniform(10_000, 50_000, (500, headset.sensor_count))
    normalisation = fit_normalisation(wire, planes=candidate.architecture.planes)
    net = build(candidate.architecture, headset, normalisation, seed)
    if candidate.pruning is not None:
        _prune(net, candidate.keep)
    net.quantize()
    with torch.no_grad():
        net(torch.from_numpy(to_steps(normalisation, wire)))  # shows the layers their ranges
    return to_integer(net)


def _prune(net: GazeNet, keep: float) -> None:
    for layer in prunable_layers(net):
        size = to_kernels(layer.weight.detach().square())
        masks = best_masks(size.flatten(0, 1), fixed_pool("4")).reshape(size.shape)
        hold(layer, from_kernels(masks * most_important(size, keep)[..., None]))


def _random_candidate(headset: Headset, board: str, number: int) -> Candidate:
    """One that the board has room for."""
    chooser = RandomChooser(stream(0, "instructions of random networks", number))
    while True:
        budget = chooser.suggest_float("products", *_PRODUCTS, log=True)
        try:
            found = fitted(choose(chooser), headset, lambda c: weights_and_products(c, headset)[1], budget)
        except ModelError:
            continue  # these knobs have no network as small as that
        if weights_and_products(found, headset)[0] <= most_weights(board):
            return found


_PRODUCTS = (10_000, 80_000)
"""Multiply-accumulates of random networks; the shipped ones have 37,504 and less."""


def most_weights(board: str) -> float:
    """Of a network that certainly fits a board in its fastest packing."""
    part = MICROCONTROLLERS.get(board)
    if part is None or part.image_room_bytes is None:
        return math.inf
    bytes_each = 1 if board_target(board).target.packings[0] == "plain" else 2
    return _SHARE_OF_WEIGHTS * part.image_room_bytes / bytes_each


_SHARE_OF_WEIGHTS = 0.8
"""Of an image; the shipped ring16's are 0.87 of it as int16, 0.76 plain."""


def fitted_costs(loops: Sequence[Mapping[str, float]], counts: Sequence[int]) -> dict[str, float]:
    """Costs, none below zero, with the least squares of relative errors."""
    names = sorted({name for each in loops for name, turns in each.items() if turns > 0})
    turns = np.array([[each.get(name, 0) for name in names] for each in loops], float)
    scale = turns.max(axis=0)
    relative = turns / scale / np.array(counts, float)[:, None]
    costs, _ = nnls(relative, np.ones(len(counts)))
    return {name: float(cost) for name, cost in zip(names, costs / scale, strict=True)}
