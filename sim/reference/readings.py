"""Path-traced readings of a headset, component by component, and the file they are kept in."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import psog
from psog.errors import SimulationError
from psog.files import writing_file
from psog.headset import Headset
from psog.sim.reference.beams import Beams
from psog.sim.reference.rays import Array, Components, Sampling
from psog.sim.reference.scene import KINDS, SKIN, WALL
from psog.sim.reference.states import TOLD, States, plain_users

Progress = Callable[[int, int], None]
"""Called with (states done, states in all)."""

_FORMAT = 1
_STATE_ARRAYS = ("user", "gaze_deg", "shift_mm", "roll_deg", "openness", "pupil_mm", "lid_offset_mm")
_COMPONENT_ARRAYS = ("direct", "indirect", "glint", "bare", "error")
_KEPT_BITS = np.uint32(0xFFFFF800)
"""Of a float32: one part in 4,000, finer than what the rays leave, and the file packs better."""


@dataclass(frozen=True)
class Readings:
    """What one headset's sensors receive in n states (1/mm², per unit on-axis radiant intensity).

    Attributes:
        direct: (n, sensors, KINDS) light scattered once, by the surface that scattered it.
        indirect: (n, sensors, 2) all light scattered or mirrored more often, by where it comes from last:
            skin and lid margins, or the eye.
        glint: (n, sensors) what the cornea mirrors straight from emitter to detector.
        bare: (n, sensors) `direct` of the scene without cornea, iris and pupil where they are.
        error: (n, sensors) standard error of direct + indirect.
    """

    direct: Array
    indirect: Array
    glint: Array
    bare: Array
    error: Array

    @property
    def total(self) -> Array:
        return np.asarray(self.direct.sum(-1) + self.indirect.sum(-1) + self.glint)


@dataclass(frozen=True)
class Library:
    """States with the readings of several headsets, and how they were made."""

    states: States
    readings: dict[str, Readings]
    made: dict[str, Any]


def path_trace(
    headsets: Sequence[Headset],
    states: States,
    sampling: Sampling,
    *,
    seed: int,
    progress: Progress | None = None,
) -> Library:
    """Render all states for all headsets.

    Raises:
        MissingExtraError, ToolchainError: Mitsuba or the LLVM it needs is missing.
        SimulationError: a headset whose lobes are tables.
    """
    from psog.sim.reference.engine import engine
    from psog.sim.reference.eye import Eye
    from psog.sim.reference.rays import trace
    from psog.sim.reference.scene import build

    mitsuba = engine()
    rows, pose = states.rows[:, 0], states.pose
    found: dict[str, list[tuple[Array, ...]]] = {headset.name: [] for headset in headsets}
    for k in range(len(states)):
        eye = Eye.of(states.users, int(states.user[k]), rows[k])
        whole, bare = build(mitsuba, eye), build(mitsuba, eye, cornea=False)
        for headset in headsets:
            beams = Beams.of(headset, pose[k])
            found[headset.name].append(
                _summary(
                    trace(mitsuba, whole, beams, sampling, seed=seed * len(states) + k),
                    trace(mitsuba, bare, beams, sampling, seed=seed * len(states) + k, depth=1),
                )
            )
        if progress:
            progress(k + 1, len(states))
    made = {"psog": psog.__version__, "mitsuba": mitsuba.version, "seed": seed, **asdict(sampling)}
    readings = {name: Readings(*map(np.array, zip(*rows, strict=True))) for name, rows in found.items()}
    return Library(states, readings, made)


def _summary(whole: Components, bare: Components) -> tuple[Array, ...]:
    """The components of one state in the order of the fields of Readings."""
    direct, indirect = whole.direct.mean(axis=1), whole.indirect.mean(axis=1)
    skin = np.isin(np.arange(len(KINDS)), (SKIN, WALL))
    halves = np.stack([indirect[:, skin].sum(-1), indirect[:, ~skin].sum(-1)], axis=-1)
    totals = whole.direct.sum(-1) + whole.indirect.sum(-1)
    error = totals.std(axis=1, ddof=1) / np.sqrt(totals.shape[1])
    return direct, halves, whole.glint, bare.direct.mean(axis=1).sum(-1), error


def write_library(library: Library, path: Path) -> None:
    """Arrays without pickles; what was there is replaced.

    Raises:
        SimulationError: the file cannot be written.
    """
    states = library.states
    arrays = {f"users/{name}": getattr(states.users, name) for name in TOLD}
    arrays |= {f"states/{name}": getattr(states, name) for name in _STATE_ARRAYS}
    for headset, readings in library.readings.items():
        arrays |= {f"{headset}/{name}": _coarse(getattr(readings, name)) for name in _COMPONENT_ARRAYS}
    about = {"format": _FORMAT, "headsets": list(library.readings), **library.made}
    with writing_file(path, SimulationError) as partial:
        np.savez_compressed(partial, about=np.array(json.dumps(about)), **arrays)


def _coarse(values: Array) -> np.ndarray:
    return (np.asarray(values, np.float32).view(np.uint32) & _KEPT_BITS).view(np.float32)


def read_library(path: Path) -> Library:
    """
    Raises:
        SimulationError: no such file, or not one that `write_library` wrote.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if about.pop("format") != _FORMAT:
                raise ValueError("another format")
            users = plain_users({name: file[f"users/{name}"] for name in TOLD})
            states = States(users, **{name: file[f"states/{name}"] for name in _STATE_ARRAYS})
            readings = {
                headset: Readings(**{name: _double(file[f"{headset}/{name}"]) for name in _COMPONENT_ARRAYS})
                for headset in about.pop("headsets")
            }
        _check_shapes(states, readings)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise SimulationError(
            f"cannot read path-traced readings from {path}: {error}; expected a file that "
            "`psog bench reference --out` wrote"
        ) from error
    return Library(states, readings, about)


def _check_shapes(states: States, readings: dict[str, Readings]) -> None:
    n = len(states.user)
    expected = {"gaze_deg": (n, 2), "shift_mm": (n, 3), "lid_offset_mm": (n, 2)}
    shapes = [(getattr(states, name).shape, expected.get(name, (n,))) for name in _STATE_ARRAYS]
    for one in readings.values():
        sensors = one.glint.shape[1:2]
        last = {"direct": (len(KINDS),), "indirect": (2,)}
        shapes += [
            (getattr(one, name).shape, (n, *sensors, *last.get(name, ()))) for name in _COMPONENT_ARRAYS
        ]
    if any(found != wanted for found, wanted in shapes):
        raise ValueError("arrays of shapes that do not belong together")


def _double(values: np.ndarray) -> Array:
    return values.astype(np.float64)
