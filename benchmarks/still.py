"""`psog bench still`: which readings the device takes for those of an eye at rest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from psog.benchmarks.tables import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATES_HZ = (1000, 250, 100, 30)
SETTLED_S = 0.1
"""How long the device looks back (psog.device.stillness)."""
LARGE_DEG = 5.0


@dataclass(frozen=True)
class Command:
    """Simulated wearers look around, not calibrated; judged by the device's rule (psog.device.stillness).

    Slower headsets are made from the 1 kHz recording by leaving out readings.
    """

    model: Annotated[Path, tyro.conf.Positional] = Path("ring16")
    """Folder of `psog train`, or the name of a model that comes with psog."""
    users: int = 24
    """Whom the model does not know."""
    seconds: float = 20.0
    """Of each."""
    seed: int = 1000
    """Of users, their movements and noise."""
    short: bool = False
    """Two users for five seconds."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        users, seconds = (2, 5.0) if self.short else (self.users, self.seconds)
        document = measure(self.model, users, seconds, self.seed, Console(stderr=True))
        if self.json:
            print(json.dumps(document))
        else:
            for table in tables(document):
                Console().print(table.rich())


def measure(model: Path, users: int, seconds: float, seed: int, console: Any) -> dict[str, Any]:
    """Per rate the shares of readings that are taken for rest, of each kind of reading."""
    import numpy as np

    from psog.headset import load_headset
    from psog.net.architecture import OPENNESS
    from psog.net.shipped import model_place
    from psog.net.store import load_model
    from psog.sim.config import SimulationConfig
    from psog.sim.simulate import simulate

    net = load_model(model_place(model)).net
    headset = load_headset(net.headset)
    with console.status(f"{users} users"):
        recording = simulate(SimulationConfig(headset, users, seed, seconds))
        said = net.apply_head(net.features(net.input(headset.to_wire(recording.readings))))
    of_user = [np.flatnonzero(recording.columns["user"] == user) for user in range(users)]
    kinds = [_kinds(recording.columns, rows, recording.t_us) for rows in of_user]
    found: dict[str, Any] = {}
    for rate_hz in RATES_HZ:
        every = round(headset.rate_hz / rate_hz)
        read = [rows[::every] for rows in of_user]
        with console.status(f"{rate_hz} Hz"):
            rests = np.concatenate(
                [_rests(recording.t_us[rows], said[rows, :2], said[rows, OPENNESS]) for rows in read]
            )
        of = {name: np.concatenate([own[name][::every] for own in kinds]) for name in kinds[0]}
        found[str(rate_hz)] = {name: float(rests[rows].mean()) for name, rows in of.items()}
    return {"model": model.name, "users": users, "seconds": seconds, "seed": seed, "rates_hz": found}


def _rests(
    t_us: NDArray[np.int64], gaze_deg: NDArray[np.floating], openness: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """(n,) what the device says of an eye's readings, one after the other."""
    import numpy as np

    from psog.device.lids import Lids
    from psog.device.stillness import Stillness

    lids, stillness = Lids(), Stillness()
    return np.array(
        [
            stillness.rests(int(t), (float(h), float(v)), valid=lids.open(int(t), float(o)))
            for t, (h, v), o in zip(t_us, gaze_deg, openness, strict=True)
        ]
    )


def _kinds(
    columns: Mapping[str, NDArray[Any]], rows: NDArray[np.intp], t_us: NDArray[np.int64]
) -> dict[str, NDArray[np.bool_]]:
    """(n,) which of a user's readings are of what."""
    import numpy as np

    from psog.recording import BLINK, FIXATION, SACCADE
    from psog.sim.movement_statistics import stretches

    event, t_s = columns["event"][rows], t_us[rows] / 1e6
    gaze_deg = np.stack([columns["gaze_h_deg"][rows], columns["gaze_v_deg"][rows]], axis=1)
    settled, large = np.zeros((2, len(rows)), np.bool_)
    for begin, end in stretches(event == FIXATION):
        settled[begin:end] = t_s[begin:end] - t_s[begin] >= SETTLED_S
    for begin, end in stretches(event == SACCADE):
        large[begin:end] = np.linalg.norm(gaze_deg[end - 1] - gaze_deg[begin]) >= LARGE_DEG
    return {
        f"of fixations that have lasted for {1000 * SETTLED_S:.0f} ms": settled,
        "of all fixations": event == FIXATION,
        f"of saccades of {LARGE_DEG:g}° or more": large,
        "of blinks": event == BLINK,
    }


def tables(document: dict[str, Any]) -> Sequence[Table]:
    """The one table, a column for each rate."""
    rates = document["rates_hz"]
    kinds = next(iter(rates.values()))
    title = (
        f"{document['model']}, {document['users']} users for {document['seconds']:g} s each, "
        f"seed {document['seed']}: share of readings that are taken for rest"
    )
    rows = [(kind, *(f"{shares[kind]:.1%}" for shares in rates.values())) for kind in kinds]
    return [Table(title, ("readings", *(f"{rate} Hz" for rate in rates)), rows)]
