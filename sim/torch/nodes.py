"""The quadrature's nodes as tensors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from psog.sim import quadrature
from psog.sim.quadrature import Quadrature


class DiscNodes(NamedTuple):
    """Columns through a disc and points on each column, in -1..1, with their weights."""

    x: Tensor
    weight: Tensor
    y: Tensor
    y_weight: Tensor


class Nodes(NamedTuple):
    """As `psog.sim.quadrature.Nodes`."""

    aperture_x: Tensor
    aperture_weight: Tensor
    sclera_x: Tensor
    rows: int
    skin_r: Tensor
    skin_weight: Tensor
    skin_cos: Tensor
    skin_sin: Tensor
    limbus: DiscNodes
    pupil: DiscNodes
    edge_x: Tensor
    edge_weight: Tensor


def nodes(counts: Quadrature, dtype: torch.dtype, device: torch.device | str) -> Nodes:
    """The nodes that the kernels use, to the last bit."""

    def tensor(values: np.ndarray) -> Tensor:
        return torch.as_tensor(values, dtype=dtype, device=device)

    same = quadrature.nodes(counts)
    return Nodes(
        aperture_x=tensor(same.aperture_x),
        aperture_weight=tensor(same.aperture_weight),
        sclera_x=tensor(same.sclera_x),
        rows=same.rows,
        skin_r=tensor(same.skin_r),
        skin_weight=tensor(same.skin_weight),
        skin_cos=tensor(same.skin_cos),
        skin_sin=tensor(same.skin_sin),
        limbus=DiscNodes(*map(tensor, same.limbus)),
        pupil=DiscNodes(*map(tensor, same.pupil)),
        edge_x=tensor(same.edge_x),
        edge_weight=tensor(same.edge_weight),
    )
