"""The scene pixel by pixel: what a camera far in front would see. For pictures, and as a plain check of the
column method, with which it shares surfaces but no quadrature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from psog.headset import Headset
from psog.sim.native import surfaces_at
from psog.sim.optics import placed_table
from psog.sim.surfaces import EyeShape

Array = NDArray[np.floating]

SKIN, SCLERA, IRIS, PUPIL = 0, 1, 2, 3
_GLINT_SIGMA_MM = 0.18
"""Width of a glint as drawn."""
_GLINT_RADIANCE = 2.5
"""Height of a glint as drawn, in units of the brightest skin: a camera would saturate."""


@dataclass(frozen=True)
class Raster:
    """The frontal plane in pixels of equal size.

    Attributes:
        x_mm, y_mm: (height, width) pixel centres.
        kind: (height, width) SKIN, SCLERA, IRIS or PUPIL.
        z_mm: (height, width).
        normal: (height, width, 3).
        reflectance: (height, width).
    """

    x_mm: Array
    y_mm: Array
    kind: NDArray[np.uint8]
    z_mm: Array
    normal: Array
    reflectance: Array

    @property
    def pixel_mm2(self) -> float:
        return float((self.x_mm[0, 1] - self.x_mm[0, 0]) * (self.y_mm[1, 0] - self.y_mm[0, 0]))


def rasterize(
    eye: NDArray[np.float32], state: NDArray[np.float32], *, half_mm: float, step_mm: float
) -> Raster:
    """The surfaces of one user in one state.

    Args:
        eye: a row of `psog.sim.surfaces.eye_shapes`.
        state: a row of `psog.sim.state.eye_states`.
        half_mm: the square reaches this far from the rotation centre.
    """
    axis = np.arange(-half_mm + step_mm / 2, half_mm, step_mm)
    x, y = np.meshgrid(axis, axis)
    flat = (np.ascontiguousarray(values.ravel(), np.float32) for values in (x, y))
    out = surfaces_at(eye, state, *flat).reshape(*x.shape, 5)
    kind = out[..., 0].astype(np.uint8)
    shape = EyeShape(*cast(Any, eye))
    reflectance = np.array([shape.skin, shape.sclera, shape.iris, shape.pupil])[kind]
    return Raster(x, y, kind, out[..., 1], out[..., 2:5], reflectance)


def irradiance(raster: Raster, headset: Headset, pose: NDArray[np.float32]) -> Array:
    """(sensors,) what each sensor receives from the pixels, glints left out (1/mm²), in double precision.

    Args:
        pose: (4,) a row of `psog.sim.render.pose_rows`.
    """
    table = placed_table(headset, pose)
    point = np.stack([raster.x_mm, raster.y_mm, raster.z_mm], axis=-1).reshape(-1, 3).astype(np.float64)
    normal = raster.normal.reshape(-1, 3).astype(np.float64)
    area = raster.reflectance.reshape(-1) / np.pi * raster.pixel_mm2 / normal[:, 2]
    values = []
    for column in table.T:
        to_detector, to_emitter = column[0:3] - point, column[6:9] - point
        far, near = np.linalg.norm(to_detector, axis=1), np.linalg.norm(to_emitter, axis=1)
        emergence = np.clip((normal * to_detector).sum(axis=1) / far, 0, None)
        incidence = np.clip((normal * to_emitter).sum(axis=1) / near, 0, None)
        detector = headset.detector_lobe.at(-(to_detector @ column[3:6]) / far)
        emitter = headset.emitter_lobe.at(-(to_emitter @ column[9:12]) / near)
        values.append((area * emergence * incidence * detector * emitter / (far * near) ** 2).sum())
    return np.array(values)


def brightness(
    raster: Raster, headset: Headset, eye: NDArray[np.float32], pose: NDArray[np.float32]
) -> Array:
    """(height, width) radiance under all emitters together, with the glints a camera in front would see.

    Args:
        eye: the row of `eye_shapes` the raster was made from.
        pose: (4,) a row of `psog.sim.render.pose_rows`.
    """
    table = placed_table(headset, pose)
    point = np.stack([raster.x_mm, raster.y_mm, raster.z_mm], axis=-1)
    light = np.zeros(raster.kind.shape)
    for column in table.T:
        way = column[6:9] - point
        distance = np.linalg.norm(way, axis=-1)
        incidence = np.clip((raster.normal * way).sum(axis=-1) / distance, 0, None)
        lobe = headset.emitter_lobe.at(-(way @ column[9:12]) / distance)
        light += incidence * lobe / distance**2
    diffuse = light * raster.reflectance
    open_eye = raster.kind >= IRIS
    glint = _glints(raster, eye, table[6:9].T) * open_eye
    return np.asarray(diffuse + glint * _GLINT_RADIANCE * diffuse.max())


def _glints(raster: Raster, eye: NDArray[np.float32], emitters_mm: Array) -> Array:
    """(height, width) a spot at each emitter's mirror image in the cornea, seen from far in front."""
    shape = EyeShape(*cast(Any, eye))
    axis = raster.normal[raster.kind >= IRIS]
    if len(axis) == 0:
        return np.zeros(raster.kind.shape)
    centre = shape.cornea_centre * axis[0]
    spots = np.zeros(raster.kind.shape)
    for emitter in emitters_mm:
        way = emitter - centre
        half = way / np.linalg.norm(way) + np.array([0.0, 0.0, 1.0])
        spot = centre + shape.cornea_radius * half / np.linalg.norm(half)
        away2 = (raster.x_mm - spot[0]) ** 2 + (raster.y_mm - spot[1]) ** 2
        spots += np.exp(-away2 / (2 * _GLINT_SIGMA_MM**2))
    return np.clip(spots, 0, 1)
