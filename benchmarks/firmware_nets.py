"""The networks whose cost under TFLite Micro is known, with random weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from psog.headset import Headset
    from psog.net.integer import IntegerNet
    from psog.net.qat import GazeNet

NetName = Literal[
    "conv16-conv16-dense10",
    "conv16-conv16-dense10-pruned",
    "conv16-conv32-dense32",
    "conv16-conv32-dense44",
    "dense64-dense64",
    "dense64-dense64-int4",
]


@dataclass(frozen=True)
class Peer:
    """Instructions of one inference under TFLite Micro, by core.

    Attributes:
        reference_m4: with its reference kernels on a Cortex-M4.
        m4, m55: with CMSIS-NN.
        cycles_m4: of the second, estimated as ours are, where that was done.
    """

    reference_m4: int
    m4: int
    m55: int
    cycles_m4: int | None = None


@dataclass(frozen=True)
class BenchNet:
    """A network of 3×3 convolutions with same padding, then dense layers; one input plane.

    Attributes:
        grid: rows and columns of the input, one sensor a cell.
        widths: of all layers before the head.
        convolutions: how many of them are convolutions.
        keep: share of the second convolution's kernels that stay, with patterns of four weights; 1 is dense.
        peer: its cost elsewhere. Pruning and weights of four bits change nothing there.
        coarse: its dense layers have weights of four bits.
    """

    grid: tuple[int, int]
    widths: tuple[int, ...]
    convolutions: int
    peer: Peer
    keep: float = 1
    coarse: bool = False


_FIRST = Peer(350_127, 113_939, 30_111, cycles_m4=155_000)
_DENSE = Peer(39_921, 19_052, 10_354)
NETS: dict[NetName, BenchNet] = {
    "conv16-conv16-dense10": BenchNet((3, 5), (16, 16, 10), 2, _FIRST),
    "conv16-conv16-dense10-pruned": BenchNet((3, 5), (16, 16, 10), 2, _FIRST, keep=0.25),
    "conv16-conv32-dense32": BenchNet((3, 5), (16, 32, 32), 2, Peer(661_292, 209_715, 53_343)),
    "conv16-conv32-dense44": BenchNet((4, 8), (16, 32, 44), 2, Peer(1_599_524, 453_325, 112_990)),
    "dense64-dense64": BenchNet((3, 5), (64, 64), 0, _DENSE),
    "dense64-dense64-int4": BenchNet((3, 5), (64, 64), 0, _DENSE, coarse=True),
}
"""Source of the peers: measured for this project, TFLite Micro with its reference kernels and with CMSIS-NN,
arm-none-eabi-gcc 12.2, exact counts in QEMU."""

PEER_NOTE = (
    "TFLite Micro with CMSIS-NN was measured by this project, with arm-none-eabi-gcc 12.2 in QEMU. There the "
    "last layer, dense2, is int8; here it is the float head, of four outputs."
)


def make_net(name: NetName, seed: int) -> tuple[IntegerNet, Headset]:
    """A network of that shape with random weights and the headset it is for; a function of its arguments."""
    import numpy as np
    import torch

    from psog.net.architecture import Architecture, Convolution
    from psog.net.convert import to_integer
    from psog.net.int4_rounding import to_nearest
    from psog.net.normalise import fit_normalisation, to_steps
    from psog.net.qat import build

    plan = NETS[name]
    headset = _headset(plan.grid)
    wire = np.random.default_rng(seed).uniform(10_000, 50_000, (1000, headset.sensor_count))
    normalisation = fit_normalisation(wire)
    *hidden, features = plan.widths
    convolutions = tuple(Convolution(width, "same") for width in hidden[: plan.convolutions])
    architecture = Architecture(convolutions, tuple(hidden[plan.convolutions :]), features)
    net = build(architecture, headset, normalisation, seed)
    if plan.keep < 1:
        _prune(net, plan.keep)
    net.quantize()
    with torch.no_grad():
        net(torch.from_numpy(to_steps(normalisation, wire)))  # shows the layers their ranges
    made = to_integer(net)
    return (to_nearest(made, range(plan.convolutions, len(made.layers))) if plan.coarse else made), headset


@cache
def make_image(name: NetName, seed: int) -> bytes:
    """The device image of such a network."""
    from psog.firmware_export.image import write_image

    return write_image(*make_net(name, seed))


def peer_figures(name: NetName, board: str, budget: dict[str, Any]) -> dict[str, Any]:
    """What TFLite Micro with CMSIS-NN needs for a net on a board's core, beside what ours needs.

    Returns:
        "tflm_instructions", "tflm_cycles_estimated" and how many "times_fewer" instructions ours has; None
        where that is not known.
    """
    from psog.firmware_export.toolchain import board_target

    peer = NETS[name].peer
    core = board_target(board).target.core
    theirs = peer.m4 if "-mcpu=cortex-m4" in core else peer.m55 if "-mcpu=cortex-m55" in core else None
    return {
        "tflm_instructions": theirs,
        "tflm_cycles_estimated": peer.cycles_m4 if budget["cycles_estimated"] is not None else None,
        "times_fewer": None if theirs is None else round(theirs / budget["instructions"], 2),
    }


def _prune(net: GazeNet, keep: float) -> None:
    """By size of the weights, since random ones have no other importance."""
    from psog.net.patterns import best_masks, fixed_pool
    from psog.net.pruning import from_kernels, hold, most_important, prunable_layers, to_kernels

    for layer in prunable_layers(net):
        size = to_kernels(layer.weight.detach().square())
        masks = best_masks(size.flatten(0, 1), fixed_pool("4")).reshape(size.shape)
        hold(layer, from_kernels(masks * most_important(size, keep)[..., None]))


def _headset(grid: tuple[int, int]) -> Headset:
    """grid15 where it fits, else a made-up one with one sensor a cell."""
    import numpy as np

    from psog.headset import Headset, load_headset

    built_in = load_headset("grid15")
    if built_in.grid.shape == grid:
        return built_in
    rows, columns = grid
    count = rows * columns
    like = built_in.sensors[0].model_dump()
    return Headset.model_validate(
        {
            **built_in.model_dump(by_alias=True),
            "name": f"grid{rows}x{columns}",
            "description": "made up for a measurement of instructions",
            "layout": np.arange(count).reshape(grid).tolist(),
            "sensors": [like] * count,
        }
    )
