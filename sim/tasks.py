"""What a simulated user is asked to do: a table of tasks, each a sequence of things to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.sim.movement import EyeMovement, EyeSamples
from psog.sim.smooth import PURSUIT, VOR, Path, Ramp, Reflex, Swing
from psog.sim.streams import stream

Array = NDArray[np.float64]

VIEWING_S = (0.3, 1.5)
"""How long free viewing stays on a target; a weak value."""
VIEWING_DIOPTRES = (0.0, 2.0)
"""One over the distance of things one looks at freely: beyond half a metre; a weak value."""
RANDOM_S = (1.0, 1.5)
"""How long a target of the random-saccade task stays; as in common recording protocols, a weak value."""
CALIBRATION_S = 1.5
"""How long a calibration target stays; a weak value."""
GRID = 3
"""Calibration targets per row and column."""
GRID_REACH = 0.8
"""Calibration targets span this share of the field; a weak value."""
WORD_DEG, WORD_SD_DEG = 2.0, 0.6
"""How far reading goes on with each saccade: 7 to 9 letters of about 0.25° (Rayner 1998)."""
READING_S, READING_SD_S, READING_LEAST_S = 0.225, 0.05, 0.1
"""Fixations of reading (Rayner 1998: 200 to 250 ms)."""
REGRESSIONS = 0.12
"""Share of saccades that go back (Rayner 1998: 10 to 15 %)."""
LINES, TEXT_REACH = 8, 0.7
"""A page of text: lines, and the share of the field that it fills; weak values."""
PURSUIT_DEG_S = (5.0, 30.0)
"""Speeds of a dot to pursue: up to where pursuit keeps its gain (textbook value)."""
PURSUIT_LEAST_S = 0.8
"""How long the dot goes on in a straight line, at least: near goals are reached more slowly; a weak value."""
VOR_HZ, VOR_SWINGS = (0.3, 1.2), 3
"""Turns of the head: how fast, and how many while one target is looked at; weak values."""
VOR_TARGETS, VOR_REACH = 0.3, 0.6
"""Share of the field in which such targets stand, and through which they then swing; weak values."""


@dataclass(frozen=True)
class Step:
    """Something to look at for a while.

    Attributes:
        seconds: until the next step.
        target_deg: (2,) where the eye sees it, right and up positive.
        distance_m: how far away it is.
        path: how it moves from there; None if it stands.
        reflex: by which the eye follows it.
    """

    seconds: float
    target_deg: Array
    distance_m: float = np.inf
    path: Path | None = None
    reflex: Reflex = PURSUIT


Steps = Callable[[np.random.Generator, Array], Iterator[Step]]
"""Endless steps from a random stream and the field's half width and half height."""


def viewing(random: np.random.Generator, field_deg: Array) -> Iterator[Step]:
    """Targets of one's own choice, uniform over the field."""
    while True:
        target = random.uniform(-1, 1, 2) * field_deg
        dioptres = random.uniform(*VIEWING_DIOPTRES)
        seconds = random.uniform(*VIEWING_S)
        yield Step(seconds, target, distance_m=1 / dioptres if dioptres > 0 else np.inf)


def saccades(random: np.random.Generator, field_deg: Array) -> Iterator[Step]:
    """A dot that jumps over the field."""
    while True:
        target = random.uniform(-1, 1, 2) * field_deg
        yield Step(random.uniform(*RANDOM_S), target)


def calibration(random: np.random.Generator, field_deg: Array) -> Iterator[Step]:
    """A square grid of targets, in a new random order each time."""
    line = np.linspace(-1, 1, GRID) * GRID_REACH
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2) * field_deg
    while True:
        for target in random.permutation(grid):
            yield Step(CALIBRATION_S, target)


def reading(random: np.random.Generator, field_deg: Array) -> Iterator[Step]:
    """A page of text, line by line, with regressions; then the next page."""
    half = field_deg * TEXT_REACH
    while True:
        for height in np.linspace(half[1], -half[1], LINES):
            across = -half[0]
            while across < half[0]:
                seconds = max(READING_S + READING_SD_S * random.standard_normal(), READING_LEAST_S)
                yield Step(seconds, np.array([across, height]))
                stride = max(WORD_DEG + WORD_SD_DEG * random.standard_normal(), WORD_SD_DEG)
                across = max(across + stride * (-1 if random.random() < REGRESSIONS else 1), -half[0])


def pursuit(random: np.random.Generator, field_deg: Array) -> Iterator[Step]:
    """A dot that moves from place to place at constant speeds, to be followed."""
    here = random.uniform(-1, 1, 2) * field_deg
    while True:
        way = random.uniform(-1, 1, 2) * field_deg - here
        seconds = max(float(np.linalg.norm(way)) / random.uniform(*PURSUIT_DEG_S), PURSUIT_LEAST_S)
        yield Step(seconds, here, path=Ramp(way / seconds))
        here = here + way


def vor(random: np.random.Generator, field_deg: Array) -> Iterator[Step]:
    """Targets that stand in the room, while the head turns to and fro."""
    while True:
        target = random.uniform(-1, 1, 2) * field_deg * VOR_TARGETS
        swing = Swing(random.uniform(-1, 1, 2) * field_deg * VOR_REACH, random.uniform(*VOR_HZ))
        yield Step(VOR_SWINGS / swing.frequency_hz, target, path=swing, reflex=VOR)


@dataclass(frozen=True)
class Task:
    """Something to do with the eyes."""

    summary: str
    steps: Steps


TASKS = {
    "viewing": Task("free viewing of targets of one's own choice", viewing),
    "saccades": Task("a dot that jumps at random", saccades),
    "calibration": Task("a grid of targets in random order", calibration),
    "reading": Task("pages of text", reading),
    "pursuit": Task("a dot that moves smoothly", pursuit),
    "vor": Task("targets in the room, while the head turns", vor),
}


def task_named(name: str) -> Task:
    """The task of that name.

    Raises:
        SimulationError: no such task.
    """
    if name not in TASKS:
        raise SimulationError(f"unknown task {name!r}; expected one of {', '.join(TASKS)}")
    return TASKS[name]


class Viewer:
    """An eye that goes through the steps of a task, a few samples at a time."""

    def __init__(self, movement: EyeMovement, steps: Iterator[Step]) -> None:
        self._movement = movement
        self._steps = steps
        self._left = 0

    def advance(self, count: int) -> EyeSamples:
        """The next `count` samples.

        Raises:
            SimulationError: a negative count.
        """
        parts = [self._movement.advance(min(count, 0))]
        while count > 0:
            if self._left == 0:
                step = next(self._steps)
                if step.path is None:
                    self._movement.look_at(step.target_deg, distance_m=step.distance_m)
                else:
                    self._movement.follow(step.target_deg, step.path, reflex=step.reflex)
                self._left = max(round(step.seconds * self._movement.rate_hz), 1)
            length = min(count, self._left)
            parts.append(self._movement.advance(length))
            self._left -= length
            count -= length
        return EyeSamples(
            np.concatenate([part.gaze_deg for part in parts]),
            np.concatenate([part.openness for part in parts]),
            np.concatenate([part.event for part in parts]),
        )


def viewer(
    task: str,
    rate_hz: float,
    field_deg: tuple[float, float],
    seed: int,
    *,
    index: int = 0,
    side: float = 1.0,
    movement: EyeMovement | None = None,
) -> Viewer:
    """An eye at a task.

    Args:
        field_deg: half width and half height of where targets are.
        index: of the user, so that users of one seed do it differently.
        side: +1 for a right eye, -1 for a left eye.
        movement: the eye; one of its own, of that side, if not given.
    Raises:
        SimulationError: no such task, a rate that is not positive, or another side.
    """
    steps = task_named(task).steps(stream(seed, "targets", index), np.asarray(field_deg, dtype=np.float64))
    return Viewer(movement or EyeMovement(seed, rate_hz, index=index, side=side), steps)
