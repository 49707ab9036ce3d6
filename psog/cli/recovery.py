"""`psog recovery`: what simulated slips teach about a model, for drift alarms and quick recovery."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

if TYPE_CHECKING:
    from psog.headset import Headset
    from psog.net.integer import IntegerNet
    from psog.net.recovery import Recovery
    from psog.net.shift import ShiftMap

SLIPS_MM = (0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Of a user's poses after the calibration; 4 mm is as far as two donnings within 2 mm are apart."""
REPEATS = 14
"""Readings of each target: 126 in a pose are as many fixations as an eye makes in some minutes."""


@dataclass(frozen=True)
class Command:
    """Learn from simulated slips how a model's users drift and how to set them right, without calibrating.

    Writes recovery.safetensors and, for how far the headset has moved, shift.safetensors into the model's
    folder; see docs/recovery.md.
    """

    model: Positional[Path]
    """Folder that psog train wrote."""
    users: int = 300
    """Simulated users to learn from."""
    seed: int = 0
    """Of these users; they are not those of psog train, psog evaluate or the benchmarks."""
    headset: str | None = None
    """The headset's TOML file, for a model of a headset that is not built in."""
    force: bool = False
    """Replace what was learnt before."""
    json: bool = False
    """Print what was learnt in a few numbers, as JSON."""

    def run(self) -> None:
        import json

        from rich.console import Console

        from psog.headset import load_headset
        from psog.net.learnt_file import check_free
        from psog.net.recovery_file import NAME, save_recovery
        from psog.net.shift_file import NAME as SHIFT_NAME
        from psog.net.shift_file import save_shift_map
        from psog.net.store import load_model

        net = load_model(self.model).net
        headset = load_headset(self.headset or net.headset)
        for name in (NAME, SHIFT_NAME):
            check_free(self.model, name, force=self.force)
        console = Console(stderr=True)
        with console.status(f"learning from slips of {self.users} users"):
            recovery = learnt_recovery(net, headset, users=self.users, seed=self.seed)
            shifts = learnt_shifts(net, headset, users=self.users, seed=self.seed)
        save_recovery(self.model, recovery, force=self.force)
        save_shift_map(self.model, shifts, force=self.force)
        what = {
            "users": self.users,
            "seed": self.seed,
            "changes": len(recovery.changes),
            "noise_deg": round(recovery.noise_deg, 3),
            "alarm": round(recovery.alarm, 3),
            "shift_still_mm": [round(float(mm), 3) for mm in shifts.still_mm],
        }
        if self.json:
            print(json.dumps(what))
        console.print(f"{self.model / NAME}: alarm at a drift of {recovery.alarm:.2f}", soft_wrap=True)


def learnt_recovery(net: IntegerNet, headset: Headset, *, users: int, seed: int) -> Recovery:
    """Simulate users who slip, and learn from them.

    Raises:
        ModelError: the model is for another headset.
        SimulationError: fewer than one user.
    """
    from psog.errors import ModelError
    from psog.net.calibrated import int8_features
    from psog.net.evaluation import noisy_wire
    from psog.net.recovery_learning import learn
    from psog.sim.episodes import make_test_episodes
    from psog.sim.streams import derived_seed

    if net.headset != headset.name:
        raise ModelError(
            f"cannot learn from slips: the model is for headset {net.headset!r}, expected {headset.name!r}"
        )
    own_seed = derived_seed(seed, "recovery")
    episodes = make_test_episodes(headset, users=users, seed=own_seed, repeats=REPEATS, slips_mm=SLIPS_MM)
    wire = noisy_wire(episodes, headset, own_seed)
    return learn(net, int8_features, wire, episodes.gaze_deg, SLIPS_MM, seed=seed)


def learnt_shifts(net: IntegerNet, headset: Headset, *, users: int, seed: int) -> ShiftMap:
    """Simulate users whose headset sits elsewhere after the calibration, and learn from them.

    Raises:
        SimulationError: fewer than one user.
        ModelError: fewer than two.
    """
    from psog.net.calibrated import int8_features
    from psog.net.evaluation import noisy_wire
    from psog.net.shift_learning import learn_shift
    from psog.sim.shifts import shifted_episodes
    from psog.sim.streams import derived_seed

    own_seed = derived_seed(seed, "recovery")
    shifted = shifted_episodes(headset, users=users, seed=own_seed)
    wire = noisy_wire(shifted.episodes, headset, own_seed)
    gaze_deg = shifted.episodes.gaze_deg
    return learn_shift(net, int8_features, wire, gaze_deg, shifted.shift_mm, seed=seed)
