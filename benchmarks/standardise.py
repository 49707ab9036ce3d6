"""`psog bench standardise`: what standardising on the device brings to some headsets, and costs others."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from psog.benchmarks.tables import Table
from psog.errors import PsogError, RecordingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from psog.benchmarks.standardise_wearers import Worn
    from psog.headset import Headset
    from psog.net.domain.standardise import WearStatistics
    from psog.net.integer import IntegerNet, Normalisation

SLIPS_MM = (0.0, 1.0)
AS_IT_IS, ON_DEVICE, MEAN_AND_SD, TRUE = "as it is", "on the device", "mean and SD", "true gains"
WAYS = (AS_IT_IS, ON_DEVICE, MEAN_AND_SD, TRUE)
MEASURES = ("uncalibrated", "9 points", "9 points, 1 mm slip")
_SHORTEST_S, _LONGEST_S = 12.0, 60.0
"""Below, mean and SD have too few readings at rest; above, a device has too many at 1 kHz."""


@dataclass(frozen=True)
class Command:
    """Wearers of headsets that are as designed, have aged, or have parts beside their place.

    Each looks around for a minute, on another day and in another fit than the one that counts; then gaze
    error without a calibration, after one of 9 points, and after a slip: as the headset is, standardised as
    the device does it, by means and SDs (psog.net.domain.standardise), and by the gains that it really has.
    """

    headsets: tuple[str, ...] = ("ring16", "grid15")
    """With the model that comes with psog for each."""
    users: int = 24
    """Wearers, none of whom was trained on."""
    seconds: float = 60.0
    """Of looking around."""
    seed: int = 999
    """Of wearers, gains and parts; wearer k depends on (seed, k) alone."""
    short: bool = False
    """Two wearers, 12 seconds, one headset."""
    json: bool = False
    """Print one JSON document, and nothing else on standard output."""

    def run(self) -> None:
        from rich.console import Console

        asked = self
        if self.short:
            asked = replace(self, headsets=self.headsets[:1], users=2, seconds=_SHORTEST_S)
        if asked.users < 2 or not _SHORTEST_S <= asked.seconds <= _LONGEST_S:
            raise PsogError(
                f"{asked.users} users and {asked.seconds:g} s are asked for; expected 2 users or more and "
                f"{_SHORTEST_S:g} to {_LONGEST_S:g} s"
            )
        console = Console(stderr=True)
        document = {
            "users": asked.users,
            "seconds": asked.seconds,
            "seed": asked.seed,
            "slips_mm": list(SLIPS_MM),
            "headsets": {name: asked.measure(name, console) for name in asked.headsets},
        }
        if self.json:
            print(json.dumps(document))
        else:
            for table in tables(document):
                Console().print(table.rich())

    def measure(self, name: str, console: Console) -> dict[str, Any]:
        """{device: {way: {measure: figures}}}, figures as of `_figures`."""
        import numpy as np

        from psog.benchmarks.standardise_wearers import DEVICES, wearers
        from psog.headset import load_headset
        from psog.net.shipped import shipped_folders
        from psog.net.store import load_model

        folders = shipped_folders()
        if name not in folders:
            raise PsogError(f"no model of {name!r} comes with psog; there is {', '.join(folders)}")
        headset, net = load_headset(name), load_model(folders[name]).net
        errors = {device: np.zeros((len(WAYS), self.users, len(MEASURES))) for device in DEVICES}
        with console.status(f"{name}: how wearers of the training look around") as status:
            known = self._known(headset)
            all_of_them = wearers(headset, self.users, self.seconds, self.seed, SLIPS_MM)
            for user, devices in enumerate(all_of_them):
                status.update(f"{name}: wearer {user + 1} of {self.users}")
                for device, worn in devices.items():
                    for index, normalisation in enumerate(_ways(net.normalisation, worn, known)):
                        used = replace(net, normalisation=normalisation)
                        errors[device][index, user] = _errors_deg(used, worn, headset, user)
        return {device: _figures(of_device) for device, of_device in errors.items()}

    def _known(self, headset: Headset) -> _Known:
        """From other wearers of the headset as designed, half as many, half as long."""
        from psog.benchmarks.standardise_wearers import sound_minutes
        from psog.net.domain.standardise import exact_statistics, pooled
        from psog.sim.brightness import mean_wire
        from psog.sim.streams import derived_seed

        seed, seconds = derived_seed(self.seed, "source"), max(_SHORTEST_S, self.seconds / 2)
        minutes = sound_minutes(headset, max(1, self.users // 2), seconds, seed)
        return _Known(mean_wire(headset), pooled([exact_statistics(wire) for wire in minutes]))


@dataclass(frozen=True)
class _Known:
    """What the sensors should read: (sensors,) means for the device; means and SDs."""

    trained: NDArray[np.int64]
    source: WearStatistics


def _ways(own: Normalisation, worn: Worn, known: _Known) -> list[Normalisation]:
    """One for each of WAYS."""
    import numpy as np

    from psog.benchmarks.standardise_wearers import RATE_HZ
    from psog.device.standardising import standardised, wear_means
    from psog.net.domain import standardise

    by_sd = own  # where it refuses, the headset stays as it is
    with contextlib.suppress(RecordingError):
        sums = standardise.WearSums(known.source, standardise.slot_readings(RATE_HZ))
        sums.add(worn.wire)
        by_sd = standardise.standardised(own, known.source, sums.statistics())
    truly = np.rint(known.trained * worn.gain).astype(np.int64)
    return [
        own,
        standardised(own, wear_means(worn.wire), known.trained),
        by_sd,
        standardised(own, truly, known.trained),
    ]


def _errors_deg(net: IntegerNet, worn: Worn, headset: Headset, user: int) -> list[float]:
    """Mean gaze errors of one wearer, by MEASURES."""
    from psog.net.evaluation import evaluate

    found = evaluate(net, worn.episodes, headset, SLIPS_MM, seed=user)["int8"]
    errors = [found["uncalibrated"], *(found["slips"][f"{slip:g}"] for slip in SLIPS_MM)]
    return [error["median_deg"] for error in errors]  # of one user: the mean over the samples


def _figures(errors: NDArray[np.float64]) -> dict[str, Any]:
    """{way: {measure: {"median_deg", "mean_deg", "sd_deg", "change_deg", "change_sd_deg", "better"}}}.

    Mean and SD are over wearers; changes are against the headset as it is, wearer by wearer.

    Args:
        errors: (ways, users, measures) degrees.
    """
    import numpy as np

    changes = errors - errors[:1]
    return {
        way: {
            measure: {
                "median_deg": round(float(np.median(errors[i, :, j])), 3),
                "mean_deg": round(float(errors[i, :, j].mean()), 3),
                "sd_deg": round(float(errors[i, :, j].std(ddof=1)), 3),
                "change_deg": round(float(changes[i, :, j].mean()), 3),
                "change_sd_deg": round(float(changes[i, :, j].std(ddof=1)), 3),
                "better": int((changes[i, :, j] < 0).sum()),
            }
            for j, measure in enumerate(MEASURES)
        }
        for i, way in enumerate(WAYS)
    }


def tables(document: dict[str, Any]) -> list[Table]:
    """One of each headset: medians over wearers, and how many the device's way serves better."""
    who = f"{document['users']} unseen wearers (seed {document['seed']})"
    note = (
        f"After {document['seconds']:g} s of looking around, in another fit. In parentheses, for how many "
        f"wearers of {document['users']} it is better than the headset as it is."
    )
    return [
        Table(
            f"{name}: median gaze error of {who}, degrees",
            ("headset", "", *MEASURES),
            [
                (
                    device if way == AS_IT_IS else "",
                    way,
                    *(_cell(way, of_way[measure]) for measure in MEASURES),
                )
                for device, ways in devices.items()
                for way, of_way in ways.items()
            ],
            note,
        )
        for name, devices in document["headsets"].items()
    ]


def _cell(way: str, figures: dict[str, Any]) -> str:
    median = f"{figures['median_deg']:.2f}"
    return median if way == AS_IT_IS else f"{median} ({figures['better']})"
