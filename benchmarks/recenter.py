"""`psog bench recenter`: gaze error after a calibration, after a slip, and after one look at one dot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

if TYPE_CHECKING:
    from psog.benchmarks.recenter_wearers import Slipped
    from psog.net.recovery import Recovery

SLIPS_MM = (0.0, 1.0, 2.0)


@dataclass(frozen=True)
class Command:
    """Wearers as a virtual headset has them calibrate at 9 points, slip, and look at the dot in the middle.

    The network and head are the firmware's integers, without its clock and port. See docs/recovery.md.
    """

    model: Positional[Path] = Path("ring16")
    """Model folder with what psog recovery learnt, or the name of a model that comes with psog."""
    wearers: int = 10
    """How many; some three seconds of a core each and slip."""
    seed: int = 1000
    """Of the first wearer; the others' follow."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        from psog.benchmarks.recenter_wearers import wear_and_slip
        from psog.errors import ModelError, SimulationError
        from psog.headset import load_headset
        from psog.net.recovery_file import load_recovery
        from psog.net.shipped import model_place
        from psog.net.store import load_model

        if self.wearers < 1 or self.seed < 0:
            raise SimulationError(
                f"{self.wearers} wearers of seed {self.seed}; expected at least one, of 0 or more"
            )
        folder = model_place(self.model)
        net = load_model(folder).net
        headset, recovery = load_headset(net.headset), load_recovery(folder, net)
        if recovery is None:
            raise ModelError(f"nothing is known of slips with {folder}; learn it with psog recovery {folder}")
        slips = {}
        console = Console(stderr=True)
        for slip_mm in SLIPS_MM:
            with console.status(f"{self.wearers} wearers, {slip_mm:g} mm"):
                worn = [
                    wear_and_slip(headset, net, recovery, seed=self.seed + k, slip_mm=slip_mm)
                    for k in range(self.wearers)
                ]
            slips[f"{slip_mm:g}"] = _summary(worn, recovery)
        document = {"model": str(self.model), "wearers": self.wearers, "seed": self.seed, "slips_mm": slips}
        if self.json:
            print(json.dumps(document))
        else:
            _print(document)


def _summary(worn: Sequence[Slipped], recovery: Recovery) -> dict[str, Any]:
    import numpy as np

    from psog.calibration.recentre import advice_of

    def both(values: list[float]) -> dict[str, float]:
        return {"median_deg": float(np.median(values)), "p95_deg": float(np.quantile(values, 0.95))}

    advice = [advice_of(one.dot_deg["nothing"], one.surprise, recovery.noise_deg) for one in worn]
    return {
        "error": {way: both([one.error_deg[way] for one in worn]) for way in worn[0].error_deg},
        "dot": {way: both([one.dot_deg[way] for one in worn]) for way in worn[0].dot_deg},
        "advised": {what: advice.count(what) for what in ("nothing", "recenter", "calibrate")},
    }


def _print(document: dict[str, Any]) -> None:
    from rich import print as show
    from rich.table import Table

    table = Table(title=f"{document['model']}, {document['wearers']} wearers: median / p95, degrees")
    ways = ("nothing", "offset", "one target")
    for heading in ("slip, mm", *ways, "dot before", "dot after", "advised"):
        table.add_column(heading, justify="right")
    for slip_mm, found in document["slips_mm"].items():
        errors = [found["error"][way] for way in ways]
        dots = [found["dot"][way] for way in ("nothing", "one target")]
        table.add_row(
            slip_mm,
            *(f"{one['median_deg']:.2f} / {one['p95_deg']:.2f}" for one in (*errors, *dots)),
            ", ".join(f"{count} {what}" for what, count in found["advised"].items() if count),
        )
    show(table)
