"""What a simulated user is asked to do: a table of tasks, each a sequence of things to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from psog.errors import SimulationError
from psog.sim.movement import EyeMovement, EyeSamples
from psog.sim.streams import stream

Array = NDArray[np.float64]

VIEWING_S = (0.3, 1.5)
"""How long free viewing stays on a target; a weak value."""
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


@dataclass(frozen=True)
class Step:
    """Something to look at for a while.

    Attributes:
        seconds: until the next step.
        target_deg: (2,) where it is, right and up positive.
    """

    seconds: float
    target_deg: Array


Steps = Callable[[np.random.Generator, Array], Iterator[Step]]
"""Endless steps from a random stream and the field's half width and half height."""


def viewing(random: np.random.Generator, field_deg: Array) -> Iterator[Step]:
    """Targets of one's own choice, uniform over the field."""
    while True:
        target = random.uniform(-1, 1, 2) * field_deg
        yield Step(random.uniform(*VIEWING_S), target)


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
                self._movement.look_at(step.target_deg)
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
    movement: EyeMovement | None = None,
) -> Viewer:
    """An eye at a task.

    Args:
        field_deg: half width and half height of where targets are.
        index: of the user, so that users of one seed do it differently.
        movement: the eye; one of its own if not given.
    Raises:
        SimulationError: no such task, or a rate that is not positive.
    """
    steps = task_named(task).steps(stream(seed, "targets", index), np.asarray(field_deg, dtype=np.float64))
    return Viewer(movement or EyeMovement(seed, rate_hz, index=index), steps)
