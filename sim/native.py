"""The kernels in C: compiled on first use, kept in a cache, called without Python's lock.

The machine code is named after its sources, the constants it uses, the compiler and the processor, so that it
is made once and never used for others. Another processor may round the last digit otherwise.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError, ToolchainError
from psog.sim import anatomy
from psog.sim.effects import Effects
from psog.sim.optics import ABREAST, Response, Sensors
from psog.sim.quadrature import ROW_LIMIT_MM, SCLERA_LIMIT_MM, Nodes

Array32 = NDArray[np.float32]

_SOURCES = Path(__file__).resolve().parent / "kernels"
_FLAGS = ("-std=c99", "-O3", "-march=native", "-ffast-math", "-fPIC", "-shared")
_WARNINGS = ("-Wall", "-Wextra", "-Werror")
_CONSTANTS = (
    "CORNEA_INDEX",
    "TEAR_INDEX",
    "LID_THICKNESS_MM",
    "FACE_HEIGHT_MM",
    "FACE_BLEND_MM",
    "FORNIX",
    "RELIEF_WIDTH_MM",
    "CREASE_WIDTH_MM",
    "LASH_RISE",
    "LENS_MM",
    "LENS_TRANSMISSION",
    "SEEN_CREASE",
    "SEEN_CREASE_AT_MM",
    "SEEN_CREASE_WIDTH_MM",
    "SEEN_FACE",
    "SEEN_FACE_AT_MM",
    "SEEN_FACE_WIDTH_MM",
    "NOMINAL_SHELL_MM",
    "BOUNCE_ON_SKIN",
    "BOUNCE_ON_EYE",
    "GLINT_LIMBUS_BLUR_MM",
    "GLINT_LID_BLUR_MM",
)
"""Of `psog.sim.anatomy`: what the kernels use of it."""

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
        ToolchainError: no C compiler, or it fails.
    """
    library = ctypes.CDLL(str(_compiled(across)))
    library.psog_render.argtypes = [
        *(ctypes.POINTER(_Scene), ctypes.c_int, _Floats, _Floats, ctypes.c_int, _Floats, _Floats)
    ]
    library.psog_render.restype = ctypes.c_int
    library.psog_surfaces.argtypes = [_Floats, _Floats, ctypes.c_int, _Floats, _Floats, _Floats]
    library.psog_surfaces.restype = None
    return library


def build_name(across: int) -> str:
    """Names the machine code for `across` sensors: sources, constants, compiler and processor decide it.

    Raises:
        ToolchainError: no C compiler.
    """
    compiler = _compiler()
    made_by = _run([compiler, "--version"]) + _run([compiler, "-march=native", "-Q", "--help=target"])
    digest = hashlib.sha256()
    texts = (source.read_text("utf-8") for source in sorted(_SOURCES.iterdir()))
    for part in (made_by, _constants(across), *_FLAGS, *texts):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:24]


def _constants(across: int) -> str:
    """The header that Python's constants come in."""
    lines = [f"#define {name} {getattr(anatomy, name)!r}f" for name in _CONSTANTS]
    return "\n".join([*lines, f"enum {{ ACROSS = {across} }};", ""])


def _compiler() -> str:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise ToolchainError(
            "the simulator needs a C compiler, and there is no gcc; apt-get install gcc libc6-dev"
        )
    return compiler


def _compiled(across: int) -> Path:
    """The shared library, from the cache if it is there; it appears there complete or not at all."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "psog" / "simulator"
    built = folder / f"{build_name(across)}.so"
    if built.exists():
        return built
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as place:
            Path(place, "anatomy.h").write_text(_constants(across), "utf-8")
            partial = Path(place, built.name)
            source = str(_SOURCES / "render.c")
            _run([_compiler(), *_WARNINGS, *_FLAGS, f"-I{place}", source, "-o", str(partial), "-lm"])
            partial.replace(built)
    except OSError as error:
        raise ToolchainError(
            f"cannot keep the compiled simulator in {folder}: {error.strerror or error}; "
            "set XDG_CACHE_HOME to a folder that can be written"
        ) from error
    return built


def _run(command: list[str]) -> str:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        complaint = next((x for x in run.stderr.splitlines() if "error" in x.lower()), run.stderr.strip())
        raise ToolchainError(
            f"{Path(command[0]).name} cannot compile the simulator (exit {run.returncode}): {complaint}"
        )
    return run.stdout
