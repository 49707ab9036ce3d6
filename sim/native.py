"""The kernels in C, called without Python's lock; `psog.sim.compiled` makes them."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError, ToolchainError
from psog.sim.compiled import compiled
from psog.sim.effects import Effects
from psog.sim.optics import ABREAST, Response, Sensors
from psog.sim.quadrature import ROW_LIMIT_MM, SCLERA_LIMIT_MM, Nodes

Array32 = NDArray[np.float32]

_Floats = ctypes.POINTER(ctypes.c_float)
_Ints = ctypes.POINTER(ctypes.c_int32)


class _Lobe(ctypes.Structure):
    _fields_ = [
        ("whole", ctypes.c_int32),
        ("rest", ctypes.c_float),
        ("steps", ctypes.c_int32),
        ("table", _Floats),
    ]


class _Sensors(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_int32),
        ("table", _Floats),
        ("detector", _Lobe),
        ("emitter", _Lobe),
        ("neighbours", ctypes.c_int32),
        ("step", _Ints),
        ("mixing", _Floats),
    ]


class _Line(ctypes.Structure):
    _fields_ = [("count", ctypes.c_int32), ("x", _Floats), ("weight", _Floats)]


_LINES = (
    *("aperture", "aperture_points", "limbus", "limbus_points", "pupil", "pupil_points"),
    *("edge", "rings", "spokes", "columns"),
)


class _Nodes(ctypes.Structure):
    _fields_ = [
        *((name, _Line) for name in _LINES),
        ("rows", ctypes.c_int32),
        ("row_limit", ctypes.c_float),
        ("column_limit", ctypes.c_float),
    ]


class _Scene(ctypes.Structure):
    _fields_ = [
        ("sensors", _Sensors),
        ("nodes", _Nodes),
        ("lid_margin", ctypes.c_int32),
        ("tear_film", ctypes.c_int32),
        ("tables", ctypes.c_int32),
    ]


class Kernels:
    """A headset's sensors, nodes and effects as the C code takes them."""

    def __init__(self, sensors: Sensors, nodes: Nodes, effects: Effects) -> None:
        self._kept = (sensors, nodes)  # the C code reads their arrays
        self._count, self._across = sensors.count, sensors.table.shape[1]
        lines = {
            "aperture": (nodes.aperture_x, nodes.aperture_weight),
            "aperture_points": (nodes.aperture_y, nodes.aperture_y_weight),
            "limbus": (nodes.limbus.x, nodes.limbus.weight),
            "limbus_points": (nodes.limbus.y, nodes.limbus.y_weight),
            "pupil": (nodes.pupil.x, nodes.pupil.weight),
            "pupil_points": (nodes.pupil.y, nodes.pupil.y_weight),
            "edge": (nodes.edge_x, nodes.edge_weight),
            "rings": (nodes.skin_r, nodes.skin_weight),
            "spokes": (nodes.skin_cos, nodes.skin_sin),
            "columns": (nodes.sclera_x, nodes.sclera_x),
        }
        self._sensors = _Sensors(
            sensors.count,
            _floats(sensors.table),
            _lobe(sensors.detector),
            _lobe(sensors.emitter),
            len(sensors.steps),
            sensors.steps.ctypes.data_as(_Ints),
            _floats(sensors.mixing),
        )
        self._nodes = _Nodes(
            *(_Line(len(lines[name][0]), *map(_floats, lines[name])) for name in _LINES),
            nodes.rows,
            ROW_LIMIT_MM,
            SCLERA_LIMIT_MM,
        )
        self._effects = effects

    def render(self, eyes: Array32, poses: Array32, states: Array32, *, tables: bool) -> Array32:
        """(m, n, sensors) irradiance; see `psog.sim.render.render`.

        Args:
            eyes: (m, fields of EyeShape); poses: (m, 4); states: (m, n, STATE_COLUMNS).
        Raises:
            ToolchainError: no compiler, or it fails.
            SimulationError: no memory.
        """
        users, samples = states.shape[:2]
        eyes, poses, states = (np.ascontiguousarray(values, np.float32) for values in (eyes, poses, states))
        out = np.empty((users, samples, self._count), np.float32)
        scene = _Scene(self._sensors, self._nodes, self._effects.lid_margin, self._effects.tear_film, tables)
        arrays = (_floats(eyes), _floats(poses), samples, _floats(states), _floats(out))
        if library(self._across).psog_render(ctypes.byref(scene), users, *arrays) != 0:
            raise SimulationError(f"cannot simulate {samples} samples of {users} users: out of memory")
        return out


def surfaces_at(eye: Array32, state: Array32, x_mm: Array32, y_mm: Array32) -> Array32:
    """(n, 5) kind (0 skin, 1 sclera, 2 iris, 3 pupil), z and normal above points of the frontal plane.

    Args:
        eye: a row of `psog.sim.surfaces.eye_shapes`; state: one of `psog.sim.state.eye_states`.
        x_mm, y_mm: (n,).
    """
    out = np.empty((len(x_mm), 5), np.float32)
    eye, state = np.ascontiguousarray(eye), np.ascontiguousarray(state)
    library(ABREAST).psog_surfaces(
        _floats(eye), _floats(state), len(x_mm), _floats(x_mm), _floats(y_mm), _floats(out)
    )
    return out


def _floats(values: Array32) -> Any:
    if values.dtype != np.float32 or not values.flags.c_contiguous:
        raise TypeError(
            f"the kernels take contiguous float32, not {values.dtype} of strides {values.strides}"
        )
    return values.ctypes.data_as(_Floats)


def _lobe(response: Response) -> _Lobe:
    return _Lobe(response.whole, response.rest, max(len(response.table) - 1, 0), _floats(response.table))


@functools.cache
def library(across: int) -> Any:
    """The compiled kernels for `across` sensors, rounded up.

    Raises:
        ToolchainError: no C compiler, or it fails; or what it made cannot be kept or loaded.
    """
    path = compiled(across)
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise ToolchainError(
            f"cannot load the compiled simulator: {error}; set XDG_CACHE_HOME to a folder from "
            "which programs may be run"
        ) from error
    library.psog_render.argtypes = [
        *(ctypes.POINTER(_Scene), ctypes.c_int, _Floats, _Floats, ctypes.c_int, _Floats, _Floats)
    ]
    library.psog_render.restype = ctypes.c_int
    library.psog_surfaces.argtypes = [_Floats, _Floats, ctypes.c_int, _Floats, _Floats, _Floats]
    library.psog_surfaces.restype = None
    return library
