"""`psog bench sim`: how fast the simulator is, and how far its quadrature is from a fine one."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from psog.errors import SimulationError
from psog.headset import Headset, built_in_headsets, load_headset
from psog.sim.population import draw_users
from psog.sim.render import FINE, Optics, pose_rows, render
from psog.sim.state import eye_states
from psog.sim.streams import stream

_SHIFT_MM, _ROLL_DEG = np.array([3.0, 3.0, 1.5]), 3.0
_ERROR_POSES, _ERROR_SAMPLES = 200, 16


@dataclass(frozen=True)
class Command:
    """Samples per second (readings of all sensors), and the quadrature's error against a fine one."""

    headsets: Annotated[tuple[str, ...], tyro.conf.Positional] = field(default_factory=tuple)
    """Built-in headsets or TOML files; all built-in ones unless given."""
    poses: int = 1000
    """Users, each in a pose of their own, in the timed run."""
    samples: int = 64
    """Samples per pose in the timed run."""
    seed: int = 0
    """Of users, poses and gazes."""
    json: bool = False
    """Print one JSON document: an object with the figures by headset, and those of the first on top."""

    def run(self) -> None:
        if min(self.poses, self.samples) < 1:
            raise SimulationError("cannot measure nothing: --poses and --samples must be at least 1")
        headsets = [load_headset(name) for name in self.headsets or reversed(built_in_headsets())]
        with Console(stderr=True).status("measuring (the first time the simulator is compiled)"):
            figures = {headset.name: measure(headset, self) for headset in headsets}
        if self.json:
            print(json.dumps({**figures[headsets[0].name], "headsets": figures}))
        else:
            _print(figures)


def measure(headset: Headset, setting: Command) -> dict[str, Any]:
    """Speed and error for one headset.

    `quadrature_error` is the rms difference to FINE over all readings, as a fraction of their mean;
    `quadrature_error_worst` the same for the worst sensor.
    """
    optics = Optics(headset)
    checked = _scenes(headset, _ERROR_POSES, _ERROR_SAMPLES, setting.seed)
    found, fine = render(optics, *checked), render(Optics(headset, FINE), *checked)
    squares = ((found.astype(np.float64) - fine) ** 2).mean(axis=(0, 1))
    timed = _scenes(headset, setting.poses, setting.samples, setting.seed + 1)
    start, cpu_start = time.perf_counter(), time.process_time()
    render(optics, *timed)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    count = setting.poses * setting.samples
    return {
        "samples_per_s": round(count / seconds),
        "samples_per_cpu_s": round(count / cpu_seconds),
        "cores": len(os.sched_getaffinity(0)),
        "quadrature_error": float(np.sqrt(squares.mean()) / fine.mean()),
        "quadrature_error_worst": float((np.sqrt(squares) / fine.mean(axis=(0, 1))).max()),
        "sensors": headset.sensor_count,
        "samples_per_pose": setting.samples,
    }


def _scenes(headset: Headset, poses: int, samples: int, seed: int) -> tuple[Any, Any, Any]:
    """Users, poses and states with everything varied at once."""
    random = stream(seed, "bench")
    users = draw_users(poses, seed)
    shift, roll = random.uniform(-1, 1, (poses, 3)) * _SHIFT_MM, random.uniform(-1, 1, poses) * _ROLL_DEG
    states = eye_states(
        users,
        roll_deg=roll,
        gaze_deg=random.uniform(-1, 1, (poses, samples, 2)) * headset.field_deg,
        openness=np.ones((poses, samples)),
        pupil_mm=random.uniform(2, 8, (poses, samples)),
        lid_offset_mm=random.standard_normal((poses, samples, 2)) * 0.2,
    )
    return users, pose_rows(shift, roll), states


def _print(figures: dict[str, dict[str, Any]]) -> None:
    table = Table("headset", "sensors", "samples/s", "per CPU second", "error", "worst sensor")
    for name, found in figures.items():
        table.add_row(
            name,
            str(found["sensors"]),
            f"{found['samples_per_s']:,}",
            f"{found['samples_per_cpu_s']:,}",
            f"{found['quadrature_error']:.2%}",
            f"{found['quadrature_error_worst']:.2%}",
        )
    Console().print(table)
