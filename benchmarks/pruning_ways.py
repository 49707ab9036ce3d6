"""The ways to a cheaper network that `psog bench pruning` compares, each from nothing to integers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from psog.episodes import Episodes
from psog.headset import Headset
from psog.net.architecture import KERNEL, OUTPUTS, Architecture, Convolution, deep
from psog.net.convert import to_integer
from psog.net.integer import IntegerNet
from psog.net.loop import TrainingConfig, fit
from psog.net.patterns import ENTRIES, TAPS, PoolName
from psog.net.pruned import describe
from psog.net.pruning import Pruning, hold, prunable_layers
from psog.net.qat import GazeNet
from psog.net.quantized_layer import QuantizedLayer
from psog.net.training import prepare

_TUNING_SHARE = 0.5  # of the training's steps, once more, after pruning
_TUNING_RATE = 3e-3  # half of training's: a weak value


@dataclass(frozen=True)
class Pruned:
    """A network and what it took.

    Attributes:
        steps: of all its training.
        convolution_macs, network_macs: without weights that were removed.
        cpu_s: processor time of one thread; on an idle core as long as the clock says.
    """

    net: IntegerNet
    steps: int
    convolution_macs: int
    network_macs: int
    cpu_s: float

    def to_json(self) -> dict[str, int]:
        """What does not depend on the seed."""
        return {name: getattr(self, name) for name in ("steps", "convolution_macs", "network_macs")}


@dataclass
class Trial:
    """Data, budget and seed of one comparison; the dense network is trained once and shared."""

    episodes: Episodes
    headset: Headset
    steps: int
    pruning: Pruning
    seed: int
    _dense: tuple[GazeNet, float] | None = field(default=None, init=False)

    @property
    def tuning_steps(self) -> int:
        return max(1, round(_TUNING_SHARE * self.steps))

    def train(
        self, architecture: Architecture, steps: int, pruning: Pruning | None = None
    ) -> tuple[GazeNet, float]:
        """A network from nothing, and the seconds it took."""
        config = TrainingConfig(steps=steps, seed=self.seed, architecture=architecture, pruning=pruning)
        return self._fit(config)

    def tune(
        self,
        architecture: Architecture,
        start: Callable[[GazeNet], None],
        pruning: Pruning | None = None,
    ) -> tuple[GazeNet, float]:
        """Training that goes on from what `start` puts into a new network."""
        config = TrainingConfig(
            steps=self.tuning_steps,
            seed=self.seed,
            architecture=architecture,
            learning_rate=_TUNING_RATE,
            warm_up=0,
            pruning=pruning,
        )
        return self._fit(config, start)

    def dense(self) -> tuple[GazeNet, float]:
        """The network that nothing is taken from."""
        if self._dense is None:
            self._dense = self.train(deep(self.headset), self.steps)
        return self._dense

    def _fit(
        self, config: TrainingConfig, start: Callable[[GazeNet], None] | None = None
    ) -> tuple[GazeNet, float]:
        net, objective = prepare(self.episodes, self.headset, config)
        began = time.process_time()
        if start is not None:
            start(net)
        fit(net, objective, config)
        return net, time.process_time() - began


def ways(trial: Trial) -> dict[str, Callable[[], Pruned]]:
    """Each way by its name, the dense network first.

    "in training" is followed by the pool of patterns, "longer" has as many steps as those that prune after
    training, whose time contains the dense network's.
    """
    longer = trial.steps + trial.tuning_steps
    return {
        "dense": lambda: _pruned(*trial.dense(), trial.steps),
        "in training, 4": lambda: _in_training(trial, "4", trial.steps),
        "in training, 8": lambda: _in_training(trial, "8", trial.steps),
        "in training, 12": lambda: _in_training(trial, "12", trial.steps),
        "in training, data": lambda: _in_training(trial, "data", trial.steps),
        "smaller network": lambda: _pruned(*trial.train(_narrow(trial), trial.steps), trial.steps),
        "in training, longer": lambda: _in_training(trial, "4", longer),
        "after, same choice": lambda: _patterns_after(trial),
        "after, magnitude": lambda: _magnitude_after(trial),
        "after, channels": lambda: _channels_after(trial),
    }


def _in_training(trial: Trial, patterns: PoolName, steps: int) -> Pruned:
    return _pruned(*trial.train(deep(trial.headset), steps, replace(trial.pruning, patterns=patterns)), steps)


def _patterns_after(trial: Trial) -> Pruned:
    """Kernels and patterns by the same rule, chosen at the first step of further training."""
    dense, cpu_s = trial.dense()
    at_once = replace(trial.pruning, select_at=0.0, remove_at=0.0)
    tuned, more_s = trial.tune(deep(trial.headset), lambda net: copy_weights(net, dense), at_once)
    return _pruned(tuned, cpu_s + more_s, trial.steps + trial.tuning_steps)


def _magnitude_after(trial: Trial) -> Pruned:
    """As many single weights, the largest of each convolution, wherever they lie.

    Source: Han et al., NeurIPS 2015.
    """
    dense, cpu_s = trial.dense()

    def start(net: GazeNet) -> None:
        copy_weights(net, dense)
        for layer in prunable_layers(net):
            kernels = layer.weight.numel() // TAPS
            hold(layer, largest(layer.weight, ENTRIES * max(1, round(trial.pruning.keep * kernels))))

    tuned, more_s = trial.tune(deep(trial.headset), start)
    return _pruned(tuned, cpu_s + more_s, trial.steps + trial.tuning_steps)


def _channels_after(trial: Trial) -> Pruned:
    """The channels with the largest Σ|w|, in a network of as many MACs. Source: Li et al., ICLR 2017."""
    dense, cpu_s = trial.dense()
    tuned, more_s = trial.tune(_narrow(trial), lambda net: copy_channels(net, dense))
    return _pruned(tuned, cpu_s + more_s, trial.steps + trial.tuning_steps)


def _pruned(trained: GazeNet, cpu_s: float, steps: int) -> Pruned:
    net = to_integer(trained)
    left = describe(trained, net, "4")  # of masks it counts what is left, whatever their patterns
    return Pruned(net, steps, left["macs_effective"], left["network_macs_effective"], cpu_s)


def _narrow(trial: Trial) -> Architecture:
    """The deep network with fewer channels, at most the MACs that pruning leaves in all."""
    whole = deep(trial.headset)
    rows, columns = trial.headset.grid.shape
    target = macs_of(whole, (rows, columns)) - _removed_macs(whole, (rows, columns), trial.pruning.keep)
    return narrowed(whole, (rows, columns), target)


def narrowed(whole: Architecture, grid_shape: tuple[int, int], target: int) -> Architecture:
    """`whole` with as many channels as `target` MACs allow, about the same share in every convolution."""
    widths = [1] * len(whole.convolutions)

    def with_widths(widths: list[int]) -> Architecture:
        convolutions = (
            Convolution(width, each.padding) for width, each in zip(widths, whole.convolutions, strict=True)
        )
        return replace(whole, convolutions=tuple(convolutions))

    grown = True
    while grown:
        grown = False
        for index in sorted(range(len(widths)), key=lambda i: widths[i] / whole.convolutions[i].channels):
            wider = [width + (i == index) for i, width in enumerate(widths)]
            if macs_of(with_widths(wider), grid_shape) <= target:
                widths, grown = wider, True
                break
    return with_widths(widths)


def macs_of(architecture: Architecture, grid_shape: tuple[int, int]) -> int:
    """Multiply-accumulates of an inference, padding and head counted."""
    total = sum(_convolution_macs(architecture, grid_shape))
    rows, columns, channels = architecture.map_shape(grid_shape)
    inputs = rows * columns * channels
    for width in (*architecture.dense, architecture.features, OUTPUTS):
        total, inputs = total + inputs * width, width
    return total


def _convolution_macs(architecture: Architecture, grid_shape: tuple[int, int]) -> list[int]:
    macs, inputs = [], architecture.planes
    for count, convolution in enumerate(architecture.convolutions, start=1):
        above = replace(architecture, convolutions=architecture.convolutions[:count])
        rows, columns, channels = above.map_shape(grid_shape)
        macs.append(rows * columns * channels * TAPS * inputs)
        inputs = convolution.channels
    return macs


def _removed_macs(architecture: Architecture, grid_shape: tuple[int, int], keep: float) -> int:
    return round(sum(_convolution_macs(architecture, grid_shape)[1:]) * (1 - keep * ENTRIES / TAPS))


def largest(weight: Tensor, count: int) -> Tensor:
    """Ones at the `count` largest magnitudes of a weight, else zeros."""
    mask = torch.zeros(weight.numel())
    mask[weight.detach().abs().flatten().topk(count).indices] = 1
    return mask.reshape(weight.shape)


def copy_weights(net: GazeNet, source: GazeNet) -> None:
    """All that was learnt, into a network of the same shape that begins without quantization."""
    net.load_state_dict(source.state_dict())


@torch.no_grad()
def copy_channels(net: GazeNet, source: GazeNet) -> None:
    """What was learnt, into a network of fewer channels: those with the largest sum of magnitudes stay."""
    inputs = torch.arange(net.normalisation.planes)  # the channels that stay of what a layer sees
    state: dict[str, Any] = source.state_dict()
    for index, (narrow, wide) in enumerate(zip(net.layers, source.layers, strict=True)):
        assert isinstance(narrow, QuantizedLayer) and isinstance(wide, QuantizedLayer)
        outputs, places = wide.bias.numel(), KERNEL * KERNEL
        channels = wide.weight.shape[1] // places
        if wide.kind == "dense":
            places = narrow.weight.shape[1] // len(inputs)
            channels = wide.weight.shape[1] // places
        weight = wide.weight.reshape(outputs, places, channels)[..., inputs].flatten(1)
        count = narrow.bias.numel()
        stay = weight.abs().sum(dim=1).topk(count).indices.sort().values
        state[f"layers.{index}.weight"], state[f"layers.{index}.bias"] = weight[stay], wide.bias[stay]
        state[f"layers.{index}.mask"] = torch.ones_like(weight[stay])
        inputs = stay
    net.load_state_dict(state)
