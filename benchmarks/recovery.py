"""`psog bench recovery`: gaze error against time since the calibration, and what helps after slips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from psog.benchmarks.recovery_ways import Worn
    from psog.headset import Headset
    from psog.net.integer import IntegerNet
    from psog.net.recovery import Recovery

_LEARN_USERS, _LEARN_SEED = 300, 0


@dataclass(frozen=True)
class Command:
    """Hours of unseen users whose headset creeps, jolts, or is put on anew; and ways to recover.

    Uses what `psog recovery` learnt about the model; without, it is learnt first. See docs/recovery.md.
    """

    model: Annotated[Path, tyro.conf.Positional]
    """Folder that psog train wrote."""
    out: Path | None = None
    """Picture to draw, .png: error over time."""
    users: int = 20
    """Unseen ones; the same in every kind of wear."""
    minutes: int = 60
    """How long each wears the headset."""
    seed: int = 999
    """Of the users, what happens to them, and noise."""
    headset: str | None = None
    """The headset's TOML file, for a model of a headset that is not built in."""
    force: bool = False
    """Replace an existing picture."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        from psog.benchmarks.recovery_figures import after_gazes, alarms_per_h, delays, detection, errors
        from psog.errors import SimulationError
        from psog.files import check_new_file
        from psog.headset import load_headset
        from psog.net.store import load_model

        if self.out is not None:
            check_new_file(self.out, ".png", SimulationError, force=self.force)
        net = load_model(self.model).net
        headset = load_headset(self.headset or net.headset)
        console = Console(stderr=True)
        recovery = self._recovery(net, headset, console)
        hours = self._wear(net, headset, recovery, console)
        worn = {name: one for name, (one, _) in hours.items()}
        if self.out is not None:
            from psog.benchmarks.recovery_picture import draw_recovery

            draw_recovery({name: one.error_deg for name, one in worn.items()}, self.out)
        document = {
            "model": str(self.model),
            "users": self.users,
            "minutes": self.minutes,
            "seed": self.seed,
            "alarm": round(recovery.alarm, 3),
            "errors": {name: errors(one) for name, one in worn.items()},
            "alarms_per_h": {name: alarms_per_h(one) for name, one in worn.items()},
            "detection": detection(list(worn.values())),
            "jolt": delays(worn["jolt"]),
            "after_a_minute_of": after_gazes(list(hours.values())),
        }
        if self.json:
            import json

            print(json.dumps(document))
        else:
            _print(document)

    def _recovery(self, net: IntegerNet, headset: Headset, console: Console) -> Recovery:
        from psog.cli.recovery import learnt_recovery
        from psog.net.recovery_file import load_recovery

        known = load_recovery(self.model, net)
        if known is not None:
            return known
        with console.status(f"learning from slips of {_LEARN_USERS} users (psog recovery keeps that)"):
            return learnt_recovery(net, headset, users=_LEARN_USERS, seed=_LEARN_SEED)

    def _wear(
        self, net: IntegerNet, headset: Headset, recovery: Recovery, console: Console
    ) -> dict[str, tuple[Worn, NDArray[np.intp]]]:
        """Of each wear: what happened, and (users, minutes) what was looked at."""
        from psog.benchmarks.recovery_ways import wear
        from psog.net.evaluation import noisy_wire
        from psog.sim.hours import WEARS, wear_for_hours

        found = {}
        for name, how in WEARS.items():
            with console.status(f"{name}: {self.users} users for {self.minutes} minutes"):
                hours = wear_for_hours(headset, how, users=self.users, seed=self.seed, minutes=self.minutes)
                wire = noisy_wire(hours.episodes, headset, self.seed)
                found[name] = wear(net, recovery, wire, hours.episodes.gaze_deg), hours.gaze
        return found


def _print(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    title = (
        f"gaze error of {document['users']} unseen users over {document['minutes']} minutes "
        f"(seed {document['seed']}), degrees: median user / 95th percentile"
    )
    ways = next(iter(document["errors"].values()))
    table = Table("wear", *ways, "alarms/h", title=title)
    for name, row in document["errors"].items():
        cells = [f"{way['median_deg']:.2f} / {way['p95_deg']:.2f}" for way in row.values()]
        table.add_row(name, *cells, f"{document['alarms_per_h'][name]:.1f}")
    gazes = Table("after a minute of", *ways, title="median over the minutes of all wears, degrees")
    for name, medians in document["after_a_minute_of"].items():
        gazes.add_row(name, *(f"{medians[way]:.2f}" if way in medians else "" for way in ways))
    console = Console()
    console.print(table)
    console.print(gazes)
    told, jolt = document["detection"], document["jolt"]
    console.print(
        f"drift where the error grew by over {told['grew_deg']:g}°: AUROC {told['auroc']}; after the jolt "
        f"{jolt['found']} of {jolt['users']} users had an alarm, the median in minute {jolt['median_min']}"
    )
