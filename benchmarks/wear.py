"""`psog bench wear`: how a headset moves on a head over an hour, and how a pupil answers to light."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    from psog.headset import Headset
    from psog.sim.wear_picture import Hours

_HOUR_S, _RATE_HZ = 3600, 5.0
_TIMED_S = 30


@dataclass(frozen=True)
class Moved:
    """How far headsets were from where they had been put on, over an hour and all users.

    Attributes:
        shift_mm, roll_deg: mean distance.
        shift_p95_mm, roll_p95_deg: 95th percentile.
        shift_most_mm: of any user at any time.
    """

    shift_mm: float
    shift_p95_mm: float
    shift_most_mm: float
    roll_deg: float
    roll_p95_deg: float


@dataclass(frozen=True)
class Command:
    """Draw how headsets move on heads in an hour and how pupils answer to a step of light; measure both."""

    headset: Annotated[str, tyro.conf.Positional] = "ring16"
    """Whose readings are timed."""
    out: Path | None = None
    """Picture to draw, .png."""
    users: int = 40
    """How many wear it."""
    seed: int = 0
    """Of everything random."""
    force: bool = False
    """Replace an existing picture."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        from psog.errors import SimulationError
        from psog.files import check_new_file
        from psog.headset import load_headset
        from psog.sim.wear_picture import draw_wear, worn_for

        if self.users < 1:
            raise SimulationError(f"cannot watch {self.users} users; expected at least 1")
        if self.out is not None:
            check_new_file(self.out, ".png", SimulationError, force=self.force)
        headset = load_headset(self.headset)
        with Console(stderr=True).status("wearing headsets for an hour"):
            hours = worn_for(_HOUR_S, _RATE_HZ, self.users, self.seed)
            moved = {name: _moved(fits) for name, fits in hours.fits.items()}
            cpu_ms = {name: _cpu_ms(headset, name, self.seed) for name in ("fixed", *hours.fits)}
            if self.out is not None:
                draw_wear(hours, self.out, self.seed)
        if self.json:
            import json

            what: dict[str, Any] = {"seed": self.seed, "users": self.users, "headset": headset.name}
            what["moved"] = {name: asdict(row) for name, row in moved.items()}
            what["cpu_ms_per_s"] = cpu_ms
            print(json.dumps(what))
        else:
            _print(moved, cpu_ms)


def _moved(fits: Hours) -> Moved:
    import numpy as np

    distance, roll = np.linalg.norm(fits[..., :3], axis=-1), np.abs(fits[..., 3])
    numbers = (
        distance.mean(),
        np.quantile(distance, 0.95),
        distance.max(),
        roll.mean(),
        np.quantile(roll, 0.95),
    )
    return Moved(*(round(float(number), 3) for number in numbers))


def _cpu_ms(headset: Headset, motion: str, seed: int) -> float:
    """Processor time for a second of one headset's signals, while it looks around for half a minute."""
    import time

    from psog.sim.live import LiveEye
    from psog.sim.population import draw_users
    from psog.sim.slippage import motion_named
    from psog.sim.tasks import viewer

    samples = viewer("viewing", headset.rate_hz, headset.field_deg, seed).advance(
        round(_TIMED_S * headset.rate_hz)
    )
    eye = LiveEye(headset, draw_users(1, seed), 0, seed, motion=motion_named(motion))
    eye.read(samples.gaze_deg[:1], samples.openness[:1])  # compiles what is not to be timed
    start = time.process_time()
    eye.read(samples.gaze_deg, samples.openness)
    return round(1000 * (time.process_time() - start) / _TIMED_S, 1)


def _print(moved: dict[str, Moved], cpu_ms: dict[str, float]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("wear", "shift / mm", "95 %", "most", "roll / °", "95 %", "CPU ms/s")
    for name, cost in cpu_ms.items():
        far = [f"{value:.2f}" for value in asdict(moved[name]).values()] if name in moved else ["0"] * 5
        table.add_row(name, *far, f"{cost:.1f}")
    Console().print(table)
