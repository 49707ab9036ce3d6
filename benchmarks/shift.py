"""`psog bench shift`: how far a headset has moved, told from readings without targets, against the truth."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psog.errors import ModelError, SimulationError

if TYPE_CHECKING:
    from rich.console import Console

    from psog.benchmarks.shift_wearers import Protocol
    from psog.benchmarks.tables import Table

MODELS = ("ring16", "grid15")


@dataclass(frozen=True)
class Command:
    """Wearers calibrate at 9 points, sit still, and their headset slips along each axis or is put on again.

    Compares what psog.live.shift tells with the truth, and with a drift number and a look at one dot. Quiet
    time has pupils that follow a changing display, squints and blinks, and no shift. See docs/recovery.md.
    """

    models: tuple[str, ...] = MODELS
    """Model folders with what psog recovery learnt, or names of models that come with psog."""
    wearers: int = 24
    """Of each; some eight seconds of a core each."""
    quiet_s: float = 60.0
    """Of each wearer, without a shift."""
    seed: int = 5000
    """Of the first wearer; the others' follow. None of them was trained on or chosen by."""
    short: bool = False
    """One wearer of the first model, a shift of 2 mm along each axis, and little quiet."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        from psog.benchmarks.shift_wearers import SHORT, Protocol

        if self.wearers < 1 or self.seed < 0 or not 0 <= self.quiet_s <= 3600 or not self.models:
            raise SimulationError(
                f"{self.wearers} wearers of seed {self.seed}, {self.quiet_s:g} quiet seconds, "
                f"{len(self.models)} models; expected at least one wearer, 0 or more, 0 to 3600, a model"
            )
        protocol = SHORT if self.short else Protocol(self.quiet_s)
        models, wearers = (self.models[:1], 1) if self.short else (self.models, self.wearers)
        console = Console(stderr=True)
        found = {model: self._of_model(model, wearers, protocol, console) for model in models}
        document = {"wearers": wearers, "seed": self.seed, "protocol": asdict(protocol), "headsets": found}
        if self.json:
            print(json.dumps(document))
        else:
            for table in tables(document):
                Console().print(table.rich())

    def _of_model(self, model: str, wearers: int, protocol: Protocol, console: Console) -> dict[str, Any]:
        from psog.benchmarks.shift_figures import figures
        from psog.benchmarks.shift_wearers import wear
        from psog.headset import load_headset
        from psog.net.recovery_file import load_recovery
        from psog.net.shift_file import load_shift_map
        from psog.net.shipped import model_place
        from psog.net.store import load_model

        folder = model_place(Path(model))
        net = load_model(folder).net
        headset = load_headset(net.headset)
        recovery, learnt = load_recovery(folder, net), load_shift_map(folder, net)
        if recovery is None or learnt is None:
            raise ModelError(f"nothing is known of slips with {folder}; learn it with psog recovery {folder}")
        worn = []
        with console.status("") as status:
            for k in range(wearers):
                status.update(f"{model}: wearer {k + 1} of {wearers}")
                worn.append(wear(headset, net, learnt, recovery, seed=self.seed + k, protocol=protocol))
        return figures(worn, protocol)


def tables(document: dict[str, Any]) -> list[Table]:
    """What is told against the truth, how soon, and what tells it best."""
    from psog.benchmarks import shift_figures

    return shift_figures.tables(document)
