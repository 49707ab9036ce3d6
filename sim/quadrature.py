"""How finely the scene is integrated: counts of nodes, and the nodes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.sim import anatomy

Array32 = NDArray[np.float32]


@dataclass(frozen=True)
class Quadrature:
    """Counts of nodes; the error each setting costs is measured by `psog bench sim`.

    Per user and pose: the skin is summed on rings and spokes, the open eye on columns that are cut into
    rows and accumulated along y. Per sample: columns through limbus and pupil, with points on each. Where
    every sample has a pose of its own there are no tables: skin and open eye are summed per sample.
    """

    aperture_columns: int = 8
    sclera_columns: int = 21
    rows: int = 16
    skin_rings: int = 6
    """In each of three zones: lid, crease, face."""
    skin_spokes: int = 32
    limbus_columns: int = 5
    limbus_points: int = 3
    pupil_columns: int = 3
    pupil_points: int = 2
    aperture_points: int = 4
    """On each aperture column, where there are no tables."""
    edge_columns: int = 10
    """Along each lid margin."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not 2 <= value <= 4096:
                raise SimulationError(f"quadrature: {item.name} is {value}, expected 2 to 4096")


FINE = Quadrature(64, 145, 288, 16, 72, 64, 8, 48, 8, 24, 32)
"""What errors are measured against; its own error is below 0.01 %."""

ROW_LIMIT_MM = 11.0
SCLERA_LIMIT_MM = 12.0
"""The tables span ±these: no lid margin and no limbus goes further."""


class DiscNodes(NamedTuple):
    """Columns through a disc and points on each column, in -1..1, with their weights."""

    x: Array32
    weight: Array32
    y: Array32
    y_weight: Array32


class Nodes(NamedTuple):
    """Abscissae and weights, float32. Those of columns lie in -1..1."""

    aperture_x: Array32
    aperture_weight: Array32
    aperture_y: Array32
    aperture_y_weight: Array32
    sclera_x: Array32
    """mm, evenly spaced."""
    rows: int
    skin_r: Array32
    """mm; their weights include r, so that a ring and a spoke make a piece of area."""
    skin_weight: Array32
    skin_cos: Array32
    skin_sin: Array32
    limbus: DiscNodes
    pupil: DiscNodes
    edge_x: Array32
    edge_weight: Array32


def nodes(quadrature: Quadrature) -> Nodes:
    """Gauss-Legendre where the integrand is smooth, Gauss-Chebyshev of the second kind across a disc."""
    q = quadrature
    radii, radial_weights = _skin_rings(q.skin_rings)
    angle = (np.arange(q.skin_spokes) + 0.5) * (2 * np.pi / q.skin_spokes)
    return Nodes(
        *_legendre(q.aperture_columns),
        *_legendre(q.aperture_points),
        _single(np.linspace(-SCLERA_LIMIT_MM, SCLERA_LIMIT_MM, q.sclera_columns)),
        q.rows,
        radii,
        _single(radial_weights * (2 * np.pi / q.skin_spokes)),
        _single(np.cos(angle)),
        _single(np.sin(angle)),
        DiscNodes(*_across_disc(q.limbus_columns), *_legendre(q.limbus_points)),
        DiscNodes(*_across_disc(q.pupil_columns), *_legendre(q.pupil_points)),
        *_legendre(q.edge_columns),
    )


def _skin_rings(count: int) -> tuple[Array32, Array32]:
    """Radii (mm) and weights r·dr of rings; the zones' borders follow the lid shell's curvature."""
    shell = anatomy.EYE_RADIUS_MM + anatomy.LID_THICKNESS_MM
    borders = (0.0, anatomy.FORNIX * shell, shell + 2.5, anatomy.SKIN_RADIUS_MM)
    x, w = np.polynomial.legendre.leggauss(count)
    radii, weights = [], []
    for inner, outer in pairwise(borders):
        r = (inner + outer) / 2 + x * (outer - inner) / 2
        radii.append(r)
        weights.append(w * (outer - inner) / 2 * r)
    return _single(np.concatenate(radii)), _single(np.concatenate(weights))


def _legendre(count: int) -> tuple[Array32, Array32]:
    x, w = np.polynomial.legendre.leggauss(count)
    return _single(x), _single(w)


def _across_disc(count: int) -> tuple[Array32, Array32]:
    """Columns for an integrand that ends like a circle's chord: √(1 - x²) times something smooth."""
    angle = np.arange(1, count + 1) * (np.pi / (count + 1))
    return _single(np.cos(angle)), _single(np.sin(angle) * (np.pi / (count + 1)))


def _single(values: NDArray[np.floating]) -> Array32:
    return np.ascontiguousarray(values, dtype=np.float32)
